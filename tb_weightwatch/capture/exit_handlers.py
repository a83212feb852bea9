"""What happens to the recordings of a process when it exits or gets SIGTERM.

A recording is watched over while something of it may have to be written. There is one handler for all of them, so that
neither handlers nor recordings that have ended pile up.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
import time
from typing import Any, Protocol

from .observe.run_ending import exception_at_exit

LONGEST_WAIT = 5.0  # seconds that exit, and a signal, wait for the disk, for all recordings together


class Endable(Protocol):
    """A recording."""

    def end_at_exit(self, error: BaseException | None, deadline: float) -> None:
        """Ends the recording because the interpreter exits, with an exception or None; waits until the deadline."""

    def end_at_signal(self, name: str, deadline: float) -> None:
        """Writes what is recorded so far because of a signal; waits until the deadline (of `time.monotonic`)."""

    def look_for_end(self, folder: str | None) -> None:
        """Ends the recording if its training has ended unnoticed; another recording begins in `folder`."""


class _SignalHandler:
    """Our handler of SIGTERM, which calls the one that it replaced afterwards."""

    def __init__(self, previous: Any) -> None:
        self._previous = previous

    def __call__(self, number: int, frame: Any) -> None:
        deadline = time.monotonic() + LONGEST_WAIT
        for recording in watched():
            recording.end_at_signal(signal.Signals(number).name, deadline)
        if callable(self._previous):
            self._previous(number, frame)
        elif self._previous == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def remove(self) -> None:
        """Puts the previous handler back, unless another one has been installed over this one."""
        present: Any = signal.getsignal(signal.SIGTERM)
        if present is self:
            signal.signal(signal.SIGTERM, self._previous)


_watched: dict[int, tuple[int, Endable]] = {}  # id -> process that records, recording
_handlers: list[_SignalHandler] = []  # ours, if it is installed


def watch_over(recording: Endable) -> None:
    """Ends a recording when the interpreter exits, and writes it at SIGTERM; a forked child does neither.

    A handler of SIGTERM that was there before is called afterwards. SIGTERM is left alone where it cannot be handled:
    outside of the main thread, and where C code has installed a handler that could not be called afterwards.
    """
    if not _watched:
        atexit.unregister(_at_exit)
        atexit.register(_at_exit)  # again, so that it runs before what was registered earlier, such as TensorFlow's
    _watched[id(recording)] = os.getpid(), recording
    if threading.current_thread() is threading.main_thread():
        present = signal.getsignal(signal.SIGTERM)
        if present is not None and not isinstance(present, _SignalHandler):
            _handlers[:] = [_SignalHandler(present)]
            signal.signal(signal.SIGTERM, _handlers[0])


def let_go(recording: Endable) -> None:
    """Forgets a recording; with the last one our handler of SIGTERM is removed."""
    _watched.pop(id(recording), None)
    if not _watched and threading.current_thread() is threading.main_thread():
        for handler in _handlers:
            handler.remove()
        _handlers.clear()


def watched() -> list[Endable]:
    """Returns the recordings of this process that are watched over."""
    return [recording for process, recording in list(_watched.values()) if process == os.getpid()]


def _at_exit() -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    for recording in watched():
        with contextlib.suppress(Exception):  # each of them tells its own faults
            recording.end_at_exit(exception_at_exit(), deadline)
