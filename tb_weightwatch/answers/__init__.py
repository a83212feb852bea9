"""What panel, command line and report are told: pure functions of a launch and its diagnosis.

Shapes are those of `frontend/src/lib/api.ts`. Texts, units and severities come from the table of quantities and from
the rules, so a new quantity or rule touches nothing here.
"""

from ._again import again, again_lines
from ._compare import compare
from ._curves import curves
from ._grid import Steps, heatmap, quantities
from ._maps import maps
from ._overview import HINT, launch_entry, overview, run_entries, runs
from ._state import State, evidence_text, judge, severity, state
from ._symptoms import incomplete, seen, source, with_symptoms
from ._versus import versus

__all__ = [
    "HINT",
    "State",
    "Steps",
    "again",
    "again_lines",
    "compare",
    "curves",
    "evidence_text",
    "heatmap",
    "incomplete",
    "judge",
    "launch_entry",
    "maps",
    "overview",
    "quantities",
    "run_entries",
    "runs",
    "seen",
    "severity",
    "source",
    "state",
    "versus",
    "with_symptoms",
]
