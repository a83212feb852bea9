"""A queue in front of a sink: its caller never waits for the disk, and is told when the disk cannot keep up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..task_thread import FirstError, TaskThread
from .event_file import RecordsLost
from .sinks import DISK, Sink

MOST_WAITING = 8  # Summaries; while more of them wait, rows are gathered to larger blocks
# A folder that was removed is made again after so many seconds, unless training ends before: TensorBoard's Python
# loader reads on only if it has seen that the folder was gone, for which it looks every 5 seconds.
ABSENCE = 12.0
MOST_BYTES = 1 << 25  # of Summaries that wait; while there are more, nothing is taken
OFFERED_SHARE = 2  # Summaries that may be left out are taken only while half as much waits


class QueuedSink:
    """Hands Summaries to another sink in the thread that writes.

    An error of the other sink is raised by the next call. A child of fork() writes nothing: the recording is its
    parent's.

    Args:
        sink: takes the Summaries, in one thread.
        thread: in which it is called.

    Attributes:
        lost: what was written is gone; `restart`, then emit all of it again.
    """

    def __init__(self, sink: Sink, thread: TaskThread = DISK) -> None:
        self._sink, self._thread = sink, thread
        self._process = os.getpid()
        self._error = FirstError()
        self.lost = False
        self._lost_at = 0.0  # of the monotonic clock
        self._restarts = 0  # what was queued before the last one is not written
        # Each of these is changed by one side only: what was queued, and what is done with.
        self._queued = self._queued_bytes = self._taken = self._taken_bytes = 0

    @property
    def folder(self) -> str | None:
        """The folder of the run, once it is known; None if there is none."""
        return getattr(self._sink, "folder", None)

    @property
    def notices(self) -> list[str]:
        """What the user should be told; whoever tells it removes it."""
        return getattr(self._sink, "notices", [])

    @property
    def keeps_up(self) -> bool:
        """Whether little is waiting, and nothing was lost just now."""
        if self.lost and time.monotonic() - self._lost_at < ABSENCE:
            return False
        return self._queued - self._taken <= MOST_WAITING and self.has_room

    @property
    def has_room(self) -> bool:
        """Whether more may be emitted, if it has to be; the sink of a child of fork() takes all, and drops it."""
        return self._queued_bytes - self._taken_bytes <= MOST_BYTES

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        """Queues one Summary."""
        size = int(summary.ByteSize())
        self._queue(partial(self._sink.emit, summary, step, wall_time), size)

    def offer(self, summaries: Sequence[tuple[Any, int, float]]) -> bool:
        """Queues Summaries, with their steps and wall times, that may be left out; they count as one.

        Returns:
            False if they are left out, because the disk is slow.
        """
        waiting, waiting_bytes = self._queued - self._taken, self._queued_bytes - self._taken_bytes
        is_slow = waiting > MOST_WAITING // OFFERED_SHARE or waiting_bytes > MOST_BYTES // OFFERED_SHARE
        if is_slow or not self.keeps_up:
            return False
        if summaries:
            self._queue(partial(self._emit_each, summaries), sum(int(one.ByteSize()) for one, _, _ in summaries))
        return True

    def flush(self) -> None:
        """Lets the sink flush after what is queued."""
        self._queue(self._sink.flush)

    def close(self) -> None:
        """Lets the sink close after what is queued; it opens again when something is emitted."""
        self._queue(self._sink.close)

    def wait(self, seconds: float) -> bool:
        """Returns whether all that was queued is written, after at most so many seconds."""
        if self._process != os.getpid():
            return True
        done = self._thread.wait(seconds)
        self._error.raise_it()
        return done

    def restart(self) -> None:
        """Begins anew after a loss."""
        self._restarts += 1
        self.lost = False

    def _queue(self, call: Callable[[], None], size: int = 0) -> None:
        if self._process != os.getpid():
            return
        self._error.raise_it()
        self._queued += 1
        self._queued_bytes += size
        self._thread.put(partial(self._run, call, size, self._restarts), self._error.keep)

    def _emit_each(self, summaries: Sequence[tuple[Any, int, float]]) -> None:
        for summary, step, wall_time in summaries:
            self._sink.emit(summary, step, wall_time)

    def _run(self, call: Callable[[], None], size: int, restarts: int) -> None:
        try:
            if restarts == self._restarts and not self.lost:
                call()
        except RecordsLost as loss:
            self.lost, self._lost_at = True, time.monotonic() if loss.is_removed else -ABSENCE
        finally:
            self._taken += 1
            self._taken_bytes += size
