"""The heart: `diagnose(history)`, the catalogue of rules, and one file per rule."""

from ._engine import diagnose, version
from ._rule import Rule, catalogue, settings
from ._snapshots import Symptom, symptoms

__all__ = ["Rule", "Symptom", "catalogue", "diagnose", "settings", "symptoms", "version"]
