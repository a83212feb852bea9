"""What rules share: causal helpers over rows, and how to read the recorded settings. Everything here is pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..history import History

Bool = NDArray[np.bool_]
Float = NDArray[np.floating[Any]]


def ever(mask: Bool) -> Bool:
    """Returns, per row, whether `mask` held at that row or any before it (along the first axis)."""
    return np.logical_or.accumulate(mask, axis=0)


def streak(mask: Bool) -> NDArray[np.int64]:
    """Returns, per row, for how many rows up to it `mask` has held without a break."""
    count = np.cumsum(mask, axis=0, dtype=np.int64)
    broken = np.where(mask, 0, count)
    return count - np.maximum.accumulate(broken, axis=0)


def trailing_mean(values: Float, window: int) -> Float:
    """Returns, per row, the mean over the last `window` rows up to it, leaving out NaN (NaN if there is no number)."""
    finite = np.isfinite(values)
    total = np.cumsum(np.where(finite, values, 0.0), axis=0, dtype=np.float64)
    count = np.cumsum(finite, axis=0, dtype=np.int64)
    if len(values) > window:
        total[window:] -= total[:-window].copy()
        count[window:] -= count[:-window].copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0, total / count, np.nan))


def column(history: History, name: str) -> Float | None:
    """Returns a column as float64, or None if it was never recorded."""
    return history.column(name).astype(np.float64) if history.has(name) else None


def trainable(history: History) -> Bool:
    """Returns `[V]` whether each variable is trainable, as last described."""
    return np.array([v.trainable for v in history.variables], bool)


def optimizer(history: History) -> dict[str, Any]:
    """Returns the first optimizer's recorded description: "class", "name", "config"; {} if none is known."""
    found = history.facts.get("optimizers") or [{}]
    return dict(found[0])
