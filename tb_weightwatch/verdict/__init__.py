"""The types of a diagnosis: Verdict, Evidence, Unknown, Diagnosis."""

from .formatting import jsonable, number
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
    "Certainty",
    "Diagnosis",
    "Evidence",
    "Severity",
    "Status",
    "Unknown",
    "Verdict",
    "jsonable",
    "number",
]
