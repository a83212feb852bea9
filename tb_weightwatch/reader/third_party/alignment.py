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
        clock = _Clock(main)
        self.counts_alike = [clock.counts_alike(other) for other in others]
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


class _Clock:
    """How a series counts its steps, by the time at which it wrote each of them.

    Args:
        main: the series.
    """

    def __init__(self, main: Points) -> None:
        self._steps, first = np.unique(main.steps, return_index=True)
        self._times = main.times[first]
        self._interval = np.ptp(main.steps) / len(self._steps)
        self._span = float(main.times.max() - main.times.min())
        self._same_steps: dict[bytes, bool] = {}  # of steps, as bytes: histograms of all variables have the same ones

    def counts_alike(self, other: Points) -> bool:
        """Checks whether another series counts its steps like this one."""
        steps, times = other.steps, other.times
        key = steps.tobytes()
        if key not in self._same_steps:
            self._same_steps[key] = self._has_same_steps(steps)
        if self._same_steps[key]:
            return True
        interval = max(self._interval, np.ptp(steps) / len(steps), 1)
        if steps.max() > self._steps[-1] + 2 * interval:
            return False
        if self._span <= 0 or len(self._steps) < 2:
            return True
        expected = np.interp(steps, self._steps, self._times)
        return _median(np.abs(expected - times)) <= self._span * max(0.9 / len(steps), 0.05)

    def _has_same_steps(self, steps: NDArray[np.int64]) -> bool:
        """Checks whether nearly all steps are those of this series, and as many."""
        unique = np.unique(steps)
        return bool(np.isin(steps, self._steps).mean() > 0.9 and abs(len(unique) - len(self._steps)) <= 1)


def _median(values: NDArray[np.float64]) -> float:
    """Returns `np.median` of finite values, which for a few takes ten times as long."""
    ordered = np.sort(values)
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)
