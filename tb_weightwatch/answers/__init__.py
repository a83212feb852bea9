"""What panel, command line and report are told: pure functions of a launch and its diagnosis.

Shapes are those of `frontend/src/lib/api.ts`. Texts, units and severities come from the table of quantities and from
the rules, so a new quantity or rule touches nothing here.
"""

from .curves import curves
from .heatmap import StepRange, heatmap, quantities
from .launch_comparison import compare_launches
from .launch_state import LaunchState, evidence_text, safe_diagnose, severity, state
from .overview import HINT, launch_entry, overview, run_entries, runs
from .rejudged import rejudged, rejudged_lines
from .run_comparison import compare
from .third_party import incomplete, safe_symptoms, source, with_symptoms
from .variable_maps import maps

__all__ = [
    "HINT",
    "LaunchState",
    "StepRange",
    "compare",
    "compare_launches",
    "curves",
    "evidence_text",
    "heatmap",
    "incomplete",
    "launch_entry",
    "maps",
    "overview",
    "quantities",
    "rejudged",
    "rejudged_lines",
    "run_entries",
    "runs",
    "safe_diagnose",
    "safe_symptoms",
    "severity",
    "source",
    "state",
    "with_symptoms",
]
