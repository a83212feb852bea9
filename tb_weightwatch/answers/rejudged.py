"""An old run judged again: what the trainer logged with the rules of its day, beside what today's rules say."""

from __future__ import annotations

from typing import Any

from ..diagnosis import rule_set_version
from ..reader import Launch
from ..verdict import Diagnosis
from .launch_state import whole


def rejudged(launch: Launch, diagnosis: Diagnosis) -> dict[str, Any] | None:
    """Returns what was logged then and how it differs; None where the trainer logged no diagnosis.

    "gone" and "new" name the verdicts that only then or only now hold, consequences included.
    """
    then = launch.now.diagnosis if launch.now else None
    if then is None:
        return None
    before, now = _names(then), _names(diagnosis)
    return {
        "status": then.status,
        "sentence": then.sentence,
        "step": then.step,
        "rows": then.rows,
        "rules": then.rules,
        "same_rules": then.rules == rule_set_version(),
        "codes": [v.code for v in then.verdicts],
        "gone": [name for name in before if name not in now],
        "new": [name for name in now if name not in before],
        "same": then.status == diagnosis.status and before == now,
    }


def rejudged_lines(told: dict[str, Any] | None) -> list[str]:
    """Returns what the trainer said, where today's rules or today's rows say something else; [] where they agree."""
    if told is None or told["same"]:
        return []
    rules = "with the same rules" if told["same_rules"] else f"with the rules of then ({told['rules']})"
    signs = {"gone": "no more:", "new": "new:"}
    changes = [f"{sign} {', '.join(told[key])}" for key, sign in signs.items() if told[key]]
    lines = [f"Then, at step {told['step']:,} and {rules}: {told['sentence']}"]
    return lines + ([f"Judged again: {'; '.join(changes)}."] if changes else [])


def _names(diagnosis: Diagnosis) -> list[str]:
    return sorted({f"{part.code} {part.name}" for v in diagnosis.verdicts for part in whole(v)})
