"""An old run diagnosed again: the diagnosis that its trainer logged, beside that of today's rules."""

from __future__ import annotations

from typing import Any

from ..diagnosis import rule_set_version
from ..reader import Launch
from ..verdict import Diagnosis, in_words
from .launch_state import with_consequences


def rejudged(launch: Launch, diagnosis: Diagnosis) -> dict[str, Any] | None:
    """Returns the diagnosis that was logged during training and how it differs; None if the trainer logged none.

    "gone" names the verdicts and symptoms that only the logged diagnosis has, "new" those that only today's has,
    consequences included.
    """
    logged = launch.now.diagnosis if launch.now else None
    if logged is None:
        return None
    before, now = _finding_names(logged), _finding_names(diagnosis)
    return {
        "status": logged.status,
        "sentence": logged.sentence,
        "step": logged.step,
        "rows": logged.rows,
        "rules": logged.rules,
        "same_rules": logged.rules == rule_set_version(),
        "codes": [v.code for v in logged.verdicts],
        "gone": [name for name in before if name not in now],
        "new": [name for name in now if name not in before],
        "same": logged.status == diagnosis.status and before == now,
    }


def rejudged_lines(logged: dict[str, Any] | None) -> list[str]:
    """Returns the logged diagnosis (as `rejudged` gives it) and its differences in sentences; [] if there are none."""
    if logged is None or logged["same"]:
        return []
    rules = "same rule set" if logged["same_rules"] else f"rule set {logged['rules']}"
    headings = {"gone": "no longer reported:", "new": "new:"}
    changes = [f"{heading} {', '.join(logged[key])}" for key, heading in headings.items() if logged[key]]
    lines = [f"During training (step {logged['step']:,}, {rules}): {logged['sentence']}"]
    return lines + ([f"Diagnosed again: {'; '.join(changes)}."] if changes else [])


def _finding_names(diagnosis: Diagnosis) -> list[str]:
    verdicts = {f"{v.code} {v.name}" for cause in diagnosis.verdicts for v in with_consequences(cause)}
    return sorted(verdicts | {in_words(symptom) for symptom in diagnosis.symptoms if symptom.severity != "info"})
