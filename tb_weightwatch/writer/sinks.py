"""Where Summary messages go."""

from __future__ import annotations

import os
from typing import Any, Protocol

from .. import schema


class Sink(Protocol):
    """Takes Summary messages. All three methods may raise; the writer passes errors on."""

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        """Writes one Summary."""

    def flush(self) -> None:
        """Makes all that was emitted readable for other processes."""

    def close(self) -> None:
        """Flushes, and ends."""


class _EventFile:
    """TensorBoard's own event file writer, which needs no TensorFlow."""

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
        OSError: the directory cannot be written.
    """
    return _EventFile(logdir)
