"""What a launch records, as Summary messages handed to a sink; by default an event file of our own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

import numpy as np

from . import schema
from .history import Column, Record, Rows
from .maps import Map
from .schema import LaunchStatus, Tag
from .verdict import Diagnosis, Verdict

BLOCK_SECONDS, BLOCK_SHARE, BLOCK_LONGEST = 2.0, 0.02, 900.0
_CADENCE = ((600.0, 2.0), (7200.0, 10.0))  # `now` is at most so old in the first so many seconds
_CADENCE_LATER, _CADENCE_FIRST = 60.0, 60.0  # compiling the first step may take as long
_NOW_BYTES = 1_500_000  # after so many bytes of `now`, it no longer holds the latest row
_HEADERS = 100  # after so many, dated records wait for a block
_ROOM = schema.MAX_CELLS // 2


class Sink(Protocol):
    """Where Summary messages go. All three may raise; the writer passes it on."""

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        """Takes one Summary."""

    def flush(self) -> None:
        """Makes what was emitted readable by others."""

    def close(self) -> None:
        """Flushes and ends."""


class _Directory:
    """TensorBoard's own event file writer; it needs no TensorFlow."""

    def __init__(self, logdir: str | os.PathLike[str]) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        # A second live event file in the user's directory would make TensorBoard drop the user's data.
        directory = os.path.join(os.fspath(logdir), schema.PLUGIN)
        try:
            self._writer = EventFileWriter(directory)
        except Exception as error:
            raise OSError(f"the log directory must be writable, but {directory!r} is not: {error}") from error

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=wall_time, step=step, summary=summary))

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def directory_sink(logdir: str | os.PathLike[str]) -> Sink:
    """Returns a sink that writes an event file in `<logdir>/weightwatch`.

    Raises:
        OSError: the directory can not be written.
    """
    return _Directory(logdir)


