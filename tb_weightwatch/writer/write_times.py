"""When data of a launch are due: blocks rarely, so that a run has a few hundred of them, its status often."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# A block is written when this many seconds have passed and it spans this share of the run, or after the longest time.
# So a killed training loses its last 2 s or 2 % at most, even if a busy machine writes a block half a second late.
BLOCK_SECONDS, BLOCK_SHARE, BLOCK_LONGEST = 1.25, 0.02, 900.0
_STATUS_INTERVALS = ((600.0, 2.0), (7200.0, 10.0))  # (age of the launch, longest time between statuses), seconds
_LATER_INTERVAL = 60.0
_FIRST_STEP = 60.0  # seconds that compiling the first step may take
_URGENT_INTERVAL = 1.0
_LONGEST_GAP = 600.0


class WriteTimes:
    """Remembers when data were written, and says when they are due.

    Args:
        started: when the launch started, unix seconds.
        clock: returns unix seconds.
    """

    def __init__(self, started: float, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._started = started
        self._last_block, self._last_status, self._last_urgent = clock(), -np.inf, -np.inf
        self._last_visit, self._visits, self._longest_gap = clock(), 0, 0.0

    def visit(self) -> float:
        """Notes that the training loop came by, and returns the time."""
        now = self.clock()
        # The first gaps include start-up and compilation, which do not come again.
        self._longest_gap = max(self._longest_gap, now - self._last_visit) if self._visits > 2 else 0.0
        self._last_visit, self._visits = now, self._visits + 1
        return now

    def is_block_due(self, now: float, first_step: int, step: int) -> bool:
        """Checks whether a block is due whose first row is `first_step`, at `step`."""
        if not _has_passed(now, self._last_block, BLOCK_SECONDS):
            return False
        return step - first_step + 1 > BLOCK_SHARE * step or _has_passed(now, self._last_block, BLOCK_LONGEST)

    def is_status_due(self, now: float) -> bool:
        """Checks whether the status is due."""
        return _has_passed(now, self._last_status, self._status_interval(now))

    def is_urgent_due(self, now: float) -> bool:
        """Checks whether something urgent may be written again."""
        return _has_passed(now, self._last_urgent, _URGENT_INTERVAL)

    def block_written(self) -> None:
        """Notes that a block was written."""
        self._last_block = self.clock()

    def status_written(self, now: float) -> None:
        """Notes that the status was written."""
        self._last_status = now

    def urgent_written(self) -> None:
        """Notes that something urgent is written."""
        self._last_urgent = self.clock()

    def next_status_within(self, now: float) -> float:
        """Returns after how many seconds the next status should have been written, if the training is alive."""
        first_step = _FIRST_STEP if self._visits < 4 else 0.0
        return max(self._status_interval(now + 60.0), min(self._longest_gap, _LONGEST_GAP), first_step)

    def _status_interval(self, now: float) -> float:
        age = now - self._started
        return next((interval for limit, interval in _STATUS_INTERVALS if age < limit), _LATER_INTERVAL)


def _has_passed(now: float, since: float, seconds: float) -> bool:
    """Checks whether so many seconds have passed; a clock that was set back counts as passed."""
    return not 0 <= now - since < seconds
