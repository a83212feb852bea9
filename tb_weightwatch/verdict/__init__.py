"""The types of a diagnosis: Verdict, Evidence, Claim, Symptom, Suspect, Unknown, Diagnosis."""

from .claim import Claim, Kind, Statement
from .formatting import SNAP_DIGITS, jsonable, number, snapped
from .levels import LINKS, SEVERITIES, Certainty, Severity, Status
from .symptom import Suspect, Symptom
from .verdict import Diagnosis, Evidence, Unknown, Verdict

__all__ = [
    "LINKS",
    "SEVERITIES",
    "SNAP_DIGITS",
    "Certainty",
    "Claim",
    "Diagnosis",
    "Evidence",
    "Kind",
    "Severity",
    "Statement",
    "Status",
    "Suspect",
    "Symptom",
    "Unknown",
    "Verdict",
    "jsonable",
    "number",
    "snapped",
]
