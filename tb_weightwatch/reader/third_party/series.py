"""The data of one tag, in bounded memory."""

from __future__ import annotations

import math
from array import array
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Points(NamedTuple):
    """The data of a tag in the order in which they were written.

    Attributes:
        steps: `[n]`.
        times: `[n]` unix seconds.
        values: `[n, k]`; k is 1 for a scalar, `len(STATISTICS)` for a histogram.
    """

    steps: NDArray[np.int64]
    times: NDArray[np.float64]
    values: NDArray[np.float64]


def select(points: Points, which: Any) -> Points:
    """Returns some of the data, or all of them in another order; `which` is an index of numpy."""
    return Points(points.steps[which], points.times[which], points.values[which])


class BoundedSeries:
    """Collects the data of a tag. When it is full, every second datum is dropped.

    The first datum that is not finite and the last one are never dropped.

    Args:
        width: numbers in a datum.
        capacity: data at most.
    """

    def __init__(self, width: int, capacity: int) -> None:
        self.width, self.capacity = width, capacity
        self.count = 0  # data put so far
        self.stride = 1
        self._flat = array("d")  # step, time and numbers of each datum
        self._length = 0
        self._first_nonfinite: tuple[float, ...] | None = None
        self._last: tuple[float, ...] = ()

    def put(self, step: int, time: float, values: tuple[float, ...]) -> None:
        """Adds a datum."""
        self._last = (float(step), time if math.isfinite(time) else 0.0, *values)
        if self._first_nonfinite is None and not all(map(math.isfinite, values)):
            self._first_nonfinite = self._last
        if self.count % self.stride == 0:
            if self._length == self.capacity:
                self._drop_half()
            if self.count % self.stride == 0:
                self._flat.extend(self._last)
                self._length += 1
        self.count += 1

    def put_many(self, points: Points) -> None:
        """Adds several data, as `put` does one after the other."""
        times = np.where(np.isfinite(points.times), points.times, 0.0)
        data = np.column_stack((points.steps, times, points.values)).astype(np.float64, copy=False)
        if not len(data):
            return
        self._last = tuple(data[-1].tolist())
        nonfinite = np.flatnonzero(~np.isfinite(points.values).all(axis=1))
        if self._first_nonfinite is None and len(nonfinite):
            is_last = nonfinite[0] == len(data) - 1
            self._first_nonfinite = self._last if is_last else tuple(data[nonfinite[0]].tolist())
        position = 0
        while position < len(data):
            first = position + -self.count % self.stride  # the next that is kept
            kept = data[first :: self.stride][: self.capacity - self._length]
            if first < len(data) and not len(kept):
                self._drop_half()
                continue
            self._flat.frombytes(kept.tobytes())
            self._length += len(kept)
            is_full = self._length == self.capacity
            stop = first + self.stride * (len(kept) - 1) + 1 if is_full and len(kept) else len(data)
            self.count += stop - position
            position = stop

    def _drop_half(self) -> None:
        rows = self._rows()[::2].copy()
        self._flat = array("d", rows.tobytes())
        self._length = len(rows)
        self.stride *= 2

    def _rows(self) -> NDArray[np.float64]:
        return np.frombuffer(self._flat, np.float64).reshape(-1, self.width + 2)

    @property
    def thinned(self) -> bool:
        """Whether data were dropped."""
        return self.stride > 1

    @property
    def nbytes(self) -> int:
        """About how many bytes of memory it takes."""
        return 8 * len(self._flat) + 400

    def points(self) -> Points:
        """Returns the data that were not dropped, in the order in which they were put."""
        rows = self._rows()
        if self.thinned:  # the two data that must stay, each in its position and once
            for datum in (self._first_nonfinite, self._last):
                if datum is not None and not (rows[:, :2] == datum[:2]).all(axis=1).any():
                    is_last = datum is self._last
                    position = len(rows) if is_last else int(np.searchsorted(rows[:, 1], datum[1], side="right"))
                    rows = np.insert(rows, position, datum, axis=0)
        return Points(rows[:, 0].astype(np.int64), rows[:, 1].copy(), rows[:, 2:].copy())
