"""Builds a launch from data that come in any order."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TypeVar

from .. import schema
from ..history import RECORD_KINDS, History
from ..schema import ARRAY_BYTES, CodedBlock, DecodeError, LaunchStatus, RecordReader, Tag
from .budgets import RunBudgets
from .launch import Launch
from .launch_rows import LaunchRows
from .waiting_data import WaitingData

_T = TypeVar("_T")
_CELLS_TOGETHER = 1 << 20  # values of rows that are decoded together: 4 MB
_BLOCKS_TOGETHER = 256
_SETTLED = 60.0  # seconds after which a status is not of a moment between two calls to a data provider


class LaunchBuilder:
    """Builds a launch: `put` data, then `build`, as often as there are new ones.

    Args:
        launch: identifier of the launch.
        budgets: shared by all launches of a run.
    """

    def __init__(self, launch: str, budgets: RunBudgets) -> None:
        self.launch = Launch(History(launch))
        self._budgets = budgets
        self._waiting = WaitingData()
        self._next_number = {"rows": 0, "header": 0, "maps": 0}
        self._rows = LaunchRows(self.launch, budgets.cells)
        self._records = RecordReader(budgets.records)
        self._map_parts: list[schema.MapPart] = []  # of arrays that may be incomplete

    @property
    def cells(self) -> int:
        """The number of values in its rows."""
        return self._rows.cells

    def has_read(self, tag: Tag) -> bool:
        """Checks whether data of this tag wait or were read."""
        return self._waiting.has(tag) or tag.number < self._next_number.get(tag.kind, 0)

    def put(self, tag: Tag, data: bytes) -> int:
        """Adds a datum, to be decoded by `build`; returns by how many bytes the waiting data grew."""
        return self._waiting.put(tag, data)

    def build(self, kinds_read: Collection[str], *, settled: bool) -> Launch:
        """Decodes the waiting data and returns the launch, which is the same object each time.

        Args:
            kinds_read: kinds of which all data were put that there are.
            settled: they were put in the order in which they were written, up to the same moment, so that those that
                the status counts must be among them. They must as well once the launch is over.
        """
        for number in self._waiting.numbers("header"):
            self._add_records(number)
        self._add_rows()
        for number in self._waiting.numbers("maps"):
            self._add_maps(number)
        self._join_maps()
        for _ in self._waiting.numbers("now"):
            self._add_status()
        if settled or self._is_over:
            self._count_what_the_status_counts(kinds_read)
        return self.launch

    @property
    def _is_over(self) -> bool:
        """Whether all that was written could have been read: training has ended, or nothing came for some time."""
        now = self.launch.now
        return self.launch.history.ended is not None or (now is not None and time.time() - now.time > _SETTLED)

    def _decoded(self, kind: str, number: int, decode: Callable[[bytes, str], _T]) -> _T | None:
        """Returns the last copy that can be decoded; None if none can."""
        tag = str(Tag(self.launch.history.launch, kind, number))
        for data in reversed(self._waiting.taken(kind, number)):
            try:
                return decode(data, tag)
            except DecodeError as error:
                self.launch.skipped.note(f"{kind}: {error}")
        return None

    def _is_next(self, kind: str, number: int) -> bool:
        """Checks whether a datum comes after all before it, and counts those that are missing in between."""
        expected = self._next_number[kind]
        if number < expected:
            return False
        if number > expected:
            self.launch.skipped.note(f"{kind}: missing", number - expected)
        self._next_number[kind] = number + 1
        return True

    def _count_what_the_status_counts(self, kinds_read: Collection[str]) -> None:
        """Counts records and blocks of rows that were written before the last status, but were not found.

        The status that is written with the end counts the record of it. One that does not is an earlier one.
        """
        now, skipped, found = self.launch.now, self.launch.skipped, self._next_number
        written = {"header": now.headers, "rows": now.blocks} if now is not None else {}
        missing = {kind: written[kind] - found[kind] for kind in written.keys() & set(kinds_read)}
        is_earlier = self.launch.history.ended is not None and written.get("header", 0) < found["header"]
        for kind, count in {**missing, "now": int(is_earlier)}.items():
            reason = f"{kind}: missing at the end"
            skipped.pop(reason, None)
            if count > 0:
                skipped.note(reason, count)

    # -- dated records and status

    def _add_records(self, number: int) -> None:
        if number > self._next_number["header"]:
            self._records.lost.update(RECORD_KINDS.values())
        if not self._is_next("header", number):
            self._waiting.taken("header", number)
            return
        records = self._decoded("header", number, self._records.read)
        if records is None:
            self._records.lost.update(RECORD_KINDS.values())
        self.launch.skipped.note_all(self._records.problems)
        self._records.problems.clear()
        for record in records or ():
            self.launch.history.add(record)
            if not self.launch.history.started:
                self.launch.set_started(record.time)

    def _add_status(self) -> None:
        problems = schema.Problems()
        now = self._decoded("now", 0, lambda data, tag: schema.decode_now(data, tag, problems))
        self.launch.skipped.note_all(problems)
        if now is not None and (self.launch.now is None or _order(now) >= _order(self.launch.now)):
            self.launch.now = now
            self.launch.set_started(now.started)

    # -- rows

    def _add_rows(self) -> None:
        numbers = self._waiting.numbers("rows")
        if not numbers:
            return
        blocks: list[CodedBlock | None] = []
        cells, last = 0, self._decoded("rows", numbers[-1], schema.coded_block)  # it knows how many rows there are
        for position, number in enumerate(numbers, 1):
            is_last = position == len(numbers)
            block = last if is_last else self._decoded("rows", number, schema.coded_block)
            if self._is_next("rows", number):
                blocks.append(block)
                cells += 0 if block is None else block.cells
            if cells >= _CELLS_TOGETHER or len(blocks) == _BLOCKS_TOGETHER or is_last:
                self._rows.append(blocks, len(numbers) - position, last)
                blocks, cells = [], 0

    # -- arrays

    def _add_maps(self, number: int) -> None:
        self._budgets.arrays.earn(self._waiting.size("maps", number))
        parts = self._decoded("maps", number, schema.decode_maps)
        if not self._is_next("maps", number):
            return
        for part in parts or ():
            if self._budgets.arrays.take(ARRAY_BYTES + part.map.values.nbytes):
                self._map_parts.append(part)
            else:
                self.launch.skipped.note("maps: arrays that are larger in memory than their files allow")

    def _join_maps(self) -> None:
        maps, incomplete = schema.join_parts(self._map_parts)
        if incomplete:
            self.launch.skipped.note("maps: not complete", incomplete)
        self._map_parts = []
        for one in maps:
            self.launch.history.keep(one)


def _order(status: LaunchStatus) -> float:
    return status.written or status.time  # earlier versions did not say the first
