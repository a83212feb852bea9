"""Data by tag to Histories: the one assembly behind both ways of reading."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .. import schema
from ..history import History
from ..schema import DecodeError, LaunchStatus, RowBlock, Tag

MAX_LAUNCHES = 2000  # of one run
MAX_CELLS = 1 << 28  # values of one launch: 1.3 GB
MAX_RUN_CELLS = 1 << 29  # values of all launches of a run
MAX_WAITING = 1 << 29  # bytes of one run that are not decoded yet
_T = TypeVar("_T")


class SkipCounts(Counter[str]):
    """What could not be read: reason -> how often."""

    def __str__(self) -> str:
        return "; ".join(f"{count:,} x {reason}" for reason, count in sorted(self.items()))


@dataclass
class Launch:
    """One launch as read.

    Attributes:
        history: its rows and dated records.
        now: where it stands; None if that could not be read.
        skipped: what could not be read.
        unknown_columns: columns that this version does not know and left out.
        memo: for what is derived from it.
        maps: for what is derived from its arrays, which are not in `history` where they are read on demand.
    """

    history: History
    now: LaunchStatus | None = None
    skipped: SkipCounts = field(default_factory=SkipCounts)
    unknown_columns: set[str] = field(default_factory=set)
    memo: dict[Any, Any] = field(default_factory=dict)
    maps: dict[Any, Any] = field(default_factory=dict)


class _LaunchBuilder:
    """A launch to which data come in any order."""

    def __init__(self, launch: str, room: list[int]) -> None:
        self.launch = Launch(History(launch))
        self.room = room  # values that the run may still have: one number, shared by its launches
        self.waiting: dict[str, dict[int, deque[bytes]]] = {"rows": {}, "header": {}, "now": {}, "maps": {}}
        self.next = {"rows": 0, "header": 0, "maps": 0}
        self.parts: list[schema.MapPart] = []  # of arrays that may not be complete yet
        self.cells = 0
        self.end = 0  # rows up to here were read or are known to be lost

    def put(self, kind: str, number: int, data: bytes) -> int:
        # A datum that was interrupted or damaged may stand there twice: the last that can be read counts.
        held = self.waiting[kind].setdefault(number, deque(maxlen=3))
        before = sum(map(len, held))
        held.append(data)
        return sum(map(len, held)) - before

    def settle(self) -> Launch:
        for number in sorted(self.waiting["header"]):
            self._header(number)
        for number in sorted(self.waiting["rows"]):
            self._block(number)
        for number in sorted(self.waiting["maps"]):
            self._maps(number)
        self._join()
        if 0 in self.waiting["now"]:
            now = self._decoded("now", 0, schema.decode_now)
            if now is not None and (self.launch.now is None or now.time >= self.launch.now.time):
                self.launch.now = now
                self._started(now.started)
        return self.launch

    def _decoded(self, kind: str, number: int, decode: Callable[[bytes], _T]) -> _T | None:
        for data in reversed(self.waiting[kind].pop(number)):
            try:
                return decode(data)
            except DecodeError as error:
                self.launch.skipped[f"{kind}: {error}"] += 1
        return None

    def _header(self, number: int) -> None:
        records = self._decoded("header", number, schema.decode_records)
        if number < self.next["header"]:
            return
        if number > self.next["header"]:
            self.launch.skipped["header: missing"] += number - self.next["header"]
        self.next["header"] = number + 1
        for record in records or ():
            self.launch.history.add(record)
            if not self.launch.history.started:
                self._started(record.time)

    def _block(self, number: int) -> None:
        chunk = self._decoded("rows", number, schema.decode_row_block)
        history = self.launch.history
        if number < self.next["rows"]:
            return
        if number > self.next["rows"]:
            self.launch.skipped["rows: missing"] += number - self.next["rows"]
        self.next["rows"] = number + 1
        if chunk is None or not self._fits(chunk):
            history.complete = False
            return
        if chunk.first != self.end:
            history.complete = False
        history.append(chunk.rows)
        self.end = chunk.first + len(chunk.rows)
        self.cells += schema.cell_count(chunk.rows)
        self.room[0] -= schema.cell_count(chunk.rows)
        self.launch.unknown_columns.update(chunk.unknown_columns)
        self._started(chunk.started)

    def _maps(self, number: int) -> None:
        parts = self._decoded("maps", number, schema.decode_maps)
        if number >= self.next["maps"]:
            missing = number - self.next["maps"]
            self.launch.skipped.update({"maps: missing": missing} if missing else {})
            self.next["maps"] = number + 1
            self.parts += parts or ()

    def _join(self) -> None:
        whole, lacking = schema.join_parts(self.parts)
        self.launch.skipped.update({"maps: not complete": lacking} if lacking else {})
        self.parts = []
        for one in whole:
            self.launch.history.keep(one)

    def _fits(self, chunk: RowBlock) -> bool:
        reason = ""
        if self.cells + schema.cell_count(chunk.rows) > MAX_CELLS:
            reason = f"rows: more than {MAX_CELLS:,} values in a launch"
        elif schema.cell_count(chunk.rows) > self.room[0]:
            reason = f"rows: more than {MAX_RUN_CELLS:,} values in a run"
        elif len(self.launch.history) and chunk.rows.steps[0] <= self.launch.history.steps[-1]:
            reason = "rows: steps go back"
        self.launch.skipped.update([reason] if reason else [])
        return not reason

    def _started(self, started: float) -> None:
        if 0 < started < 1e12:
            self.launch.history.started = started


class RunAssembler:
    """The data of one run, put in in any order and over any time; its Histories only grow.

    Args:
        maps: takes histograms, motion maps and tensors as well; all of a launch's must be there before `launches`.
    """

    def __init__(self, *, maps: bool = False) -> None:
        self._with_maps = maps
        self._growing: dict[str, _LaunchBuilder] = {}
        self._bytes = 0
        self._room = [MAX_RUN_CELLS]
        self.skipped = SkipCounts()  # what belongs to no launch

    def __bool__(self) -> bool:
        """Says whether anything of ours was put in."""
        return bool(self._growing)

    def put(self, tag: Tag, data: Any) -> None:
        """Takes the datum of a tag."""
        if tag.kind == "maps" and not self._with_maps:
            return
        if not isinstance(data, bytes):
            data = b""  # can not be decoded: what it held is lost, and counted as such
        if tag.launch not in self._growing and len(self._growing) >= MAX_LAUNCHES:
            self.skipped[f"more than {MAX_LAUNCHES:,} launches in a run"] += 1
        elif self._bytes + len(data) > MAX_WAITING:
            self.skipped[f"more than {MAX_WAITING:,} bytes in a run"] += 1
        else:
            growing = self._growing.setdefault(tag.launch, _LaunchBuilder(tag.launch, self._room))
            self._bytes += growing.put(tag.kind, tag.number, data)

    def launches(self) -> list[Launch]:
        """Returns the launches, oldest first; what is missing makes a History incomplete and is counted."""
        self._bytes = 0
        found: list[Launch] = []
        for growing in self._growing.values():
            launch = growing.settle()
            if launch.now or len(launch.history) or launch.history.records:
                found.append(launch)
            else:  # nothing of it could be read
                self.skipped.update(launch.skipped)
                launch.skipped.clear()
        return sorted(found, key=lambda launch: (launch.history.started, launch.history.launch))

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return self._bytes + sum(8 * g.cells + 2000 for g in self._growing.values())
