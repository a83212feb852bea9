"""A trial with a change beside the same trial without it, where both have the same targets, and so the same loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np

from ..verdict import TestedCause, number
from .comparison import FAST, SLOW, WORTHWHILE
from .experiment import Lab
from .program import Batch
from .trials import Trial
from .updates import Substitute, Update

PASSES = 5
_LONGER = 3  # times as many passes where these do not tell
_ADAM_RATE = 1e-2

Judge = Callable[[str, Trial, Trial, str], TestedCause]  # cause, without and with the change, the change in words


class Side(NamedTuple):
    """One of the two trials.

    Attributes:
        batches: that it trains on.
        start: changes the state before its first step; None: the saved state.
    """

    batches: Sequence[Batch]
    start: Callable[[], None] | None = None


class PairedTrials:
    """Runs trials with a change beside one without; three times as long if the outcome is open.

    Args:
        lab: what they run in.
        own: the trial without a change.
        rest: steps that the experiment needs for other things.
    """

    def __init__(self, lab: Lab, own: Side, rest: int = 0) -> None:
        self._lab, self._own, self._rest = lab, own, rest
        self._control = _run(lab, own, PASSES)

    def outcome(self, judge: Judge, cause: str, changed: Side, change: str) -> TestedCause:
        """Returns what the change says of a cause whose remedy it is."""
        trial = _run(self._lab, changed, PASSES)
        outcome = judge(cause, self._control, trial, change)
        if outcome.outcome == "open" and trial.learns and self._can_afford(trial):
            control, trial = (_run(self._lab, side, _LONGER * PASSES) for side in (self._own, changed))
            outcome = judge(cause, control, trial, change)
        if outcome.outcome == "open" and self._can_afford(trial):
            # A learning rate that suits the data as they are may suit the changed ones no more.
            adam = Substitute(self._lab.program, keras.optimizers.Adam(1e-3, name="probe_adam")).at(_ADAM_RATE)
            control, trial = (_run(self._lab, side, _LONGER * PASSES, adam) for side in (self._own, changed))
            with_adam = judge(cause, control, trial, f"{change} and Adam({_ADAM_RATE})")
            outcome = with_adam if with_adam.outcome == "confirmed" else outcome
        return outcome

    def _can_afford(self, trial: Trial) -> bool:
        """Checks whether enough budget remains for two longer trials."""
        spending, batches = self._lab.trials.spending, len(self._lab.batches)
        steps = 2 * (_LONGER * PASSES + 1) * batches + self._rest
        seconds = 2 * _LONGER * PASSES * batches * trial.seconds / max(1, trial.steps)
        return spending.steps_left > steps and spending.seconds_left > 2 * seconds


def _run(lab: Lab, side: Side, passes: int, update: Update | None = None) -> Trial:
    return lab.trials.run(update or lab.program.step, batches=side.batches, passes=passes, start=side.start)


def compared_by_loss(cause: str, control: Trial, changed: Trial, change: str) -> TestedCause:
    """Returns what the losses themselves say; they must be those of the same targets.

    A large first loss (of large inputs, or large weights) falls by itself as soon as the predictions become smaller,
    so that how far it falls says little.
    """
    ends = [float(np.mean(trial.after)) for trial in (control, changed)]
    begins = float(np.mean(changed.before))
    message = (
        f"with {change} the loss goes from {number(begins)} to {number(ends[1])} in {changed.steps} steps; as it is, "
        f"from {number(float(np.mean(control.before)))} to {number(ends[0])}"
    )
    progress = begins - ends[1]
    if not np.isfinite([begins, ends[1]]).all() or changed.has_no_floor:
        return TestedCause(cause, "open", message)
    if progress < WORTHWHILE * abs(begins):
        return TestedCause(cause, "open", message)
    if not np.isfinite(ends[0]) or ends[0] > begins + progress:
        return TestedCause(cause, "confirmed", message)  # worse than where the changed trial begins
    late = [trial.middle - end for trial, end in zip((control, changed), ends, strict=True)]
    if ends[0] > ends[1] + FAST * progress and late[1] > 0 and late[0] < SLOW * late[1]:
        return TestedCause(cause, "confirmed", message)  # it stands still where the changed trial goes on
    begins_alike = float(np.mean(control.before)) < 2 * begins
    keeps_up = begins_alike and ends[0] < ends[1] + (1 - FAST) * progress
    return TestedCause(cause, "refuted" if keeps_up else "open", message)
