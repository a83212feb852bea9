"""Signals from snapshots of the weights, which third-party logs contain as histograms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...history import History
from ..signals import Bool, Float, column, memoized, root_sizes, trainable, usual_weight_scale

STILL = 1e-6  # of an element's usual size, in total: a weight that moves less does not move


@memoized
def moved_since_last(history: History) -> Bool | None:
    """Returns `[T, V]` whether a weight moved between the snapshot of a row and the one before; None if not logged."""
    drift, norm = column(history, "weight_drift"), column(history, "weight_norm")
    if drift is None or norm is None:
        return None
    all_known = history.known("weight_drift")
    rows = _snapshot_rows(all_known)
    known = all_known[rows]
    drift_so_far = np.nan_to_num(_latest_known(drift[rows], known))
    largest_norm = np.nanmax(np.where(known, norm[rows], np.nan), axis=0, initial=0)
    element = np.fmax(largest_norm / root_sizes(history), usual_weight_scale(history))
    update = np.diff(drift_so_far, axis=0, prepend=drift_so_far[:1])
    moved = np.zeros(all_known.shape, bool)
    moved[rows] = known & (update > STILL * element)
    return moved


def any_weight_moved(history: History) -> Bool:
    """Returns `[T]` whether the snapshots show so far that a weight has moved."""
    drift = column(history, "weight_drift")  # by how much an element moved at least: exactly 0 if none moved
    if drift is None:
        return np.zeros(len(history), bool)
    drift_so_far = _latest_known(drift, history.known("weight_drift"))
    return np.logical_or.reduce((drift_so_far > 0) & trainable(history), axis=1)


def total_norm(history: History) -> Float:
    """Returns `[T]` the norm of all trainable weights together in rows with a snapshot; NaN in others."""
    norm = column(history, "weight_norm")
    if norm is None or not trainable(history).any():
        return np.full(len(history), np.nan)
    rows = np.flatnonzero(history.known("weight_norm")[:, trainable(history)].all(axis=1))
    total = np.full(len(history), np.nan)
    squares = norm[rows][:, trainable(history)] ** 2
    total[rows] = np.sqrt(np.cumsum(squares, axis=1)[:, -1])  # in one order, however many rows there are
    return total


def nonfinite_at_end(history: History) -> NDArray[np.intp]:
    """Returns the positions of the trainable variables that hold NaN or infinity in their last snapshot."""
    nonfinite = column(history, "weight_nonfinite")
    if nonfinite is None:
        return np.zeros(0, np.intp)
    known = history.known("weight_nonfinite")
    rows = _snapshot_rows(known)
    latest = _latest_known(nonfinite[rows], known[rows])[-1]
    return np.flatnonzero((latest > 0) & trainable(history))


def _snapshot_rows(known: Bool) -> NDArray[np.intp]:
    """Returns the rows with a snapshot, mostly few of all, and in any case the first row."""
    has_snapshot: Bool = np.logical_or.reduce(known, axis=1)
    has_snapshot[:1] = True
    return np.flatnonzero(has_snapshot)


def _latest_known(values: NDArray[np.float64], known: Bool) -> NDArray[np.float64]:
    """Returns `[T, V]` the last recorded value up to each row; NaN before there is one."""
    rows = np.maximum.accumulate(np.where(known, np.arange(len(values))[:, None], -1), axis=0)
    return np.where(rows >= 0, np.take_along_axis(values, np.maximum(rows, 0), axis=0), np.nan)
