"""Batches of which every sample gets the same prediction."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import run_column
from .scans import Bool

_SAMPLES = 4  # in a batch, or equal predictions may be chance
_SPREAD = 1e-6  # relative to the predictions and the targets


def equal_predictions(history: History) -> tuple[Bool, Bool]:
    """Returns `[T]` whether it is known how predictions differ within the batch, and whether they are all equal."""
    spread, mean = run_column(history, "prediction_std"), run_column(history, "prediction_mean")
    targets, samples = run_column(history, "target_std"), run_column(history, "batch_size")
    known = np.isfinite(spread) & (samples >= _SAMPLES)
    size = np.maximum(np.abs(np.nan_to_num(mean)), np.nan_to_num(targets))
    return known, known & (spread <= _SPREAD * size)
