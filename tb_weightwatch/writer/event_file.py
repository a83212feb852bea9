"""An event file on a local file system: it is open only while a training writes, and it notices when it is removed."""

from __future__ import annotations

import contextlib
import os
import time
import weakref
from collections import OrderedDict
from typing import Any

from .event_folder import EventFolder, lock, unlock

MOST_OPEN = 32  # files of a process; to open a further one closes the one that was written least recently


class RecordsLost(OSError):
    """What was written is gone, or cannot be continued where it is: all of it must be written again.

    Attributes:
        is_removed: it is gone.
    """

    def __init__(self, reason: str, *, is_removed: bool = True) -> None:
        super().__init__(reason)
        self.is_removed = is_removed


class EventFile:
    """The event file of one launch.

    Nothing is created before the first record, and the file is closed at any time: the next record opens it again, or
    continues in a further file if another launch has begun one since, because TensorBoard reads on in the last file
    only. While it is open it is locked, so that other recordings know that a training writes to this folder. They
    write to a folder of their own.

    Methods are called by one thread.

    Args:
        folder: where the event files of this run are.
    """

    def __init__(self, folder: EventFolder) -> None:
        self._folder = folder
        self._path = ""
        self._descriptor = -1
        self._size = 0  # bytes of the file
        self._closer: Any = None

    @property
    def run_folder(self) -> str:
        """The folder of the run."""
        return self._folder.run_folder

    def write(self, record: bytes) -> None:
        """Appends one record with its length and checksums, as a whole or not at all.

        Raises:
            RecordsLost: the file was removed, or cannot be continued; the next record begins another one.
            OSError: it cannot be written.
        """
        self._prepare()
        framed, written = _framed(record), 0
        try:
            while written < len(framed):
                written += os.write(self._descriptor, framed[written:])
        except OSError:
            with contextlib.suppress(OSError):  # a reader stops at a record that is not complete
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(framed)

    def close(self) -> None:
        """Closes the file and gives up its lock; a further record opens it again."""
        _open_files.pop(id(self), None)
        if self._descriptor >= 0:
            self._closer()
        self._descriptor = -1

    def _prepare(self) -> None:
        """Makes sure that the file is open and is what was written so far."""
        if not self._path:
            self._create()
        elif not self._is_whole():
            self._lose(is_removed=True)
        elif self._descriptor >= 0:
            _open_files.move_to_end(id(self))
        elif self._folder.others_write(self._path):
            self._lose(is_removed=False)
        elif self._folder.is_last(self._path):
            self._keep_open(os.open(self._path, os.O_WRONLY | os.O_APPEND))
        else:
            folder = self.run_folder
            self._create()
            if self.run_folder != folder:  # another training has begun at this very moment
                self._lose(is_removed=False)

    def _is_whole(self) -> bool:
        """Checks whether the file still holds what was written.

        Raises:
            OSError: it cannot be looked at, for example because the folder's permissions were withdrawn.
        """
        try:
            return os.path.getsize(self._path) >= self._size
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _lose(self, *, is_removed: bool) -> None:
        self.close()
        self._path = ""
        reason = "the event file was removed" if is_removed else "another training writes to the folder by now"
        raise RecordsLost(reason, is_removed=is_removed)

    def _create(self) -> None:
        self._path, descriptor = self._folder.new_file()
        self._keep_open(descriptor)
        self.write(_first_record())

    def _keep_open(self, descriptor: int) -> None:
        self._descriptor = descriptor
        lock(descriptor)
        self._closer = weakref.finalize(self, _close, descriptor, os.getpid())
        self._closer.atexit = False
        self._size = os.fstat(descriptor).st_size
        _open_files[id(self)] = weakref.ref(self)
        while len(_open_files) > MOST_OPEN:
            _, oldest = _open_files.popitem(last=False)
            file = oldest()
            if file is not None:
                file.close()


_open_files: OrderedDict[int, weakref.ref[EventFile]] = OrderedDict()  # least recently written first


def _close(descriptor: int, process: int) -> None:
    if process == os.getpid():  # a child has the same lock: to unlock it there would unlock it here
        unlock(descriptor)
    with contextlib.suppress(OSError):
        os.close(descriptor)


def _close_in_child() -> None:
    """Closes what a child of fork() has inherited, so that its parent's locks end with the parent."""
    for reference in list(_open_files.values()):
        file = reference()
        if file is not None:
            file.close()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_close_in_child)


def _framed(record: bytes) -> bytes:
    from tensorboard.summary.writer.record_writer import RecordWriter

    frame = _Frame()
    RecordWriter(frame).write(record)
    return frame.data


class _Frame:
    """Takes what TensorBoard's RecordWriter writes of one record."""

    data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def _first_record() -> bytes:
    from tensorboard.compat.proto import event_pb2

    source = event_pb2.SourceMetadata(writer="tensorboard.summary.writer.event_file_writer")
    event = event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2", source_metadata=source)
    data: bytes = event.SerializeToString()
    return data
