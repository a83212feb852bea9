"""A launch as read, and what could not be read of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..history import History
from ..schema import LaunchStatus


class SkipCounts(Counter[str]):
    """Counts what could not be read: reason -> how often."""

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
