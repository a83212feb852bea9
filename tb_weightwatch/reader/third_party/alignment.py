"""Aligns series that count their steps differently: by steps where they count alike, else by the time of writing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .series import Points


class StepAlignment:
    """The rows of a History: the steps of the main series and of all series that count like it.

    Args:
        main: the main series.
        others: all other series.

    Attributes:
        counts_alike: for each of `others`, whether it counts its steps like the main series.
        steps: `[T]` of the rows.
        times: `[T]` unix seconds.
    """

    def __init__(self, main: Points, others: Sequence[Points]) -> None:
        self.counts_alike = [same_clock(main, other) for other in others]
        alike = [main, *(other for other, same in zip(others, self.counts_alike, strict=True) if same)]
        steps = np.concatenate([points.steps for points in alike])
        times = np.concatenate([points.times for points in alike])
        self.steps, first = np.unique(steps, return_index=True)
        self.times = np.maximum.accumulate(times[first])

    @property
    def shift(self) -> int:
        """The number that is added to a step: a History counts from 1, many loops from 0."""
        return int(self.steps[0] == 0)

    def rows(self, points: Points, counts_alike: bool) -> NDArray[np.intp]:
        """Returns the row of each datum: that of its step, or else the last one written before it."""
        if counts_alike:
            return np.searchsorted(self.steps, points.steps)
        return np.maximum(np.searchsorted(self.times, points.times, side="right") - 1, 0)


def same_clock(main: Points, other: Points) -> bool:
    """Checks whether two series count their steps alike, by the time at which each wrote the same step."""
    steps, first = np.unique(main.steps, return_index=True)
    if np.isin(other.steps, steps).mean() > 0.9 and abs(len(np.unique(other.steps)) - len(steps)) <= 1:
        return True
    span = float(main.times.max() - main.times.min())
    interval = max(np.ptp(main.steps) / len(steps), np.ptp(other.steps) / len(other.steps), 1)
    if other.steps.max() > main.steps.max() + 2 * interval:
        return False
    if span <= 0 or len(steps) < 2:
        return True
    expected = np.interp(other.steps, steps, main.times[first])
    return bool(np.median(np.abs(expected - other.times)) <= span * max(0.9 / len(other.steps), 0.05))
