"""Writes one launch: dated records, blocks of rows, arrays, and its status."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from ..history import History, Record, Rows
from ..maps import TENSORS, Map
from ..verdict import Diagnosis
from .launch_data import LaunchData
from .pending_rows import PendingRows, in_parts
from .queued_sink import QueuedSink
from .sinks import Sink
from .status_data import StatusData
from .write_times import WriteTimes

_HEADERS = 100  # after this many, dated records wait for a block


class EventWriter:
    """Writes one launch.

    Errors of the sink are raised as they come; the caller decides what they mean for training. A `QueuedSink` that
    cannot keep up gets larger blocks more rarely; what does not fit into one is dropped and counted.

    Args:
        sink: takes the Summary messages.
        launch: identifier of the launch; no "/", at most 100 characters.
        started: when the launch started, unix seconds.
        clock: returns unix seconds.
        step: attempted steps before this launch.
        history: gets what the writer gets, before it, so that all can be written again where it was lost.

    Raises:
        ValueError: the identifier cannot be part of a tag.

    Attributes:
        dropped_rows, dropped_maps: how many rows and arrays were not written.
    """

    def __init__(  # noqa: PLR0913
        self,
        sink: Sink,
        launch: str,
        started: float,
        clock: Callable[[], float] = time.time,
        *,
        step: int = 0,
        history: History | None = None,
    ) -> None:
        if not 0 < len(launch) <= 100 or "/" in launch:
            raise ValueError(f"a launch must be 1 to 100 characters without '/', got {launch!r}")
        self._sink, self._queue = sink, sink if isinstance(sink, QueuedSink) else None
        self._history = History() if history is None else history
        self._data = LaunchData(sink, launch, started, clock, step)
        self._status = StatusData(self._data, started)
        self._times = WriteTimes(started, clock)
        self._records: list[Record] = []
        self._pending = PendingRows()
        self._is_urgent = self._is_writing = False
        self._first_pending = 0  # index of the first row that is neither written nor dropped
        self.dropped_rows = self.dropped_maps = 0

    def add(self, record: Record) -> None:
        """Adds a dated record; it is written with the next status."""
        self._records.append(record)

    def append(self, rows: Rows) -> None:
        """Adds recorded rows, as `schema.as_stored` returns them."""
        if not len(rows):
            return
        for part in in_parts(rows):
            if not self._pending.fits(part) and self._keeps_up:
                self._write(self._put_block)
            elif not self._pending.fits(part):
                self.dropped_rows += len(self._pending)
                self._first_pending += len(self._pending)
                self._pending.clear()
            self._pending.add(part)
        self._status.recorded(rows)
        self.tick(int(rows.steps[-1]))

    def maps(self, maps: Iterable[Map]) -> None:
        """Writes the arrays of one step at once, since they are large."""
        maps = list(maps)
        if self._keeps_up:
            self._write(lambda: self._data.put_maps(maps))
        else:  # after a loss, what the History keeps is written with all else
            is_lost = self._queue is not None and self._queue.lost
            self.dropped_maps += sum(one.kind in TENSORS or not is_lost for one in maps)

    def judged(self, diagnosis: Diagnosis) -> None:
        """Takes the latest diagnosis. A new verdict or symptom is written at once, but at most once a second."""
        self._is_urgent |= self._status.judged(diagnosis)
        self.tick()

    def ready(self, step: int = 0) -> bool:
        """Checks whether `tick` has something to write. It is cheap, and should be called at each step."""
        now = self._times.visit()
        self._data.step = max(self._data.step, step)
        due = self._is_block_due(now) or self._times.is_status_due(now)
        return due or (self._is_urgent and self._times.is_urgent_due(now))

    def tick(self, step: int = 0) -> None:
        """Writes what is due."""
        if not self.ready(step) or not self._keeps_up:
            return
        if self._is_urgent and self._times.is_urgent_due(self._times.clock()):
            self._times.urgent_written()
            self.flush()
        else:
            self._write(self._put_due)

    def flush(self) -> None:
        """Hands everything to the sink now."""
        if self._queue is None or self._queue.has_room:
            self._write(self._put_all)

    def finish(self, seconds: float, *, close: bool = True) -> bool:
        """Writes everything and closes the sink, which opens again when there is more.

        Returns:
            whether all is written; if not, the disk has not taken it in so many seconds.
        """
        deadline, is_written = time.monotonic() + seconds, True
        for _ in range(2):  # a second time if what was written is found to be lost
            self.close() if close else self.flush()
            is_written = self._queue is None or self._queue.wait(deadline - time.monotonic())
            if self._queue is None or not self._queue.lost:
                break
        return is_written and not self._pending

    def close(self) -> None:
        """Writes everything and closes the sink."""
        self.flush()
        self._sink.close()

    @property
    def has_unwritten(self) -> bool:
        """Whether there are records or rows that the sink has not got yet."""
        return bool(self._records or self._pending)

    @property
    def _keeps_up(self) -> bool:
        return self._queue is None or self._queue.keeps_up

    def _is_block_due(self, now: float) -> bool:
        return bool(self._pending) and self._times.is_block_due(now, self._pending.first_step, self._data.step)

    def _write(self, put: Callable[[], None]) -> None:
        """Calls `put`, unless it interrupts another one: a signal handler may run in the middle of a write."""
        if self._is_writing:
            self._is_urgent = True
            return
        self._is_writing = True
        try:
            if self._queue is not None and self._queue.lost:
                self._queue.restart()
                self._data.put_again(self._history)
            put()
        finally:
            self._is_writing = False

    def _put_due(self) -> None:
        is_block_due = self._is_block_due(self._times.clock())
        if is_block_due or self._data.numbers["header"] < _HEADERS:
            self._put_records()
        if is_block_due:
            self._put_block()
        if self._times.is_status_due(self._times.clock()):
            self._put_status()
        self._sink.flush()

    def _put_all(self) -> None:
        self._put_records()
        self._put_block()
        self._put_status()
        self._sink.flush()
        self._is_urgent = False

    def _put_records(self) -> None:
        if self._records:
            records = self._records[:]
            self._data.put_records(records)
            del self._records[: len(records)]

    def _put_block(self) -> None:
        if self._pending:
            self._put_records()  # a reader of the rows must know their variables
            rows = self._pending.joined()
            self._data.put_rows(rows, self._first_pending)
            self._first_pending += len(rows)
            self._pending.clear()
        self._times.block_written()

    def _put_status(self) -> None:
        now = self._times.clock()
        self._status.put(now, self._times.next_status_within(now))
        self._times.status_written(now)
