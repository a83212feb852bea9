"""Where recorded Summaries go: an event file in a folder, the caller's own `tf.summary` writer, or nowhere."""

from __future__ import annotations

import os
from typing import Any

from ..writer import Sink, directory_sink


class NullSink:
    """A sink that keeps nothing."""

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        """Drops one Summary."""

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


def sink_of(destination: Any) -> Sink:
    """Returns the sink for the folder of a run, for a `tf.summary` writer, or for None (nothing is kept).

    Raises:
        OSError: the folder cannot be written.
        TypeError: `destination` is something else.
    """
    if destination is None:
        return NullSink()
    if isinstance(destination, (str, os.PathLike)):
        return directory_sink(destination)
    if hasattr(destination, "as_default") and hasattr(destination, "flush"):
        from .tf_summary_sink import SummarySink

        return SummarySink(destination)
    raise TypeError(
        "expected the folder of a run (str or path) or a tf.summary writer (tf.summary.create_file_writer(...)), "
        f"got {type(destination).__name__}"
    )
