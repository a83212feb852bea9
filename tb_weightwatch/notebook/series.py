"""The two series that a notebook shows: the loss, and the update ratio of the whole model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..history import History

_ROWS = 4096  # that are reduced at once: all rows of a thousand variables in float64 may not fit in memory
Series = tuple[NDArray[np.int64], NDArray[np.float64]]  # `[N]` steps at which it was recorded, `[N]` values


def loss(history: History) -> Series:
    """Returns the loss where it was recorded."""
    known = history.known("loss") if history.has("loss") else np.zeros(len(history), bool)
    values = history.loss[known] if known.any() else np.zeros(0)
    return history.steps[known], np.asarray(values, np.float64)


def update_ratio(history: History) -> Series:
    """Returns ||update|| / ||weight|| over all trainable variables together, at the steps at which all were recorded.

    It is NaN or infinite where one of the norms is not finite, or where all weights are zero.
    """
    if not history.has("update_norm", "weight_norm"):
        return np.zeros(0, np.int64), np.zeros(0)
    trainable = np.array([variable.trainable for variable in history.variables], bool)
    known = (history.known("update_norm") & history.known("weight_norm"))[:, trainable]
    rows = np.flatnonzero(known.all(axis=1)) if trainable.any() else np.zeros(0, np.intp)
    update, weight = (_norms(history.column(name), rows, trainable) for name in ("update_norm", "weight_norm"))
    with np.errstate(all="ignore"):
        return history.steps[rows], np.where(update == 0, 0.0, update / weight)


def _norms(norms: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Returns `[len(rows)]` the norm of the chosen columns of `[T, V]` norms together."""
    parts = [rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)]
    with np.errstate(all="ignore"):
        squares = [np.square(norms[part][:, columns], dtype=np.float64).sum(axis=1) for part in parts]
    return np.asarray(np.sqrt(np.concatenate([np.zeros(0), *squares])))
