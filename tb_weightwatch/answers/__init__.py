"""The answers that panel, command line and report show: pure functions of a launch and its diagnosis.

Their shapes are those of `frontend/src/lib/api.ts`. Texts, units and severities come from the table of quantities and
from the rules, so a new quantity or rule changes nothing here.
"""

from .buckets import StepRange
from .curves import curves
from .heatmap import heatmap, quantities
from .launch_state import LaunchState, evidence_text, safe_diagnose, severity, state
from .overview import HINT, label, launch_entry, overview, run_entries, runs
from .rejudged import rejudged, rejudged_lines
from .run_comparison import compare
from .run_table import RunSummary, run_table, summary_of
from .third_party import incomplete, source, source_facts, with_source
from .variable_maps import maps

__all__ = [
    "HINT",
    "LaunchState",
    "RunSummary",
    "StepRange",
    "compare",
    "curves",
    "evidence_text",
    "heatmap",
    "incomplete",
    "label",
    "launch_entry",
    "maps",
    "overview",
    "quantities",
    "rejudged",
    "rejudged_lines",
    "run_entries",
    "run_table",
    "runs",
    "safe_diagnose",
    "severity",
    "source",
    "source_facts",
    "state",
    "summary_of",
    "with_source",
]
