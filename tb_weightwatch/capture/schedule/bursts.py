"""Which steps are recorded: short bursts at irregular starts, fewer as the run goes on, within a share of its time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection
from statistics import median

DENSE_UNTIL = 64  # every step up to here, within the budget
ALWAYS_UNTIL = 16  # and up to here in any case
PER_OCTAVE = 700  # rows while the step count doubles: about 3,300 rows at 10,000 steps, 10,300 at 10 million
OUTLIER_FACTOR = 10  # usual durations: as long a step counts at most, whatever else the machine did
BURST_RESTART = 4  # in the first steps a burst may begin here too
BURST = 8  # consecutive steps; a lone row aliases with gradient accumulation, epochs and alternating training


def burst_offset(step: int) -> int:
    """Returns the step's place in its burst (from 0), or -1 between bursts; a pure function of the step (from 1)."""
    if step <= DENSE_UNTIL:
        return (step - 1) % BURST
    octave = ((step - 1) // DENSE_UNTIL).bit_length() - 1
    start, length = DENSE_UNTIL << octave, DENSE_UNTIL << octave
    window = -(-BURST * length // PER_OCTAVE)
    if window <= BURST:
        return (step - 1) % BURST
    number, at = divmod(step - 1 - start, window)
    offset = _splitmix64(octave * 1_000_003 + number) % (window - BURST + 1)
    return at - offset if offset <= at < offset + BURST else -1


def next_burst_start(step: int) -> int:
    """Returns the next step after this one at which a burst may begin; a pure function of the step."""
    if step < DENSE_UNTIL:
        return step + 1
    while True:
        octave = (step // DENSE_UNTIL).bit_length() - 1  # of the step after this one
        start, length = DENSE_UNTIL << octave, DENSE_UNTIL << octave
        window = max(-(-BURST * length // PER_OCTAVE), BURST)
        number = (step - start) // window
        begin = start + number * window + _splitmix64(octave * 1_000_003 + number) % (window - BURST + 1) + 1
        if begin > step and begin <= start + length:
            return begin
        step = min(start + (number + 1) * window, start + length)


def scheduled(step: int) -> bool:
    """Says whether the fixed schedule records the step."""
    return burst_offset(step) >= 0


def _splitmix64(value: int) -> int:
    """A private hash (SplitMix64's finaliser): no global random generator is ever drawn from."""
    value = (value + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 31)


class Budget:
    """What recording costs, against what it may cost.

    Args:
        share: of training time; None: no limit.
        clock: returns seconds.
    """

    MINUTE = 60.0  # a shorter run is charged as if it took a minute, or it would hardly be recorded
    USUAL = 3  # plain steps from which on it is known how long one takes
    LEAST = 0.6  # seconds that rows may take at once in that first minute, however long tracing took
    AIM = 0.8  # of the share: caches, and Keras' own calls of callbacks, can not be measured from within

    def __init__(self, share: float | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.share, self._clock = share, clock
        self._began = clock()
        self._paused: float | None = None
        self.once = self._rows = 0.0  # seconds: preparation, and recording itself
        self._plain: deque[float] = deque(maxlen=101)  # durations of steps on which nothing was recorded
        self._owed: deque[float] = deque(maxlen=1000)  # of the others, until it is known what a plain one takes

    @property
    def elapsed(self) -> float:
        """Seconds since training began."""
        now = self._clock() if self._paused is None else self._paused
        return max(now - self._began, 1e-9)

    def pause(self) -> None:
        """Stops the clock: what comes now is not training."""
        self._paused = self._clock() if self._paused is None else self._paused

    def begin(self) -> None:
        """Starts the clock, or lets it go on after a pause."""
        if self._paused is not None:
            self._began += self._clock() - self._paused
        self._paused = None

    def prepared(self, seconds: float) -> None:
        """Takes what was spent once (tracing)."""
        self.once += seconds

    def spent(self, seconds: float) -> None:
        """Takes what was spent on rows, beside the step."""
        self._rows += seconds

    def stepped(self, seconds: float, recorded: bool) -> None:
        """Takes the duration of a step; `recorded`: it was, or something was still done beside it."""
        (self._owed if recorded else self._plain).append(seconds)
        whole = not recorded or len(self._owed) >= BURST  # bursts may follow each other without a plain step between
        if whole and self._owed and self._told:
            self._rows += self._exceeding()
            self._owed.clear()

    @property
    def _told(self) -> bool:
        """Whether plain steps can be told from recorded ones, if there are any."""
        return not self._owed or len(self._plain) >= self.USUAL

    def _exceeding(self) -> float:
        """Seconds by which recorded steps exceeded as many plain ones."""
        # Means, since both kinds have their stragglers, and sums of what exceeds a median would always be > 0.
        return len(self._owed) * (_mean(self._owed) - _mean(self._plain)) if self._owed else 0.0

    @property
    def cost(self) -> float | None:
        """The measured share of training time; None where no step was plain to measure by."""
        return max(0.0, self.once + self._rows + self._exceeding()) / self.elapsed if self._told else None

    def affords_once(self, seconds: float) -> bool:
        """Says whether so many seconds may be spent on something beside the rows."""
        if self.share is None:
            return True
        return self.once + self._rows + seconds <= self.share * max(self.elapsed, self.MINUTE)

    def affords(self) -> bool:
        """Says whether another burst may be recorded."""
        if self.share is None:
            return True
        if not self._told:
            # Recording took less than these steps as a whole; else leave some out, to learn what a plain one takes.
            return self._rows + len(self._owed) * _mean(self._owed) <= self.LEAST
        granted = self.AIM * self.share * self.elapsed - self.once
        return self._rows <= (max(granted, self.LEAST) if self.elapsed < self.MINUTE else granted)


def _mean(durations: Collection[float]) -> float:
    """Returns the mean, without what stragglers take beyond `OUTLIER_FACTOR`."""
    most = OUTLIER_FACTOR * median(durations)
    return sum(min(one, most) for one in durations) / len(durations)


class Schedule:
    """The fixed schedule, thinned by a budget: a burst that can not be afforded is left out as a whole.

    However tight the budget, a burst is recorded each time the step count has grown by half: some dozen in ten
    thousand steps, so that a training that is over in seconds is seen to its end. They are charged like all others.
    """

    GROWTH = 1.5

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._asked, self._answer, self._last = 0, False, 0

    def due(self, step: int) -> bool:
        """Says whether to record the step; ask for steps in increasing order (the same step gives the same answer)."""
        if step != self._asked:
            at = burst_offset(step)
            going_on = self._answer and self._asked == step - 1
            if at > 0 and (
                going_on or step > DENSE_UNTIL or at % BURST_RESTART
            ):  # a burst goes on, or is missed: a lone row lies
                wanted = going_on
            else:
                wanted = at >= 0 and (step > self.GROWTH * self._last or self.budget.affords())
            self._answer, self._asked = wanted or step <= ALWAYS_UNTIL, step
            self._last = step if self._answer else self._last
        return self._answer
