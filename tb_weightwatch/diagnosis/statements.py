"""Parts of sentences that know what they claim (`verdict.Statement`): how many steps, and since when."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..history import History
from ..verdict import Claim
from .signals import Bool, model_facts
from .third_party import unit


class StepCount(NamedTuple):
    """So many training steps (or epochs of a third-party log, or batches before training)."""

    made: int
    unit: str = "step"

    def __str__(self) -> str:
        plural = "batches" if self.unit == "batch" else f"{self.unit}s"
        return f"{self.made:,} {self.unit if self.made == 1 else plural}"

    @property
    def claims(self) -> tuple[Claim, ...]:
        """That so many training steps have been made."""
        return (Claim("steps", "step", self.made, 1, self.made),) if self.unit == "step" else ()


def steps_made(history: History, row: int) -> StepCount:
    """Returns how many training steps were made up to a row; up to the end, where the row is the last of a run."""
    step, ended = int(history.steps[row]), history.ended
    if ended is not None and row == len(history) - 1:
        step = max(step, ended.step)
    return StepCount(step, unit(history))


class Onset(NamedTuple):
    """When something that was not so became so, as far as the recorded steps show.

    Attributes:
        step: the first recorded step at which it was so.
        before: the recorded step before it, at which it was not; 0 if there is none.
        unit: "step", or "epoch" for some third-party logs.
        was: what is claimed of the step before.
        became: what is claimed of the step.
    """

    step: int
    before: int
    unit: str = "step"
    was: tuple[Claim, ...] = ()
    became: tuple[Claim, ...] = ()

    def __str__(self) -> str:
        if self.exact:
            return f"at {self.unit} {self.step:,}"
        if not self.before:
            return f"by {self.unit} {self.step:,} ({self.gap})"
        return f"between {self.unit} {self.before:,} and {self.unit} {self.step:,} ({self.gap})"

    @property
    def since(self) -> str:
        """Returns "from step 3 on", "from the first step on"."""
        first = f"the first {self.unit}" if self.step == 1 else f"{self.unit} {self.step:,}"
        return f"from {first} on" if self.exact else f"{self} and since"

    @property
    def exact(self) -> bool:
        """Whether no step before it was left out."""
        return self.step - self.before == 1

    @property
    def gap(self) -> str:
        """The steps that were not recorded: "step 17 was not recorded", "steps 17 to 20 were not recorded"."""
        first, last = self.before + 1, self.step - 1
        if first == last:
            return f"{self.unit} {first:,} was not recorded"
        return f"{self.unit}s {first:,} to {last:,} were not recorded"

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What was so at that step, and what at the recorded one before it."""
        return (*self.was, *self.became) if self.unit == "step" else ()


def onset(history: History, holds: Bool, row: int) -> Onset:
    """Returns since when a `[T]` condition has held that holds in a row; the earlier rows at which it held count not.

    Only the numbers are filled in; a rule adds the claims.
    """
    gaps = np.flatnonzero(~holds[: row + 1])
    first = min(int(gaps[-1]) + 1, row) if len(gaps) else 0  # where it does not hold, the rule does not state it
    return _onset_at(history, first)


def _onset_at(history: History, first: int) -> Onset:
    before = int(history.steps[first - 1]) if first else 0
    return Onset(int(history.steps[first]), before, unit(history))


def nonfinite_onset(history: History, column: str, row: int, names: tuple[str, ...]) -> Onset:
    """Returns since when counts of non-finite elements are above 0: when those of `names` became so in that row.

    Args:
        history: what was recorded.
        column: the count, "weight_nonfinite".
        row: the first row at which they are.
        names: names of the variables or layers concerned.
    """
    begun = _onset_at(history, row)
    was = (Claim("at most", column, 0, begun.before, begun.before, names),) if begun.before else ()
    return begun._replace(was=was, became=(Claim("at least", column, 1, begun.step, begun.step, names),))


class Streak(NamedTuple):
    """So many recorded steps in a row, of each of which something is claimed.

    Attributes:
        rows: number of recorded steps.
        unit: "recorded step", or "batch" before training.
        claimed: what is claimed of them.
    """

    rows: int
    unit: str = "recorded step"
    claimed: tuple[Claim, ...] = ()

    def __str__(self) -> str:
        return str(StepCount(self.rows, self.unit))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What is so in each of these steps."""
        return self.claimed if self.unit != "batch" else ()


def streak(history: History, row: int, rows: int, claim: Claim) -> Streak:
    """Returns the last `rows` recorded steps up to a row, with a claim of each of them, whose span is filled in."""
    claim = replace(
        claim, first_step=int(history.steps[row - rows + 1]), last_step=int(history.steps[row]), recorded_only=True
    )
    return Streak(rows, "batch" if model_facts(history).get("preflight") else "recorded step", (claim,))


class AllSteps(NamedTuple):
    """All steps so far, or all recorded ones where some were not recorded: "all 45 recorded steps (of 600)"."""

    rows: int
    steps: StepCount
    claimed: tuple[Claim, ...] = ()

    def __str__(self) -> str:
        if self.rows == self.steps.made:
            return f"all {self.steps}" if self.rows > 1 else str(self.steps)
        return f"all {self.rows:,} recorded {self.steps.unit}s (of {self.steps.made:,})"

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What is so in each of these steps."""
        return self.claimed if self.steps.unit == "step" else ()


def all_steps(history: History, row: int, claim: Claim) -> AllSteps:
    """Returns all steps up to a row, with a claim of each recorded one, whose span is filled in."""
    first, last = int(history.steps[0]), int(history.steps[row])
    claim = replace(claim, first_step=first, last_step=last, recorded_only=True)
    return AllSteps(row + 1, steps_made(history, row), (claim,))
