"""Reduces the snapshots of a histogram to a few statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .series import BoundedSeries, Points

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

    def put_statistics(self, points: Points, tables: NDArray[np.float64], changed: Any, moved: Any) -> None:
        """Adds snapshots as `put_snapshot` does one after the other.

        Args:
            points: the first five of `STATISTICS` of each.
            tables: `[n, buckets, 3]`, as for `from_buckets`.
            changed: `[n]` whether its table differs from the one before it; the first one is set here.
            moved: `[n]` by how much an element has moved at least since the one before it; changed here.
        """
        first = _snapshot(points.values[0], tables[0])
        previous = self._previous or first
        changed[0], moved[0] = previous.digest != first.digest, _least_movement(previous, first)
        changes = self._changes + np.cumsum(changed)
        moved[~np.isfinite(moved)] = 0.0
        with np.errstate(over="ignore"):
            moved[0] += self._drift
            drift = np.cumsum(moved)
        self.put_many(points._replace(values=np.column_stack((points.values, drift, changes))))
        self._drift, self._changes = float(drift[-1]), int(changes[-1])
        self._previous = _snapshot(points.values[-1], tables[-1])


def put_tables(snapshots: Sequence[tuple[HistogramSeries, Points]], shape: tuple[int, ...]) -> int:
    """Adds snapshots to several histograms; returns how many were left out since a count is negative or NaN.

    Args:
        snapshots: of each histogram, whose data are tables of buckets.
        shape: `[buckets, 3]` of the tables.
    """
    tables = np.concatenate([points.values for _, points in snapshots]).reshape(-1, *shape)
    statistics, valid = table_statistics(tables)
    tables, statistics = tables[valid], statistics[valid]
    changed, moved = np.zeros(len(tables), bool), np.zeros(len(tables))
    bits = tables.view(np.int64)
    changed[1:] = (bits[1:] != bits[:-1]).any(axis=(1, 2))
    moved[1:] = _least_movements(statistics[:-1], statistics[1:])
    start = first = 0
    for series, (steps, times, _) in snapshots:
        kept = valid[start : start + len(steps)]
        start += len(steps)
        of_series = slice(first, first + int(np.count_nonzero(kept)))
        first = of_series.stop
        if of_series.stop > of_series.start:
            points = Points(steps[kept], times[kept], statistics[of_series])
            series.put_statistics(points, tables[of_series], changed[of_series], moved[of_series])
    return len(valid) - len(tables)


def _least_movement(before: Snapshot, after: Snapshot) -> float:
    """Returns a lower bound of the largest movement of an element between two snapshots."""
    by_norm = abs(after.norm - before.norm) / max(1.0, after.size) ** 0.5
    return float(max(abs(after.low - before.low), abs(after.high - before.high), by_norm))


def _least_movements(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns `_least_movement` of several snapshots at once, `[n]`, from their statistics, `[n, 5]`."""
    with np.errstate(all="ignore"):
        low, high, norm = np.abs(after - before)[:, :3].T
        by_norm = norm / np.array([max(1.0, size) ** 0.5 for size in after[:, 4].tolist()])
    moved = np.where(high > low, high, low)  # NaN where the smallest element is, as max() gives it
    result: NDArray[np.float64] = np.where(by_norm > moved, by_norm, moved)
    return result


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
    statistics, valid = table_statistics(buckets[None])
    return _snapshot(statistics[0], buckets) if valid[0] else None


def table_statistics(tables: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Returns the statistics of tables of buckets, `[n, 5]`, and whether they are valid, `[n]`, as `from_buckets`."""
    if not tables.shape[1]:
        return np.zeros((len(tables), 5)), np.ones(len(tables), bool)
    left, right, count = np.ascontiguousarray(tables.transpose(2, 0, 1))
    low, high, size = left[:, 0], right[:, -1], count.sum(axis=1)
    with np.errstate(all="ignore"):
        squares = _dot(count, left * left + left * right + right * right) / 3
        mean = np.where(size != 0, _dot(count, left + right) / 2 / size, 0.0)
    norm = np.sqrt(np.where(squares > 0, squares, 0.0))
    statistics = np.column_stack((low, high, norm, mean, size))
    for i in np.flatnonzero(~np.isfinite(squares)):
        edges = tables[i, :, :2]
        if not np.isfinite(edges).all():
            statistics[i, :4] = math.nan if np.isnan(edges).any() else math.inf
    return statistics, count.min(axis=1) >= 0


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the dot product of each pair of rows, to the bit as `np.dot` does of a single one."""
    products: NDArray[np.float64] = np.matmul(a[:, None, :], b[:, :, None])
    return products[:, 0, 0]


def _snapshot(statistics: NDArray[np.float64], buckets: NDArray[np.float64]) -> Snapshot:
    low, high, norm, mean, size = statistics.tolist()
    return Snapshot(low, high, norm, mean, size, _digest(buckets))


def _digest(buckets: NDArray[np.float64]) -> int:
    return hash(buckets.tobytes())
