"""What happens to a recording when the process exits or gets SIGTERM."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from .observe.run_ending import exception_at_exit


class ExitHandlers:
    """Closes a recording when the interpreter exits, and ends it at SIGTERM; a forked child does neither.

    A handler of SIGTERM that was there before is called afterwards. SIGTERM is left alone where it cannot be handled:
    outside of the main thread, and where C code has installed a handler that could not be called afterwards.

    Args:
        close: closes the recording; gets the exception that ends the interpreter, or None.
        end: writes what is recorded so far; gets "signal" and the name of the signal.
    """

    def __init__(self, close: Callable[[BaseException | None], None], end: Callable[[str, str], None]) -> None:
        self._close, self._end = close, end
        self._process = os.getpid()
        in_main_thread = threading.current_thread() is threading.main_thread()
        self._previous: Any = signal.getsignal(signal.SIGTERM) if in_main_thread else None  # None: of C code
        self._handles_signal = self._previous is not None
        atexit.register(self._at_exit)
        if self._handles_signal:
            signal.signal(signal.SIGTERM, self._at_signal)

    def remove(self) -> None:
        """Removes both handlers; the handler of SIGTERM stays where another one has been installed over it."""
        atexit.unregister(self._at_exit)
        if self._handles_signal and signal.getsignal(signal.SIGTERM) == self._at_signal:
            with contextlib.suppress(ValueError):  # called from another thread
                signal.signal(signal.SIGTERM, self._previous)

    def _at_exit(self) -> None:
        if self._process == os.getpid():
            self._close(exception_at_exit())

    def _at_signal(self, number: int, frame: Any) -> None:
        if self._process == os.getpid():
            self._end("signal", signal.Signals(number).name)
        if callable(self._previous):
            self._previous(number, frame)
        elif self._previous == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
