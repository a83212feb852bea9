"""Reduces the snapshots of a histogram to a few statistics."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .series import BoundedSeries

MAX_BUCKETS = 1 << 16
# The numbers of a snapshot. "drift" and "changes" are sums over all snapshots so far, so that dropping some loses none.
STATISTICS = ("low", "high", "norm", "mean", "size", "drift", "changes")


class Snapshot(NamedTuple):
    """A histogram at one step.

    Attributes:
        low, high: smallest and largest element.
        norm: l2 norm.
        mean: of the elements.
        size: number of elements.
        digest: differs, within this process, if the histogram does.
    """

    low: float
    high: float
    norm: float
    mean: float
    size: float
    digest: int


class HistogramSeries(BoundedSeries):
    """Collects the snapshots of a histogram: `STATISTICS` of each.

    Attributes:
        exact: whether its norm and mean are exact, and not estimates from buckets.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__(len(STATISTICS), capacity)
        self.exact = False
        self._previous: Snapshot | None = None
        self._drift = 0.0
        self._changes = 0

    def put_snapshot(self, step: int, time: float, snapshot: Snapshot) -> None:
        """Adds a snapshot."""
        previous = self._previous or snapshot
        moved = _least_movement(previous, snapshot)
        self._drift += moved if math.isfinite(moved) else 0.0
        self._changes += previous.digest != snapshot.digest
        self.put(step, time, (*snapshot[:-1], self._drift, float(self._changes)))
        self._previous = snapshot


def _least_movement(before: Snapshot, after: Snapshot) -> float:
    """Returns a lower bound of the largest movement of an element between two snapshots."""
    by_norm = abs(after.norm - before.norm) / max(1.0, after.size) ** 0.5
    return float(max(abs(after.low - before.low), abs(after.high - before.high), by_norm))


def from_proto(histogram: Any) -> Snapshot | None:
    """Returns the statistics of a HistogramProto, which has its own sums, so that all are exact; None if damaged."""
    size = histogram.num
    if not size >= 0 or len(histogram.bucket) > MAX_BUCKETS:
        return None
    norm = math.sqrt(histogram.sum_squares) if histogram.sum_squares >= 0 else math.nan
    mean = histogram.sum / size if size else 0.0
    return Snapshot(histogram.min, histogram.max, norm, mean, size, hash(histogram.SerializeToString()))


def is_bucket_table(array: NDArray[Any]) -> bool:
    """Checks whether an array has the form of buckets: floats `[n, 3]`, and not too many."""
    return array.ndim == 2 and array.shape[1] == 3 and array.dtype.kind == "f" and len(array) <= MAX_BUCKETS


def from_buckets(buckets: NDArray[np.float64]) -> Snapshot | None:
    """Returns the statistics of buckets; None if a count is negative or NaN.

    Edges and size are exact; norm and mean are estimates that take the elements of a bucket for evenly spread.

    Args:
        buckets: `[n, 3]`: left edge, right edge, count.
    """
    if not len(buckets):
        return Snapshot(0.0, 0.0, 0.0, 0.0, 0.0, 0)
    left, right, count = np.ascontiguousarray(buckets.T)
    if not count.min() >= 0:
        return None
    low, high, size = float(left[0]), float(right[-1]), float(count.sum())
    digest = hash(buckets.tobytes())
    with np.errstate(all="ignore"):
        squares = float(np.dot(count, left * left + left * right + right * right)) / 3
        total = float(np.dot(count, left + right)) / 2
    if not math.isfinite(squares) and not np.isfinite(buckets[:, :2]).all():
        nonfinite = math.nan if np.isnan(buckets[:, :2]).any() else math.inf
        return Snapshot(nonfinite, nonfinite, nonfinite, nonfinite, size, digest)
    return Snapshot(low, high, math.sqrt(max(0.0, squares)), total / size if size else 0.0, size, digest)
