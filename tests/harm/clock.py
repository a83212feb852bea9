"""A clock that can be set in this process: import it before all modules that take `time.time` as it is.

Only Python sees it. TensorFlow's C++ code, which names event files, sees the real time.
"""

from __future__ import annotations

import time


class _Clock:
    """The real time, plus an offset in seconds."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._real_time = time.time

    def __call__(self) -> float:
        return self._real_time() + self.offset


_clock = _Clock()
time.time = _clock


def set_by(seconds: float) -> None:
    """Sets the clock forward by so many seconds (back, if negative), counted from the real time."""
    _clock.offset = seconds
