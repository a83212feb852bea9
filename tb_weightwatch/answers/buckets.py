"""Ranges of training steps, divided into buckets.

A bucket is a range of neighbouring steps of which at least one was recorded. Between two buckets no step was recorded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History

MOST_CELLS = 400_000  # of a heat map; fewer, wider buckets where there are many rows


class StepRange(NamedTuple):
    """A range of training steps, both ends included; 0 means unbounded."""

    first: int = 0
    last: int = 0


ALL_STEPS = StepRange()


class Buckets(NamedTuple):
    """A range of training steps divided into C buckets.

    Attributes:
        rows: the rows of the History that are divided.
        starts: `[C]` index of each bucket's first row, counted from `rows.start`.
        first: `[C]` first step of each bucket.
        last: `[C]` last step of each bucket; like the first one, it need not be a recorded one.
        covered: the steps that the buckets and the gaps around them cover; None where the launch has none in the range.
        steps: `[C]` last recorded step of each bucket.
    """

    rows: slice
    starts: NDArray[np.intp]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    covered: StepRange | None
    steps: NDArray[np.int64]

    @property
    def recorded(self) -> NDArray[np.int64]:
        """`[C]` how many steps of each bucket were recorded."""
        return np.diff(self.starts, append=max(self.rows.stop - self.rows.start, 0)).astype(np.int64)

    def payload(self) -> dict[str, Any]:
        """Returns the buckets as JSON."""
        return {
            "covered": [int(step) for step in self.covered or ()],
            "first": self.first.tolist(),
            "last": self.last.tolist(),
            "recorded": self.recorded.tolist(),
        }


def buckets_of(history: History, columns: int, steps: StepRange = ALL_STEPS) -> Buckets:
    """Divides a range of steps into at most `columns` buckets.

    Each recorded step is a bucket of its own if there are no more of them than columns. Otherwise the steps are divided
    evenly, and the buckets without a recorded step are left out.
    """
    begin = int(np.searchsorted(history.steps, steps.first))
    end = int(np.searchsorted(history.steps, steps.last, side="right")) if steps.last else len(history)
    rows = slice(begin, max(begin, end))
    recorded, covered = history.steps[rows], _covered(history, rows, steps)
    if not len(recorded) or covered is None:
        return Buckets(rows, np.zeros(0, np.intp), recorded, recorded, covered, recorded)
    widest = max(1, len(history.variables), len(history.layers))
    columns = max(16, min(columns, MOST_CELLS // widest))
    if len(recorded) <= columns:
        return Buckets(rows, np.arange(len(recorded)), recorded, recorded, covered, recorded)
    width = int(recorded[-1] - recorded[0] + 1)
    bucket = (recorded - recorded[0]) * columns // width
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    first = recorded[0] - (-bucket[starts] * width // columns)
    last = recorded[0] - (-(bucket[starts] + 1) * width // columns) - 1
    return Buckets(rows, starts, first, last, covered, recorded[np.append(starts[1:], len(recorded)) - 1])


def _covered(history: History, rows: slice, steps: StepRange) -> StepRange | None:
    """Returns the part of a range that lies between the first and the last recorded step of a launch.

    A gap at its ends is covered as a whole, so that it has the same steps whatever the range is.
    """
    if not len(history) or steps.first > history.steps[-1] or 0 < steps.last < history.steps[0]:
        return None
    first = int(history.steps[rows.start - 1]) + 1 if rows.start else int(history.steps[0])
    last = int(history.steps[rows.stop]) - 1 if rows.stop < len(history) else int(history.steps[-1])
    return StepRange(first, last)
