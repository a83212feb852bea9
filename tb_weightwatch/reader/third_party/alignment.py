"""One clock for series that count differently: by steps where they count alike, else by when they were written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .series import Points


class StepAlignment:
    """The rows of a History: the steps of the main series and of all that count alike; the others by their time."""

    def __init__(self, main: Points, others: Sequence[Points]) -> None:
        self.main = main
        self.alike = [same_clock(main, one) for one in others]
        own = [main, *(one for one, same in zip(others, self.alike, strict=True) if same)]
        steps = np.concatenate([p.steps for p in own])
        times = np.concatenate([p.times for p in own])
        self.steps, first = np.unique(steps, return_index=True)
        self.times = np.maximum.accumulate(times[first])

    @property
    def shift(self) -> int:
        """What is added to a step, since a History counts from 1 and many loops from 0."""
        return int(self.steps[0] == 0)

    def rows(self, points: Points, alike: bool) -> NDArray[np.intp]:
        """Returns the row of each datum: by its step, or the last that was written before it."""
        if alike:
            return np.searchsorted(self.steps, points.steps)
        return np.maximum(np.searchsorted(self.times, points.times, side="right") - 1, 0)


def same_clock(main: Points, other: Points) -> bool:
    """Says whether two series count their steps alike, told from when the same step was written in each."""
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
