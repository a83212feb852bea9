"""What the rules would have said that the user has muted."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnosis import catalogue, diagnose
from ..history import History
from ..verdict import Diagnosis, Verdict
from .launch_state import whole


def muted(history: History) -> list[tuple[str, Verdict | None]]:
    """Returns the muted rules by name, each with its open finding if it has one."""
    rules = history.config.get("rules")
    settings = rules if isinstance(rules, dict) else {}
    names = [name for name, setting in settings.items() if setting is False and name in catalogue()]
    if not names:
        return []
    try:
        found = diagnose(history, {k: v for k, v in settings.items() if v is not False})
    except Exception:  # settings and facts that no trainer of this version writes; the diagnosis proper has said so
        return [(name, None) for name in names]
    said = {verdict.name: verdict for verdict in _open(found)}
    return [(name, said.get(name)) for name in names]


def _open(diagnosis: Diagnosis) -> Iterator[Verdict]:
    return (part for verdict in diagnosis.verdicts for part in whole(verdict))
