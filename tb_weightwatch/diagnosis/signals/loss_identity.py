"""Identifies the loss that a training computes by its value: compares it with usual losses of the same batch."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import run_column
from .scans import Bool, ever

_EQUAL = 2e-4  # relative difference allowed between a float32 loss and a float64 one
_DISTINCT = 2e-3  # relative difference between two candidates from which the loss can distinguish them


def loss_equals(history: History, reading: str, other: str, least: int = 3) -> Bool:
    """Returns `[T]` whether the loss so far equals the candidate `reading` and not the candidate `other`.

    Args:
        history: what was recorded.
        reading: column of the candidate that the loss may be.
        other: column of the candidate that the loss should be.
        least: number of batches that must distinguish the two (one, if the loss became NaN or infinite); all batches
            that distinguish them must agree.
    """
    loss, candidate, alternative = (run_column(history, name) for name in ("loss", reading, other))
    size = np.maximum(np.abs(candidate), 1e-6)
    distinct = np.abs(candidate - alternative) > _DISTINCT * size
    comparable = np.isfinite(loss) & np.isfinite(candidate) & distinct
    equal = comparable & (np.abs(loss - candidate) <= _EQUAL * size)
    # After the loss became NaN no later batch can distinguish them.
    lost = ever(history.known("loss") & ~np.isfinite(loss))
    enough = (np.cumsum(equal) >= least) | (np.cumsum(equal) >= 1) & lost
    return enough & (np.cumsum(comparable & ~equal) == 0)


def loss_below(history: History, readings: tuple[str, ...]) -> Bool:
    """Returns `[T]` whether the loss was ever below each of these candidates.

    A loss above a candidate proves nothing: regularisation adds to it, and predictions may not be clipped.
    """
    smallest = np.fmin.reduce([run_column(history, reading) for reading in readings])
    return ever(run_column(history, "loss") < 0.99 * smallest - 1e-5)


def loss_matches(history: History, readings: tuple[str, ...]) -> Bool:
    """Returns `[T]` whether the loss has equalled one of these candidates in every row so far where one is known."""
    loss = run_column(history, "loss")
    comparable, equal = np.zeros(len(history), bool), np.zeros(len(history), bool)
    for reading in readings:
        candidate = run_column(history, reading)
        both_known = np.isfinite(candidate) & np.isfinite(loss)
        comparable |= both_known
        equal |= both_known & (np.abs(loss - candidate) <= 0.01 * np.abs(candidate) + 1e-5)
    return ever(equal) & ~ever(comparable & ~equal)
