"""Where gradients are non-zero, and their norm over all variables."""

from __future__ import annotations

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, select_columns, trainable
from .incremental import incremental
from .memo import memoized
from .scans import Bool, Float, latest_known


@memoized
def nonzero_gradient(history: History) -> Bool | None:
    """Returns `[T, V]` where a trainable variable has a finite non-zero gradient; None if not recorded."""
    norm = column(history, "gradient_norm")
    return None if norm is None else (norm > 0) & np.isfinite(norm) & trainable(history)


@incremental
def any_nonzero_gradient(span: History, carry: Carry) -> Bool | None:
    """Returns `[T]` where any trainable variable has a finite non-zero gradient; None if not recorded."""
    nonzero = nonzero_gradient(span)
    return None if nonzero is None else np.logical_or.reduce(nonzero, axis=1)


@memoized
def all_gradients_zero(history: History) -> Bool:
    """Returns `[T]` whether the gradients of all trainable variables were zero when last known; False before that.

    Rows between snapshots or accumulated gradients have no recorded gradient.
    """
    nonzero = any_nonzero_gradient(history)
    if nonzero is None:
        return np.zeros(len(history), bool)
    known = history.known("gradient_norm").any(axis=1)
    return latest_known(np.where(known, nonzero, np.nan)) == 0


@incremental
def global_norm(rows: History, carry: Carry, name: str) -> Float:
    """Returns `[T]` the norm over all trainable variables; NaN where it is not known.

    Args:
        rows: what was recorded.
        carry: of the signal.
        name: the column of the variables' norms, "gradient_norm" or "raw_gradient_norm" (before clipping).
    """
    norm = column(rows, name)
    if norm is None or not trainable(rows).any():
        return np.full(len(rows), np.nan)
    norm = select_columns(norm, trainable(rows))
    known = np.isfinite(norm).any(axis=1)
    return np.where(known, np.sqrt(np.sum(np.where(np.isfinite(norm), norm, 0) ** 2, axis=1)), np.nan)


def clipping_ratio(history: History) -> Float:
    """Returns `[T]` the gradient norm after clipping over that before it; NaN where either is 0 or not known."""
    after, before = (global_norm(history, name) for name in ("gradient_norm", "raw_gradient_norm"))
    return np.where((before > 0) & (after > 0), after / np.where(before > 0, before, 1), np.nan)
