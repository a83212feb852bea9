"""Writes one launch: dated records, blocks of rows, arrays, and its status."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial

from .. import schema
from ..history import Record, Rows
from ..maps import Map
from ..schema import LaunchStatus, Tag
from ..verdict import Diagnosis, Verdict
from .pending_rows import PendingRows, in_parts, last_row
from .sinks import Sink
from .write_times import WriteTimes

_STATUS_BYTES = 1_500_000  # after this many bytes of statuses, they no longer include the latest row
_HEADERS = 100  # after this many, dated records wait for a block


class EventWriter:
    """Writes one launch.

    Errors of the sink are raised as they come; the caller decides what they mean for training.

    Args:
        sink: takes the Summary messages.
        launch: identifier of the launch; no "/", at most 100 characters.
        started: when the launch started, unix seconds.
        clock: returns unix seconds.
        step: attempted steps before this launch.

    Raises:
        ValueError: the identifier cannot be part of a tag.
    """

    def __init__(
        self, sink: Sink, launch: str, started: float, clock: Callable[[], float] = time.time, *, step: int = 0
    ) -> None:
        if schema.parse_tag(str(Tag(launch, "now"))) is None:
            raise ValueError(f"a launch must be 1 to 100 characters without '/', got {launch!r}")
        self._sink, self._launch, self._started, self._step = sink, launch, started, step
        self._times = WriteTimes(started, clock)
        self._records: list[Record] = []
        self._pending = PendingRows()
        self._latest: Rows | None = None
        self._diagnosis: Diagnosis | None = None
        self._findings: set[str] = set()  # names of the open verdicts and of the symptoms
        self._is_urgent = self._is_writing = False
        # Written so far. They are increased after the sink took the data: data that an interrupt makes us write twice
        # are read once.
        self._written = {"header": 0, "rows": 0, "maps": 0}
        self._rows_written = self._status_bytes = 0

    def add(self, record: Record) -> None:
        """Adds a dated record; it is written with the next status."""
        self._records.append(record)

    def append(self, rows: Rows) -> None:
        """Adds recorded rows, as `schema.as_stored` returns them."""
        if not len(rows):
            return
        for part in in_parts(rows):
            if not self._pending.fits(part):
                self._write(self._put_block)
            self._pending.add(part)
        self._latest = last_row(rows)
        self.tick(int(rows.steps[-1]))

    def maps(self, maps: Iterable[Map]) -> None:
        """Writes the arrays of one step at once, since they are large."""
        for data in schema.encode_maps(maps, started=self._started):
            self._write(partial(self._put_numbered, "maps", data))

    def judged(self, diagnosis: Diagnosis) -> None:
        """Takes the latest diagnosis. A new verdict or symptom is written at once, but at most once a second."""
        names = {v.name for verdict in diagnosis.verdicts for v in _with_consequences(verdict)}
        names |= {symptom.name for symptom in diagnosis.symptoms}
        self._is_urgent |= bool(names - self._findings)
        self._findings, self._diagnosis = names, diagnosis
        self.tick()

    def ready(self, step: int = 0) -> bool:
        """Checks whether `tick` has something to write. It is cheap, and should be called at each step."""
        now = self._times.visit()
        self._step = max(self._step, step)
        due = self._is_block_due(now) or self._times.is_status_due(now)
        return due or (self._is_urgent and self._times.is_urgent_due(now))

    def tick(self, step: int = 0) -> None:
        """Writes what is due."""
        if not self.ready(step):
            return
        if self._is_urgent and self._times.is_urgent_due(self._times.clock()):
            self._times.urgent_written()
            self.flush()
        else:
            self._write(self._put_due)

    def flush(self) -> None:
        """Writes everything now."""
        self._write(self._put_all)

    def close(self) -> None:
        """Writes everything and closes the sink."""
        self.flush()
        self._sink.close()

    def _is_block_due(self, now: float) -> bool:
        return bool(self._pending) and self._times.is_block_due(now, self._pending.first_step, self._step)

    # -- writing

    def _write(self, put: Callable[[], None]) -> None:
        """Calls `put`, unless it interrupts another one: a signal handler may run in the middle of a write."""
        if self._is_writing:
            self._is_urgent = True
            return
        self._is_writing = True
        try:
            put()
        finally:
            self._is_writing = False

    def _put_due(self) -> None:
        is_block_due = self._is_block_due(self._times.clock())
        if is_block_due or self._written["header"] < _HEADERS:
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
            count = len(self._records)
            self._put_numbered("header", schema.encode_records(self._records, started=self._started))
            del self._records[:count]

    def _put_block(self) -> None:
        if self._pending:
            self._put_records()  # a reader of the rows must know their variables
            rows = self._pending.joined()
            self._put_numbered("rows", schema.encode_rows(rows, self._rows_written, started=self._started))
            self._rows_written += len(rows)
            self._pending.clear()
        self._times.block_written()

    def _put_status(self) -> None:
        now = self._times.clock()
        status = LaunchStatus(
            time=now,
            due=self._times.next_status_within(now),
            step=self._step,
            rows=self._rows_written,
            blocks=self._written["rows"],
            headers=self._written["header"],
            latest=self._latest if self._status_bytes < _STATUS_BYTES else None,
            diagnosis=self._diagnosis,
            started=self._started,
        )
        data = schema.encode_now(status)
        self._emit(Tag(self._launch, "now"), data)
        self._times.status_written(now)
        self._status_bytes += len(data)

    def _put_numbered(self, kind: str, data: bytes) -> None:
        self._emit(Tag(self._launch, kind, self._written[kind]), data)
        self._written[kind] += 1

    def _emit(self, tag: Tag, data: bytes) -> None:
        self._sink.emit(schema.to_summary(tag, data), self._step, self._times.clock())


def _with_consequences(verdict: Verdict) -> list[Verdict]:
    """Returns a verdict with all verdicts that it explains."""
    return [verdict, *(one for consequence in verdict.explains for one in _with_consequences(consequence))]
