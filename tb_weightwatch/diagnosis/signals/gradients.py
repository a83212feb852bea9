"""Where gradients are alive."""

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
    """Returns `[T, V]` where a trainable variable has a finite gradient that is not zero; None if not recorded."""
    norm = column(history, "gradient_norm")
    return None if norm is None else (norm > 0) & np.isfinite(norm) & trainable(history)


@incremental
def any_nonzero_gradient(rows: History, carry: Carry) -> Bool | None:
    """Returns `[T]` where any trainable variable has a finite gradient that is not zero; None if not recorded."""
    living = nonzero_gradient(rows)
    return None if living is None else np.asarray(living.any(axis=1))


@memoized
def all_gradients_zero(history: History) -> Bool:
    """Returns `[T]` whether, as last known, no trainable variable had a gradient but zero; False while not known.

    Snapshots and accumulated gradients leave rows between in which it is not known.
    """
    living = any_nonzero_gradient(history)
    if living is None:
        return np.zeros(len(history), bool)
    known = history.known("gradient_norm").any(axis=1)
    return np.asarray(latest_known(np.where(known, living, np.nan)) == 0)