class EventWriter:
    """Writes one launch: dated records, blocks of rows, and where it stands.

    Errors of the sink are raised as they come; the caller decides what they mean for training.

    Args:
        sink: where Summary messages go.
        launch: identifier of the launch; no "/", at most 100 characters.
        started: unix seconds.
        clock: returns unix seconds.
    """

    def __init__(
        self, sink: Sink, launch: str, started: float, clock: Callable[[], float] = time.time, *, step: int = 0
    ) -> None:
        if schema.parse_tag(str(Tag(launch, "now"))) is None:
            raise ValueError(f"a launch must be 1 to 100 characters without '/', got {launch!r}")
        self._sink, self._launch, self._started, self._clock = sink, launch, started, clock
        self._records: list[Record] = []
        self._pending: list[Rows] = []
        self._latest: Rows | None = None
        self._step = step
        self._rows = self._blocks = self._headers = self._maps = 0  # written so far
        self._held = 0  # values in _pending
        self._diagnosis: Diagnosis | None = None
        self._open: set[str] = set()
        self._urgent = self._busy = False
        self._block_at, self._now_at, self._urgent_at = clock(), -np.inf, -np.inf
        self._tick_at, self._ticks, self._gap, self._now_bytes = clock(), 0, 0.0, 0

    def add(self, record: Record) -> None:
        """Takes a dated record; it is written with the next state."""
        self._records.append(record)

    def append(self, rows: Rows) -> None:
        """Takes recorded rows, already settled."""
        if not len(rows):
            return
        room = max(1, _ROOM // max(1, schema.cell_count(rows) // len(rows)))
        for start in range(0, len(rows), room):
            part = _slice(rows, start, min(start + room, len(rows)))
            if self._held + schema.cell_count(part) > _ROOM:
                self._guarded(self._put_block)
            self._pending.append(part)
            self._held += schema.cell_count(part)
        self._latest = _slice(rows, len(rows) - 1, len(rows))
        self.tick(int(rows.steps[-1]))

    def maps(self, maps: Iterable[Map]) -> None:
        """Takes arrays of one step; they are written at once, since they are large."""
        for data in schema.encode_maps(maps, started=self._started):
            self._guarded(partial(self._put_map, data))

    def judged(self, diagnosis: Diagnosis) -> None:
        """Takes the latest diagnosis; a verdict that was not open before is written at once (at most one a second)."""
        names = {v.name for verdict in diagnosis.verdicts for v in _whole(verdict)}
        self._urgent |= bool(names - self._open)
        self._open, self._diagnosis = names, diagnosis
        self.tick()

    def ready(self, step: int = 0) -> bool:
        """Says whether `tick` has something to write; to be called as often as possible (each step): it is cheap."""
        now = self._clock()
        self._step = max(self._step, step)
        self._gap = max(self._gap, now - self._tick_at) if self._ticks > 2 else 0.0
        self._tick_at, self._ticks = now, self._ticks + 1
        due = self._block_due(now) or _past(now, self._now_at, self._cadence(now))
        return due or (self._urgent and _past(now, self._urgent_at, 1.0))

    def tick(self, step: int = 0) -> None:
        """Writes what is due."""
        if not self.ready(step):
            return
        if self._urgent and _past(self._clock(), self._urgent_at, 1.0):
            self._urgent_at = self._clock()
            self.flush()
        else:
            self._guarded(self._put_due)

    def flush(self) -> None:
        """Writes everything now."""
        self._guarded(self._put_all)

    def close(self) -> None:
        """Writes everything and closes the sink."""
        self.flush()
        self._sink.close()

    # -- when

    def _cadence(self, now: float) -> float:
        return next((pause for age, pause in _CADENCE if now - self._started < age), _CADENCE_LATER)

    def _block_due(self, now: float) -> bool:
        if not self._pending or not _past(now, self._block_at, BLOCK_SECONDS):
            return False
        span = self._step - int(self._pending[0].steps[0]) + 1
        return span > BLOCK_SHARE * self._step or _past(now, self._block_at, BLOCK_LONGEST)

    # -- what

    def _guarded(self, put: Callable[[], None]) -> None:
        """Keeps a signal handler, which may run in the midst of a write, from writing in between."""
        if self._busy:
            self._urgent = True
            return
        self._busy = True
        try:
            put()
        finally:
            self._busy = False

    def _put_due(self) -> None:
        block = self._block_due(self._clock())
        if block or self._headers < _HEADERS:
            self._put_records()
        if block:
            self._put_block()
        if _past(self._clock(), self._now_at, self._cadence(self._clock())):
            self._put_now()
        self._sink.flush()

    def _put_all(self) -> None:
        self._put_records()
        self._put_block()
        self._put_now()
        self._sink.flush()
        self._urgent = False

    # Counters move after the sink took the data: what an interrupt makes us write twice is read once.

    def _put(self, kind: str, number: int, data: bytes) -> None:
        self._sink.emit(schema.to_summary(Tag(self._launch, kind, number), data), self._step, self._clock())

    def _put_map(self, data: bytes) -> None:
        self._put("maps", self._maps, data)
        self._maps += 1

    def _put_records(self) -> None:
        if self._records:
            count = len(self._records)
            self._put("header", self._headers, schema.encode_records(self._records, started=self._started))
            self._headers += 1
            del self._records[:count]

    def _put_block(self) -> None:
        if self._pending:
            self._put_records()  # who reads the rows must know the variables
            block = _joined(self._pending)
            self._put("rows", self._blocks, schema.encode_rows(block, self._rows, started=self._started))
            self._blocks, self._rows = self._blocks + 1, self._rows + len(block)
            self._pending, self._held = [], 0
        self._block_at = self._clock()

    def _put_now(self) -> None:
        time = self._clock()
        state = LaunchStatus(
            time=time,
            due=max(self._cadence(time + 60.0), min(self._gap, 600.0), _CADENCE_FIRST if self._ticks < 4 else 0.0),
            step=self._step,
            rows=self._rows,
            blocks=self._blocks,
            headers=self._headers,
            latest=self._latest if self._now_bytes < _NOW_BYTES else None,
            diagnosis=self._diagnosis,
            started=self._started,
        )
        data = schema.encode_now(state)
        self._put("now", 0, data)
        self._now_at, self._now_bytes = time, self._now_bytes + len(data)


def _past(now: float, since: float, seconds: float) -> bool:
    """Says whether so many seconds have passed; a clock that was set back counts as well."""
    return not 0 <= now - since < seconds


def _whole(verdict: Verdict) -> list[Verdict]:
    return [verdict, *(one for part in verdict.explains for one in _whole(part))]


def _slice(rows: Rows, start: int, stop: int) -> Rows:
    part = Rows(rows.steps[start:stop], rows.times[start:stop])
    for axis, columns in rows.axes():
        getattr(part, axis).update({name: Column(v[start:stop], k[start:stop]) for name, (v, k) in columns.items()})
    return part


def _joined(parts: list[Rows]) -> Rows:
    """Returns one block; a column that a part lacks, or a place that it did not have yet, was not recorded there."""
    if len(parts) == 1:
        return parts[0]
    ends = np.cumsum([0, *map(len, parts)])
    whole = Rows(np.concatenate([p.steps for p in parts]), np.concatenate([p.times for p in parts]))
    for axis, columns in whole.axes():
        for name in dict.fromkeys(name for part in parts for name in getattr(part, axis)):
            have = [place for place in zip(ends.tolist(), parts, strict=False) if name in getattr(place[1], axis)]
            found: list[tuple[int, Column]] = [(at, getattr(part, axis)[name]) for at, part in have]
            shape = (int(ends[-1]), *np.max([c.known.shape[1:] for _, c in found], axis=0).astype(int))
            values, known = np.full(shape, np.nan, found[0][1].values.dtype), np.zeros(shape, bool)
            for at, column in found:
                place = (slice(at, at + len(column.known)), *map(slice, column.known.shape[1:]))
                values[place], known[place] = column
            columns[name] = Column(values, known)
    return whole
