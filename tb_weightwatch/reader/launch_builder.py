"""Builds a launch from data that come in any order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .. import schema
from ..history import History
from ..schema import DecodeError, RowBlock
from .launch import Launch

MAX_CELLS = 1 << 28  # values of one launch: 1.3 GB
_COPIES = 3  # of a datum: one that was interrupted or damaged may have been written again
_T = TypeVar("_T")


@dataclass
class CellBudget:
    """How many values the launches of a run may still hold together; `limit` at first."""

    limit: int
    left: int


class LaunchBuilder:
    """Builds a launch: `put` data, then `build`, as often as there are new ones.

    Args:
        launch: identifier of the launch.
        budget: shared by all launches of a run.
    """

    def __init__(self, launch: str, budget: CellBudget) -> None:
        self.launch = Launch(History(launch))
        self.cells = 0  # values in its rows
        self._budget = budget
        self._waiting: dict[str, dict[int, deque[bytes]]] = {"rows": {}, "header": {}, "now": {}, "maps": {}}
        self._next_number = {"rows": 0, "header": 0, "maps": 0}
        self._end = 0  # rows before this index were read, or are known to be lost
        self._map_parts: list[schema.MapPart] = []  # of arrays that may be incomplete

    def put(self, kind: str, number: int, data: bytes) -> int:
        """Adds a datum, to be decoded by `build`; returns by how many bytes the waiting data grew."""
        copies = self._waiting[kind].setdefault(number, deque(maxlen=_COPIES))
        before = sum(map(len, copies))
        copies.append(data)
        return sum(map(len, copies)) - before

    def build(self) -> Launch:
        """Decodes the waiting data and returns the launch, which is the same object each time."""
        for number in sorted(self._waiting["header"]):
            self._add_records(number)
        for number in sorted(self._waiting["rows"]):
            self._add_rows(number)
        for number in sorted(self._waiting["maps"]):
            self._add_maps(number)
        self._join_maps()
        if 0 in self._waiting["now"]:
            now = self._decoded("now", 0, schema.decode_now)
            if now is not None and (self.launch.now is None or now.time >= self.launch.now.time):
                self.launch.now = now
                self.launch.set_started(now.started)
        return self.launch

    def _decoded(self, kind: str, number: int, decode: Callable[[bytes], _T]) -> _T | None:
        """Returns the last copy that can be decoded; None if none can."""
        for data in reversed(self._waiting[kind].pop(number)):
            try:
                return decode(data)
            except DecodeError as error:
                self.launch.skipped[f"{kind}: {error}"] += 1
        return None

    def _is_next(self, kind: str, number: int) -> bool:
        """Checks whether a datum comes after all before it, and counts those that are missing in between."""
        expected = self._next_number[kind]
        if number < expected:
            return False
        if number > expected:
            self.launch.skipped[f"{kind}: missing"] += number - expected
        self._next_number[kind] = number + 1
        return True

    def _add_records(self, number: int) -> None:
        records = self._decoded("header", number, schema.decode_records)
        if not self._is_next("header", number):
            return
        for record in records or ():
            self.launch.history.add(record)
            if not self.launch.history.started:
                self.launch.set_started(record.time)

    def _add_rows(self, number: int) -> None:
        block = self._decoded("rows", number, schema.decode_row_block)
        history = self.launch.history
        if not self._is_next("rows", number):
            return
        if block is None or not self._fits(block):
            history.complete = False
            return
        if block.first != self._end:
            history.complete = False
        history.append(block.rows)
        self._end = block.first + len(block.rows)
        cells = schema.cell_count(block.rows)
        self.cells += cells
        self._budget.left -= cells
        self.launch.unknown_columns.update(block.unknown_columns)
        self.launch.set_started(block.started)

    def _fits(self, block: RowBlock) -> bool:
        """Checks whether a block may be appended, and counts it as skipped if not."""
        cells, history = schema.cell_count(block.rows), self.launch.history
        reason = ""
        if self.cells + cells > MAX_CELLS:
            reason = f"rows: more than {MAX_CELLS:,} values in a launch"
        elif cells > self._budget.left:
            reason = f"rows: more than {self._budget.limit:,} values in a run"
        elif len(history) and block.rows.steps[0] <= history.steps[-1]:
            reason = "rows: steps go back"
        if reason:
            self.launch.skipped[reason] += 1
        return not reason

    def _add_maps(self, number: int) -> None:
        parts = self._decoded("maps", number, schema.decode_maps)
        if self._is_next("maps", number):
            self._map_parts += parts or ()

    def _join_maps(self) -> None:
        maps, incomplete = schema.join_parts(self._map_parts)
        if incomplete:
            self.launch.skipped["maps: not complete"] += incomplete
        self._map_parts = []
        for one in maps:
            self.launch.history.keep(one)
