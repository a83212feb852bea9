"""Where an event file is created, so that TensorBoard reads all of it whatever else is or was recorded there."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import socket
import time
from collections.abc import Iterator
from typing import Final

from .. import schema

try:
    import fcntl
except ImportError:  # Windows: whether another process writes is not known there
    fcntl = None  # type: ignore[assignment]

_CHECKED = 100  # files of a folder, the last ones, of which is checked whether a training writes to them
_LATEST: Final = 10**10 - 1  # seconds in a file's name, whose 10 digits make the order of names that of time
_TIME = re.compile(r"events\.out\.tfevents\.(\d{10})\.")
_numbers = itertools.count()


class EventFolder:
    """The folder `weightwatch` of a run.

    TensorBoard's Python loader follows only the file whose name sorts last. So a new file gets a name that sorts after
    all others, however the clock was set. And where another training writes at the same time, the new one becomes a
    run of its own below the run's folder: `process-<number>`.

    Args:
        logdir: folder of the run.

    Attributes:
        run_folder: the folder of the run; another one than `logdir` where another training writes there.
    """

    def __init__(self, logdir: str) -> None:
        self._logdir = self.run_folder = logdir

    @property
    def _path(self) -> str:
        return os.path.join(self.run_folder, schema.PLUGIN)

    def new_file(self) -> tuple[str, int]:
        """Creates an event file that sorts last, in a folder to which no other training writes.

        Returns:
            its path and descriptor; it is locked.

        Raises:
            OSError: it cannot be created.
        """
        for folder in self._candidates():
            self.run_folder = folder
            os.makedirs(self._path, exist_ok=True)
            if self.others_write():
                continue
            path, descriptor = self._create()
            lock(descriptor)
            if not self.others_write(path):
                return path, descriptor
            os.remove(path)  # another training has begun at the same moment
            os.close(descriptor)
        raise AssertionError("there is no end of candidates")

    def _candidates(self) -> Iterator[str]:
        yield self.run_folder
        own = os.path.join(self._logdir, f"process-{os.getpid()}")
        yield own
        for number in itertools.count(2):
            yield f"{own}-{number}"

    def _create(self) -> tuple[str, int]:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        while True:
            latest = max((int(m[1]) for name in self._files() if (m := _TIME.match(name))), default=0)
            seconds = min(max(int(time.time()), latest + 1, 0), _LATEST)
            name = f"events.out.tfevents.{seconds:010d}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
            path = os.path.join(self._path, name)
            with contextlib.suppress(FileExistsError):
                return path, os.open(path, flags, 0o666)

    def is_last(self, path: str) -> bool:
        """Checks whether no other event file of the folder sorts after this one."""
        return os.path.basename(path) == self._files()[-1]

    def others_write(self, path: str = "") -> bool:
        """Checks whether a training writes to another event file of the folder than `path`."""
        names = [name for name in self._files()[-_CHECKED:] if name != os.path.basename(path)]
        return any(_is_locked(os.path.join(self._path, name)) for name in reversed(names))

    def _files(self) -> list[str]:
        return sorted(name for name in os.listdir(self._path) if "tfevents" in name)


def lock(descriptor: int) -> None:
    """Marks an open file as one to which a training writes, as long as its file system has locks."""
    for _ in range(20):
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:  # another process is just checking it
            time.sleep(0.005)
        except OSError:
            return


def unlock(descriptor: int) -> None:
    """Takes the mark from an open file."""
    with contextlib.suppress(OSError):
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _is_locked(path: str) -> bool:
    if fcntl is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # the file system has no locks
        return False
    finally:
        os.close(descriptor)
    return False
