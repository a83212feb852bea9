"""The heart: `diagnose(history)`, the catalogue of rules, and one file per rule."""

from .engine.diagnose import IncrementalDiagnosis, diagnose, rule_set_version
from .engine.examples import PREAMBLE, example
from .rule import Rule, catalogue, checked_rules
from .third_party.symptoms import Symptom, symptoms, unit

__all__ = [
    "PREAMBLE",
    "IncrementalDiagnosis",
    "Rule",
    "Symptom",
    "catalogue",
    "checked_rules",
    "diagnose",
    "example",
    "rule_set_version",
    "symptoms",
    "unit",
]
