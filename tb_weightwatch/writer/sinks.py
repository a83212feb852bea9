"""Where Summary messages go."""

from __future__ import annotations

import contextlib
import os
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from .. import schema
from ..task_thread import TaskThread
from .event_file import EventFile, RecordsLost
from .event_folder import EventFolder

CHECKING = 5.0  # seconds that the check of a folder may take
# One thread for all recordings of a process, so that a disk that hangs holds one thread, however many there are.
DISK: Final = TaskThread()


class Sink(Protocol):
    """Takes Summary messages. All three methods may raise; the writer passes errors on."""

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        """Writes one Summary."""

    def flush(self) -> None:
        """Makes all that was emitted readable for other processes."""

    def close(self) -> None:
        """Flushes, and holds nothing any more until something is emitted again."""


class _LocalSink:
    """Writes to an event file on a local file system.

    Attributes:
        folder: the folder of the run; another one than `logdir` where another training records there.
        notices: what the user should be told; whoever tells it removes it.
    """

    def __init__(self, logdir: str) -> None:
        self._logdir = self.folder = logdir
        # The file is opened later, when the program may work in another directory.
        self._file = EventFile(EventFolder(os.path.abspath(logdir)))
        self._run_folder = self._file.run_folder
        self.notices: list[str] = []

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        try:
            self._file.write(_event(summary, step, wall_time))
        except RecordsLost as loss:
            if loss.is_removed:
                self.notices.append(f"the event file in {self.folder!r} was removed; what was recorded is written anew")
            raise
        if self._file.run_folder != self._run_folder:
            self._run_folder = self.folder = self._file.run_folder
            self.notices.append(f"another training records in {self._logdir!r}; this one records in {self.folder!r}")

    def flush(self) -> None:
        """Does nothing, since nothing is buffered."""

    def close(self) -> None:
        self._file.close()


class _RemoteSink:
    """Writes with TensorBoard's own event file writer, which knows remote file systems and needs no TensorFlow.

    Such a file cannot be continued, so what is emitted after `close` goes to a further one.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._writer: Any = None

    def emit(self, summary: Any, step: int, wall_time: float) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if self._writer is None:
            self._writer = EventFileWriter(self._folder)
        self._writer.add_event(Event(wall_time=wall_time, step=step, summary=summary))

    def flush(self) -> None:
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def directory_sink(logdir: str | os.PathLike[str]) -> Sink:
    """Returns a sink that writes an event file in `<logdir>/weightwatch`; nothing is created before the first one.

    Raises:
        OSError: the directory cannot be written.
    """
    path = os.fspath(logdir)
    # A second live event file in the user's directory would make TensorBoard drop the user's data.
    directory = os.path.join(path, schema.PLUGIN)
    try:
        if "://" not in path:
            _check_in_time(directory)
            return _LocalSink(path)
        from tensorboard.compat import tf

        tf.io.gfile.makedirs(directory)
    except Exception as error:  # each file system has errors of its own
        raise OSError(f"the log directory must be writable, but {directory!r} is not: {error}") from error
    return _RemoteSink(directory)


def _check_in_time(directory: str) -> None:
    """Raises OSError if a directory cannot be written; a disk that does not answer is not waited for any longer."""
    errors: SimpleQueue[Exception | None] = SimpleQueue()

    def check() -> None:
        _check_writable(directory)
        errors.put(None)

    DISK.put(check, errors.put)
    with contextlib.suppress(Empty):
        error = errors.get(timeout=CHECKING)
        if error is not None:
            raise error


def _check_writable(directory: str) -> None:
    """Raises OSError if a directory cannot be written, or cannot be made in the nearest one that exists."""
    existing = os.path.abspath(directory)
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        raise NotADirectoryError(f"{existing!r} is no directory")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(f"{existing!r} is read-only, or belongs to another user")


def _event(summary: Any, step: int, wall_time: float) -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event

    data: bytes = Event(wall_time=wall_time, step=step, summary=summary).SerializeToString()
    return data
