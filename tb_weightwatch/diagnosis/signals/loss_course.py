"""The course of the loss as verdicts state it: where it began, and where the last recorded steps left it."""

from __future__ import annotations

from math import nan
from typing import NamedTuple

import numpy as np

from ...history import History
from ...verdict import Claim, number


class LossCourse(NamedTuple):
    """The loss at first and at last; false if it is not known.

    Attributes:
        start: the first loss, or the mean of the first few where batches are tiny.
        recent: the mean of the last recorded ones.
        rows: number of recorded losses in that mean.
        start_steps: first and last step over which `start` is the mean.
        recent_steps: first and last step over which `recent` is the mean.
        unit: what a loss belongs to: "recorded step", "batch" before training, "logged value" of a third-party log.
    """

    start: float = nan
    recent: float = nan
    rows: int = 0
    start_steps: tuple[int, int] = (0, 0)
    recent_steps: tuple[int, int] = (0, 0)
    unit: str = "recorded step"

    def __bool__(self) -> bool:
        return self.rows > 0

    def __str__(self) -> str:
        return self._worded("", self._noun)

    def over(self, duration: str) -> str:
        """Returns the course with what it took, "600 steps"."""
        return self._worded(f" over {duration}", self.unit.split()[0] if " " in self.unit else self._noun)

    def _worded(self, duration: str, noun: str) -> str:
        if not self:
            return ""
        mean = f", mean of the last {self.rows:,} {noun}" if self.rows > 1 else ""
        return f"loss {number(self.start)} -> {number(self.recent)}{duration}{mean}"

    @property
    def _noun(self) -> str:
        return "batches" if self.unit == "batch" else f"{self.unit}s"

    @property
    def fell(self) -> bool:
        """Whether the loss is lower than at first, as the two numbers are written."""
        return self.recent < self.start and number(self.recent) != number(self.start)

    @property
    def standstill(self) -> str:
        """The course of a loss that does not fall enough: "the loss does not fall (...)", unless it fell a little."""
        if not self:
            return "the loss is not known to fall"
        return f"the loss {'has fallen too little' if self.fell else 'does not fall'} ({self})"

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What `str()` claims."""
        if not self:
            return ()
        return (
            Claim("mean", "loss", self.start, *self.start_steps, recorded_only=True),
            Claim("mean", "loss", self.recent, *self.recent_steps, recorded_only=True),
        )


def recent_slope(history: History) -> float:
    """Returns the relative change of the loss from the third quarter of the rows to the last; 0 if it is noise."""
    loss = history.loss[np.isfinite(history.loss)]
    quarter = len(loss) // 4
    if quarter < 2:
        return float(loss[-1] / loss[0] - 1) if len(loss) > 1 and loss[0] > 0 else 0.0
    before, after = loss[-2 * quarter : -quarter], loss[-quarter:]
    change = float(np.mean(after) - np.mean(before))
    noise = 2 * float(np.hypot(np.std(after), np.std(before))) / quarter**0.5
    return 0.0 if abs(change) < noise else change / max(abs(float(np.mean(before))), 1e-12)
