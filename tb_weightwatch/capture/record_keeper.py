"""Keeps and writes the dated records of a launch, of which most tell only what changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..diagnosis import RecordingLosses, recording_losses
from ..history import History, Record
from ..schema import record_as_stored
from ..writer import EventWriter
from .schedule.budget import Budget


class RecordKeeper:
    """Adds dated records to the History and hands them to the writer.

    Args:
        history: gets the records as a reader will get them.
        writer: writes them.
        budget: knows what recording costs.
    """

    def __init__(self, history: History, writer: EventWriter, budget: Budget) -> None:
        self._history, self._writer, self._budget = history, writer, budget
        self._next_cost = 32  # number of rows at which the cost is due

    def describe(self, step: int, kind: str, data: Mapping[str, Any]) -> None:
        """Adds a record; of facts and described items only those that changed."""
        record = record_as_stored(Record(step, kind, data, time.time()))
        changed: Mapping[str, Any] = record.data
        if kind == "facts":
            facts = self._history.facts
            changed = {name: value for name, value in changed.items() if name not in facts or facts[name] != value}
        elif kind in ("variables", "layers"):
            items = {item["name"]: item for item in self._history.described(kind)}
            changed = {"items": [item for item in changed["items"] if items.get(item["name"]) != item]}
            changed = changed if changed["items"] else {}
        if changed:
            record = Record(record.step, kind, changed, record.time)
            self._history.add(record)
            self._writer.add(record)

    def note_stop(self, step: int, reason: str) -> None:
        """Adds that recording stopped; it is in the History even if records can no longer be stored."""
        count = len(self._history.records)
        try:
            self.describe(step, "stopped", {"reason": reason})
        finally:
            if len(self._history.records) == count:
                self._history.add(Record(step, "stopped", {"reason": reason}, time.time()))

    def describe_cost_if_due(self, step: int) -> None:
        """Adds the cost each time the number of rows has grown by half, so that there are a dozen such records."""
        count = len(self._history)
        if count >= self._next_cost:
            self._next_cost = count * 3 // 2
            self.describe_cost(step)

    def describe_cost(self, step: int) -> None:
        """Adds what recording costs."""
        budget = self._budget
        seconds = {"seconds": budget.elapsed, "once": budget.one_off, "saved": budget.saved}
        overhead = None if budget.cost is None else round(budget.cost, 5)
        self.describe(step, "cost", {"overhead": overhead, **{name: round(s, 3) for name, s in seconds.items()}})

    def describe_losses(self, step: int, losses: RecordingLosses, *, is_last: bool = False) -> bool:
        """Adds what was left out of the recording, each time that it has grown by half; returns whether it did.

        Args:
            step: the last recorded step.
            losses: what was left out so far.
            is_last: it is added also if it has grown by less.
        """
        known = recording_losses(self._history)
        if not sum(losses) > (sum(known) if is_last else 1.5 * sum(known)):
            return False
        if losses.rows:
            self._history.complete = False  # as a reader will find it
        self.describe(step, "dropped", losses._asdict())
        return True
