"""Whether anything was learned, batch by batch: the loss against what a constant answer gets on the very same batch."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import run_column
from .loss_trend import loss_facts, loss_name
from .memo import memoized
from .scans import Bool, Float, running_mean


@memoized
def batch_constant_loss(history: History) -> Float:
    """Returns `[T]` what the best constant so far would have cost on each batch; NaN where it can not be said.

    A batch of hard targets costs both of them more, so their difference shows a hundredth where the loss itself, which
    scatters by a tenth, shows nothing. Known for a recorded squared error and binary cross-entropy.
    """
    name, known = loss_name(history), bool(loss_facts(history))
    mean, deviation = run_column(history, "target_mean"), run_column(history, "target_std")
    so_far = running_mean(mean)
    if known and "squared" in name and "log" not in name:
        return np.asarray(deviation**2 + (mean - so_far) ** 2)
    if known and "binary" in name:
        p = np.clip(so_far, 1e-6, 1 - 1e-6)
        return np.asarray(-(mean * np.log(p) + (1 - mean) * np.log(1 - p)))
    return np.full(len(history), np.nan)


@memoized
def beats_constant(history: History, rows: int = 30) -> Bool:
    """Returns `[T]` whether the loss was below that of a constant answer, batch by batch, by more than chance.

    Over the latter half of the rows so far, by three standard errors.
    """
    ahead = batch_constant_loss(history) - run_column(history, "loss")
    known = np.isfinite(ahead)
    total = np.r_[0.0, np.cumsum(np.where(known, ahead, 0))]
    square = np.r_[0.0, np.cumsum(np.where(known, ahead**2, 0))]
    count = np.r_[0, np.cumsum(known)]
    now = np.arange(1, len(ahead) + 1)
    half = now // 2
    n = np.maximum(count[now] - count[half], 1)
    mean = (total[now] - total[half]) / n
    spread = np.sqrt(np.maximum((square[now] - square[half]) / n - mean**2, 0))
    return np.asarray((n >= rows) & (mean > 3 * spread / np.sqrt(n)))
