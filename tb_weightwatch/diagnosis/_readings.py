"""Which loss a training computes, by its value: compared with usual losses of the very same batch."""

from __future__ import annotations

import numpy as np

from ..history import History
from ._signals import Bool, ever, run_column

_CLOSE = 2e-4  # a float32 loss against a float64 one
_APART = 2e-3  # two readings must differ by more, for the loss to tell them apart


def equals(history: History, reading: str, other: str, least: int = 3) -> Bool:
    """Returns `[T]` whether the loss so far is exactly what `reading` gives, and not what `other` gives.

    Args:
        history: what was recorded.
        reading: column of the loss that it would be.
        other: column of the loss that it should be.
        least: batches that must tell (one, if the loss became NaN then); all that can tell must say the same.
    """
    loss, this, that = (run_column(history, name) for name in ("loss", reading, other))
    size = np.maximum(np.abs(this), 1e-6)
    told = np.isfinite(loss) & np.isfinite(this) & (np.abs(this - that) > _APART * size)
    same = told & (np.abs(loss - this) <= _CLOSE * size)
    # Where the loss is lost, no more batches will tell.
    enough = (np.cumsum(same) >= least) | (np.cumsum(same) >= 1) & ever(history.known("loss") & ~np.isfinite(loss))
    return np.asarray(enough & (np.cumsum(told & ~same) == 0))
