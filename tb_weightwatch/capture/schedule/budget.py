"""What recording costs, measured against the share of training time that it may cost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from statistics import median

from ...task_thread import HANGS_AFTER


class Budget:
    """Measures what recording costs, and decides whether it may cost more.

    Recorded steps are compared with plain steps, on which nothing was recorded. The difference is the cost of a
    recorded step, so the cost is known only after a few plain steps.

    Args:
        share: share of training time that recording may cost (0 to 1); None: no limit.
        clock: returns seconds.

    Raises:
        TypeError: `share` is no number.
        ValueError: `share` is not between 0 and 1.

    Attributes:
        compares_steps: steps are recorded, so that the cost is known only after a few plain ones.
        rows_fill_memory: rows take so much memory that only those are affordable which are recorded in any case.
        saved: seconds that the training was spared (the first step was traced once, not twice). They are part of the
            stated slowdown, but pay for no further recording.
    """

    MINUTE = 60.0  # a shorter run is charged as if it took a minute, otherwise it would hardly be recorded
    MIN_PLAIN_STEPS = 3  # as many plain steps must be timed before the duration of a plain step is known
    MIN_SECONDS = 0.6  # rows may take this long within the first minute, however long tracing took
    TARGET_FRACTION = 0.8  # of the share: cold caches and Keras' own calls of callbacks cannot be measured from here
    OUTLIER_FACTOR = 10  # a step counts as this many median durations at most, whatever else the machine was doing
    SETTLE_AFTER = 8  # recorded steps (one burst), after which their cost is settled even if no plain step came between
    # The first plain steps can be slow for reasons of their own. If no others came, recording would seem to cost
    # nothing for good. So some come between bursts until enough are known.
    PLAIN_BETWEEN, ENOUGH_PLAIN = 4, 32  # steps

    def __init__(self, share: float | None, clock: Callable[[], float] = time.perf_counter) -> None:
        if share is not None:
            _check_share(share)
        self.share, self._clock = share, clock
        self._started = clock()
        self._paused_at: float | None = None
        self.compares_steps = self.rows_fill_memory = False
        self._plain_since_burst = 0  # steps
        self._spent_once, self._steps_in_it = 0.0, 0.0  # seconds; how many steps of training they contain
        self._row_cost = self.saved = 0.0  # seconds
        self._plain_durations: deque[float] = deque(maxlen=101)
        self._recorded_durations: deque[float] = deque(maxlen=1000)  # not yet settled against plain ones

    @property
    def elapsed(self) -> float:
        """Seconds of training so far, without pauses."""
        now = self._clock() if self._paused_at is None else self._paused_at
        return max(now - self._started, 1e-9)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stops the clock inside the block; one that stood before stands afterwards."""
        stood = self._paused_at is not None
        self.pause()
        try:
            yield
        finally:
            if not stood:
                self.begin()

    def pause(self) -> None:
        """Stops the clock: time from now on is not training time."""
        self._paused_at = self._clock() if self._paused_at is None else self._paused_at

    def begin(self) -> None:
        """Starts the clock, or continues after a pause."""
        if self._paused_at is not None:
            self._started += self._clock() - self._paused_at
        self._paused_at = None

    def add_one_off(self, seconds: float, *, steps: float = 0.0) -> None:
        """Charges time that is spent once, such as tracing; `steps`: so many plain steps are part of it."""
        self._spent_once += seconds
        self._steps_in_it += steps

    @contextmanager
    def spent_once(self) -> Iterator[None]:
        """Charges the time of the block as spent once, and as time of the training even if the clock stands."""
        stood = self._paused_at is not None
        self.begin()
        began = self._clock()
        try:
            yield
        finally:
            self.add_one_off(self._clock() - began)
            if stood:
                self.pause()

    @property
    def one_off(self) -> float:
        """Seconds spent on what is done once: the start, tracing, the end."""
        plain = self._plain_durations
        steps = self._steps_in_it * self._mean(plain) if plain and self._steps_in_it else 0.0
        return max(0.0, self._spent_once - steps)

    def add_row_cost(self, seconds: float) -> None:
        """Charges time that rows took outside of the steps."""
        self._row_cost += seconds

    def add_step(self, seconds: float, *, recorded: bool) -> None:
        """Adds the duration of a step; `recorded`: it was recorded, or background work ran beside it."""
        (self._recorded_durations if recorded else self._plain_durations).append(seconds)
        self._plain_since_burst = 0 if recorded else self._plain_since_burst + 1
        burst_is_over = not recorded or len(self._recorded_durations) >= self.SETTLE_AFTER
        if burst_is_over and self._recorded_durations and self._baseline_known:
            self._row_cost += self._excess()
            self._recorded_durations.clear()

    @property
    def _baseline_known(self) -> bool:
        """Whether the recorded steps, if there are any, can be compared with plain ones."""
        return not self._recorded_durations or len(self._plain_durations) >= self.MIN_PLAIN_STEPS

    def _excess(self) -> float:
        """Returns by how many seconds the recorded steps exceeded as many plain ones."""
        # Means are compared, since both kinds have outliers; sums of what exceeds a median would always be positive.
        recorded = self._recorded_durations
        return len(recorded) * (self._mean(recorded) - self._mean(self._plain_durations)) if recorded else 0.0

    def _mean(self, durations: Collection[float]) -> float:
        """Returns the mean duration, with outliers cut to `OUTLIER_FACTOR` medians."""
        limit = self.OUTLIER_FACTOR * median(durations)
        return sum(min(duration, limit) for duration in durations) / len(durations)

    @property
    def cost(self) -> float | None:
        """The measured share of training time; None as long as there are too few plain steps to compare with."""
        # A step may have been recorded without being timed: the first one is traced in place of the user's own.
        if not self._baseline_known or (self.compares_steps and len(self._plain_durations) < self.MIN_PLAIN_STEPS):
            return None
        return max(0.0, self.one_off + self._row_cost + self._excess()) / self.elapsed

    def affords_once(self, seconds: float) -> bool:
        """Checks whether this many seconds may be spent on something besides the rows."""
        if self.share is None:
            return True
        return self.one_off + self._row_cost + seconds <= self.share * max(self.elapsed, self.MINUTE)

    def patience(self, waited: float) -> float:
        """Returns how many seconds training may wait for its measurement, if it has waited so many already."""
        if self.share is None:
            return HANGS_AFTER
        return min(HANGS_AFTER, max(0.0, self.share * max(self.elapsed, self.MINUTE) - waited))

    def affords_burst(self) -> bool:
        """Checks whether another burst may be recorded."""
        if self.rows_fill_memory:
            return False
        if self.share is None:
            return True
        if not self._baseline_known:
            # Recording took less than these steps as a whole. If that is too much, some steps are left out, to learn
            # how long a plain one takes.
            recorded = self._recorded_durations
            return self._row_cost + len(recorded) * self._mean(recorded) <= self.MIN_SECONDS
        if 0 < len(self._plain_durations) < self.ENOUGH_PLAIN and self._plain_since_burst < self.PLAIN_BETWEEN:
            return False
        allowed = self.TARGET_FRACTION * self.share * self.elapsed - self.one_off
        return self._row_cost <= (max(allowed, self.MIN_SECONDS) if self.elapsed < self.MINUTE else allowed)


def _check_share(share: float) -> None:
    expected = "overhead must be a share of training time between 0 and 1 (0.02 is 2 %), or None for no limit"
    if isinstance(share, bool) or not hasattr(share, "__float__"):
        raise TypeError(f"{expected}; got {share!r}")
    if not 0 < share <= 1:
        raise ValueError(f"{expected}; got {share!r}")
