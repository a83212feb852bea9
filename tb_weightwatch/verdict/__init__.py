"""The types of a diagnosis: Verdict, Evidence, Unknown, Diagnosis."""

from .formatting import SNAP_DIGITS, jsonable, number, snapped
from .verdict import (
    LINKS,
    SEVERITIES,
    Certainty,
    Diagnosis,
    Evidence,
    Severity,
    Status,
    Unknown,
    Verdict,
)

__all__ = [
    "LINKS",
    "SEVERITIES",
    "SNAP_DIGITS",
    "Certainty",
    "Diagnosis",
    "Evidence",
    "Severity",
    "Status",
    "Unknown",
    "Verdict",
    "jsonable",
    "number",
    "snapped",
]
