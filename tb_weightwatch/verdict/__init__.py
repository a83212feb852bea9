"""The types of a diagnosis (Verdict, Evidence, Claim, Symptom, Suspect, Unknown ...), and its answer in words."""

from .answer import (
    MOST_SUSPECTS,
    answering_symptom,
    answering_verdict,
    headline,
    in_words,
    known_cause,
    probability_text,
    suspect_facts,
    suspect_lines,
    suspect_title,
)
from .claim import Claim, Kind, Statement
from .experiment import Experiment, ExperimentEnd, Outcome, RateCurve, TestedCause, tested_causes
from .experiment_text import experiment_answer, experiment_fact, experiment_lines, outcome_lines
from .formatting import SNAP_DIGITS, factor, jsonable, number, snapped
from .headlines import (
    MOST_CHARACTERS,
    Headline,
    diagnosis_headline,
    short_paths,
    suspect_headline,
    verdict_headline,
)
from .levels import LINKS, SEVERITIES, Certainty, Severity, Status, TestOutcome
from .symptom import Suspect, Symptom
from .verdict import Diagnosis, Evidence, Unknown, Verdict

__all__ = [
    "LINKS",
    "MOST_CHARACTERS",
    "MOST_SUSPECTS",
    "SEVERITIES",
    "SNAP_DIGITS",
    "Certainty",
    "Claim",
    "Diagnosis",
    "Evidence",
    "Experiment",
    "ExperimentEnd",
    "Headline",
    "Kind",
    "Outcome",
    "RateCurve",
    "Severity",
    "Statement",
    "Status",
    "Suspect",
    "Symptom",
    "TestOutcome",
    "TestedCause",
    "Unknown",
    "Verdict",
    "answering_symptom",
    "answering_verdict",
    "diagnosis_headline",
    "experiment_answer",
    "experiment_fact",
    "experiment_lines",
    "factor",
    "headline",
    "in_words",
    "jsonable",
    "known_cause",
    "number",
    "outcome_lines",
    "probability_text",
    "short_paths",
    "snapped",
    "suspect_facts",
    "suspect_headline",
    "suspect_lines",
    "suspect_title",
    "tested_causes",
    "verdict_headline",
]
