"""Writes through the caller's own `tf.summary` writer, so that no second event file is opened beside it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class SummarySink:
    """A sink on a `tf.summary` writer. The caller owns the writer: it is flushed, but never closed."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        """Writes one Summary (TensorFlow's writer sets the wall time itself)."""
        with tf.init_scope(), self._writer.as_default(), tf.summary.record_if(True):
            tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step=step)

    def flush(self) -> None:
        """Flushes the caller's writer."""
        self._writer.flush()

    def close(self) -> None:
        """Flushes the caller's writer; closing it is left to the caller."""
        self.flush()
