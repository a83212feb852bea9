"""Which steps are recorded: short bursts at irregular starts, which become rarer as the run goes on."""

from __future__ import annotations

from .budget import Budget

DENSE_UNTIL = 64  # every step up to this one is recorded, if there is no budget
ALWAYS_UNTIL = 16  # every step up to this one is recorded, whatever it costs
PER_OCTAVE = 700  # rows while the step count doubles: about 3,300 rows at 10,000 steps, 10,300 at 10 million
BURST_RESTART = 4  # among the dense first steps a burst may also begin at every fourth step
BURST = 8  # consecutive steps; a lone row aliases with gradient accumulation, epochs and alternating training


def burst_offset(step: int) -> int:
    """Returns the position of a step (from 1) in its burst (from 0), or -1 between bursts; a pure function."""
    if step <= DENSE_UNTIL:
        return (step - 1) % BURST
    octave = ((step - 1) // DENSE_UNTIL).bit_length() - 1
    octave_start, window = DENSE_UNTIL << octave, _window_length(octave)
    if window <= BURST:
        return (step - 1) % BURST
    number, position = divmod(step - 1 - octave_start, window)
    offset = position - _burst_start(octave, number, window)
    return offset if 0 <= offset < BURST else -1


def next_burst_start(step: int) -> int:
    """Returns the first step after this one at which a burst may begin; a pure function."""
    if step < DENSE_UNTIL:
        return step + 1
    while True:
        octave = (step // DENSE_UNTIL).bit_length() - 1  # of the step after this one
        octave_start = octave_length = DENSE_UNTIL << octave
        window = max(_window_length(octave), BURST)
        number = (step - octave_start) // window
        start = octave_start + number * window + _burst_start(octave, number, window) + 1
        if step < start <= octave_start + octave_length:
            return start
        step = octave_start + min((number + 1) * window, octave_length)


def scheduled(step: int) -> bool:
    """Checks whether the fixed schedule, without a budget, records the step."""
    return burst_offset(step) >= 0


def _window_length(octave: int) -> int:
    """Returns how many steps of an octave share one burst."""
    return -(-BURST * (DENSE_UNTIL << octave) // PER_OCTAVE)


def _burst_start(octave: int, number: int, window: int) -> int:
    """Returns where in a window of an octave its burst starts (from 0)."""
    return _splitmix64(octave * 1_000_003 + number) % (window - BURST + 1)


def _splitmix64(value: int) -> int:
    """Returns a private hash (the finalizer of SplitMix64), so that no global random generator is drawn from."""
    value = (value + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 31)


class Schedule:
    """The fixed schedule, thinned by a budget: a burst that cannot be afforded is left out as a whole.

    However tight the budget is, a burst is recorded each time the step count has grown by half. That gives some dozen
    bursts in ten thousand steps, so that even a training that is over in seconds is recorded up to its end. The budget
    is charged for these bursts as for all others.
    """

    GROWTH = 1.5

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._step, self._step_is_due = 0, False  # the last step that was asked for, and the answer
        self._last_due = 0

    def due(self, step: int) -> bool:
        """Checks whether to record the step.

        Ask for steps in increasing order. Asking again for the same step gives the same answer.
        """
        if step != self._step:
            self._step_is_due = step <= ALWAYS_UNTIL or self._burst_is_due(step)
            self._step = step
            self._last_due = step if self._step_is_due else self._last_due
        return self._step_is_due

    def _burst_is_due(self, step: int) -> bool:
        offset = burst_offset(step)
        burst_may_begin = offset == 0 or (step <= DENSE_UNTIL and offset % BURST_RESTART == 0)
        if offset > 0 and self._step == step - 1 and self._step_is_due:
            return True  # a burst is under way
        if not burst_may_begin:
            return False  # a burst whose start was left out is left out as a whole
        return step > self.GROWTH * self._last_due or self.budget.affords_burst()
