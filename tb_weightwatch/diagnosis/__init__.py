"""The heart: `diagnose(history)`, the catalogue of rules, and one file per rule."""

from ._engine import diagnose, version
from ._rule import Rule, catalogue, settings

__all__ = ["Rule", "catalogue", "diagnose", "settings", "version"]
