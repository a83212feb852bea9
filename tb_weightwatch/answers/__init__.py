"""The answers that panel, command line and report show: pure functions of a launch and its diagnosis.

Their shapes are those of `frontend/src/lib/api.ts`. Texts, units and severities come from the table of quantities and
from the rules, so a new quantity or rule changes nothing here.
"""

from .buckets import StepRange
from .chain import chain
from .curves import curves
from .explanation import (
    HEADINGS,
    QUANTITIES_PAGE,
    QUANTITY_HEADINGS,
    RULES_PAGE,
    explained_rules,
    explanation,
    quantity_table,
    rule_address,
)
from .heatmap import heatmap, quantities
from .launch_state import LaunchState, evidence_text, safe_diagnose, severity, state
from .overview import label, launch_entry, overview, run_entries, runs
from .rejudged import rejudged, rejudged_lines
from .run_comparison import compare
from .run_table import RunSummary, run_table, summary_of
from .third_party import incomplete, source, source_facts, with_source
from .variable_maps import maps

__all__ = [
    "HEADINGS",
    "QUANTITIES_PAGE",
    "QUANTITY_HEADINGS",
    "RULES_PAGE",
    "LaunchState",
    "RunSummary",
    "StepRange",
    "chain",
    "compare",
    "curves",
    "evidence_text",
    "explained_rules",
    "explanation",
    "heatmap",
    "incomplete",
    "label",
    "launch_entry",
    "maps",
    "overview",
    "quantities",
    "quantity_table",
    "rejudged",
    "rejudged_lines",
    "rule_address",
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
