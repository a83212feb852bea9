"""Whether a step is recorded, and whether that has to be asked at all: one place for `model.fit` and for loops."""

from __future__ import annotations

import time
from typing import Any

from .budget import Budget
from .bursts import BURST, Schedule, next_burst_start
from .map_schedule import MapSchedule

CHECK_INTERVAL = 0.1  # seconds between two checks whether something is to be written
# Where the variables of optimizer and metrics are lifted, the first step is traced once, and without the recorder it is
# traced twice. It is shorter by so many times what the user's `train_step` took to trace: single measurements of five
# models gave 1.3 to 2.0, what the recorder adds to the step included.
TRACING_SAVED = 1.5
# A recorded step takes longer to trace than the user's own. Where it is traced in its place, both cannot be timed, and
# this share of it is an estimate: single measurements of four models gave 12 to 26 %.
TRACING_EXTRA = 0.15
# What a further tracing takes, as shares of the first step, with which the model is built: that of the user's own
# function took 37 to 53 % of it on four models, that of the recorded step without its further results 20 to 23 %.
TRACING_AGAIN, TRACING_LOGS_ONLY = 0.5, 0.25


class RecordingGate:
    """Decides which steps are recorded, and charges the budget with how long steps take.

    Between bursts an unrecorded step should cost as little as possible: even a method call is expensive there, since
    the step's own arithmetic leaves nothing of the recorder in the processor's caches. So the caller of each step makes
    two comparisons, and goes on if both hold: the step is before `idle_until`, and the time is before `next_check_at`.

    Args:
        overhead: share of training time that recording may cost (0 to 1); None: a fixed schedule.
        maps: whether histograms and motion maps are recorded.
        tensors: which variables are recorded in full (`MapSchedule`).

    Raises:
        TypeError, ValueError: `overhead` or `tensors` is not valid.

    Attributes:
        idle_until: no step before this one can be due.
        next_check_at: no check whether something is to be written is needed before this time.
        recording: whether the present step is recorded.
        step_began: when the present step began; None: it is not timed.
    """

    def __init__(self, overhead: float | None, maps: bool, tensors: Any) -> None:
        self.budget = Budget(overhead)
        self.schedule = Schedule(self.budget)
        self.maps = MapSchedule(maps, tensors, self.budget)
        self.idle_until = self.next_check_at = 0.0
        self.recording = False
        self.step_began: float | None = None
        self._undisturbed = True  # no background work was left when the present step began
        self._unrecorded = 1  # successive steps that were not recorded

    def due(self, step: int) -> bool:
        """Checks whether to record the step (from 1); ask for steps in increasing order."""
        return self.schedule.due(step) or self.maps.requested_at(step)

    def begin_step(self, *, recording: bool, background_idle: bool) -> None:
        """Notes that a step begins.

        Args:
            recording: whether it is recorded.
            background_idle: no measuring or writing goes on beside it.
        """
        self.recording, self._undisturbed = recording, background_idle
        if recording:
            self._unrecorded, self.budget.compares_steps = 0, True
        self.step_began = time.perf_counter()

    def end_step(self, ended: float, steps: int = 1) -> None:
        """Adds to the budget how long the present step took, or several steps that ran as one."""
        if self.step_began is not None:
            recorded = self.recording or not self._undisturbed
            for _ in range(steps):
                self.budget.add_step((ended - self.step_began) / steps, recorded=recorded)

    def charge_once(self, ended: float, share: float = 1.0) -> None:
        """Charges the present step, in which a function was traced, or a share of it, as a one-off cost."""
        if self.step_began is not None:
            self.budget.add_one_off(share * (ended - self.step_began), steps=share)

    def leave_untimed(self) -> None:
        """Leaves the present step out of the budget: other work than training falls into its time."""
        self.step_began = None

    def not_recorded(self, step: int) -> None:
        """Notes that a step is not recorded, and finds the next one that can be due.

        As many unrecorded steps as a burst has are timed first, so that the budget knows how long a plain step takes,
        and all steps beside which there is background work, since it may delay them.
        """
        self._unrecorded += 1
        idle = self._unrecorded > BURST and self._undisturbed
        self.idle_until = min(next_burst_start(step), self.maps.next_request(step)) if idle else 0.0

    def never_idle(self) -> None:
        """Requires that each step is asked for, until further steps were not recorded."""
        self.idle_until = 0.0

    def time_to_write(self) -> bool:
        """Checks whether to look for something to write; the next time is `CHECK_INTERVAL` later."""
        now = time.perf_counter()
        if now < self.next_check_at:
            return False
        self.next_check_at = now + CHECK_INTERVAL
        return True
