"""The heart: `diagnose(history)`, the catalogue of rules, and one file per rule."""

from ._engine import Judge, diagnose, version
from ._examples import BEGIN, example
from ._rule import Rule, catalogue, settings
from ._snapshots import Symptom, symptoms, unit

__all__ = [
    "BEGIN",
    "Judge",
    "Rule",
    "Symptom",
    "catalogue",
    "diagnose",
    "example",
    "settings",
    "symptoms",
    "unit",
    "version",
]
