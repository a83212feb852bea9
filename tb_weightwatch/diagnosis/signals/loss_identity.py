"""Which loss a training computes, by its value: compared with usual losses of the very same batch."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import run_column
from .scans import Bool, ever

_CLOSE = 2e-4  # a float32 loss against a float64 one
_APART = 2e-3  # two readings must differ by more, for the loss to tell them apart


def loss_equals(history: History, reading: str, other: str, least: int = 3) -> Bool:
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


def loss_below(history: History, readings: tuple[str, ...]) -> Bool:
    """Returns `[T]` whether the loss was ever less than each of these: more it can be (regularised, not clipped)."""
    least = np.fmin.reduce([run_column(history, reading) for reading in readings])
    return ever(run_column(history, "loss") < 0.99 * least - 1e-5)


def loss_matches(history: History, readings: tuple[str, ...]) -> Bool:
    """Returns `[T]` whether the loss has been what one of these readings gives, in every row so far that tells."""
    loss, known, alike = run_column(history, "loss"), np.zeros(len(history), bool), np.zeros(len(history), bool)
    for reading in readings:
        value = run_column(history, reading)
        told = np.isfinite(value) & np.isfinite(loss)
        known, alike = known | told, alike | told & (np.abs(loss - value) <= 0.01 * np.abs(value) + 1e-5)
    return np.asarray(ever(alike) & ~ever(known & ~alike))
