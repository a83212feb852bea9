"""Where recorded Summaries go: an event file in a folder, the caller's own `tf.summary` writer, or nowhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..writer import QueuedSink, Sink, directory_sink
from .arguments import checked_logdir

if TYPE_CHECKING:
    from .arguments.types import LogDir


class NullSink:
    """A sink that keeps nothing."""

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        """Drops one Summary."""

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


def sink_of(destination: LogDir | None) -> QueuedSink:
    """Returns the sink for the folder of a run, for a `tf.summary` writer, or for None (nothing is kept).

    Raises:
        OSError: the folder cannot be written.
        TypeError, ValueError: `destination` is something else.
    """
    return QueuedSink(_unqueued(destination))


def _unqueued(destination: LogDir | None) -> Sink:
    if destination is None:
        return NullSink()
    logdir = checked_logdir(destination)
    if isinstance(logdir, (str, os.PathLike)):
        return directory_sink(logdir)
    from .tf_summary_sink import SummarySink

    return SummarySink(logdir)
