"""Where gradients are non-zero."""

from __future__ import annotations

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, trainable
from .incremental import incremental
from .memo import memoized
from .scans import Bool, latest_known


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
