"""Diagnoses a History: `diagnose(history)`, the catalogue of rules, and one file per rule.

* `engine`: runs the rules and returns a Diagnosis
* `rules`: one folder per link of the chain, one file per rule
* `rule`, `rule_catalogue`: the definition of a rule, and all rules
* `signals`, `wording`: what rules read, and helpers for the text of verdicts
* `third_party`: what logs show that were not written by tb_weightwatch
"""

from .engine.diagnose import IncrementalDiagnosis, diagnose, rule_set_version
from .engine.examples import KINDS, PREAMBLE, example, section
from .engine.experiments import with_experiments
from .rule import Rule
from .rule_catalogue import RuleSettings, catalogue, checked_rules, rule_name
from .signals import RecordingLosses, recording_losses, recording_stop
from .suspects.causes import KNOWN_SYMPTOMS
from .third_party import unit

__all__ = [
    "KINDS",
    "KNOWN_SYMPTOMS",
    "PREAMBLE",
    "IncrementalDiagnosis",
    "RecordingLosses",
    "Rule",
    "RuleSettings",
    "catalogue",
    "checked_rules",
    "diagnose",
    "example",
    "recording_losses",
    "recording_stop",
    "rule_name",
    "rule_set_version",
    "section",
    "unit",
    "with_experiments",
]
