"""A launch as read, and what could not be read of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..history import History
from ..schema import MAX_REASONS, LaunchStatus


class SkipCounts(Counter[str]):
    """Counts what could not be read: reason -> how often; `MAX_REASONS` reasons at most, and one for all others."""

    def note(self, reason: str, count: int = 1) -> None:
        """Counts something that could not be read."""
        known = reason in self or len(self) < MAX_REASONS
        self[reason if known else "other reasons"] += count

    def note_all(self, reasons: Mapping[str, int]) -> None:
        """Adds the counts of others."""
        for reason, count in reasons.items():
            self.note(reason, count)

    def __str__(self) -> str:
        return "; ".join(f"{count:,} x {reason}" for reason, count in sorted(self.items()))


@dataclass
class Launch:
    """One launch as read.

    Attributes:
        history: its rows and dated records.
        now: its last status; None if it could not be read.
        skipped: what could not be read.
        unknown_columns: columns of a newer version, which were left out.
        memo: cache for what is derived from it.
        maps: cache for what is derived from its arrays, which are not in `history` if they are read on demand.
    """

    history: History
    now: LaunchStatus | None = None
    skipped: SkipCounts = field(default_factory=SkipCounts)
    unknown_columns: set[str] = field(default_factory=set)
    memo: dict[Any, Any] = field(default_factory=dict)
    maps: dict[Any, Any] = field(default_factory=dict)

    def set_started(self, started: float) -> None:
        """Sets when it started, unix seconds; an impossible time is ignored."""
        if 0 < started < 1e12:
            self.history.started = started

    def add_unknown_columns(self, names: Iterable[str]) -> None:
        """Notes columns of a newer version, as many as can be shown."""
        self.unknown_columns.update(list(names)[: max(0, MAX_REASONS - len(self.unknown_columns))])
