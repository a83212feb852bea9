"""The findings of rules that the user has muted."""

from __future__ import annotations

from ..diagnosis import catalogue, diagnose
from ..history import History
from ..verdict import Verdict
from .launch_state import with_consequences


def muted(history: History) -> list[tuple[str, Verdict | None]]:
    """Returns the names of the muted rules, each with the open verdict that it would give, if any."""
    rules = history.config.get("rules")
    settings = rules if isinstance(rules, dict) else {}
    names = [name for name, setting in settings.items() if setting is False and name in catalogue()]
    if not names:
        return []
    try:
        diagnosis = diagnose(history, {k: v for k, v in settings.items() if v is not False})
    except Exception:  # settings or facts that no trainer of this version writes; `safe_diagnose` reports the problem
        return [(name, None) for name in names]
    verdicts = {v.name: v for cause in diagnosis.verdicts for v in with_consequences(cause)}
    return [(name, verdicts.get(name)) for name in names]
