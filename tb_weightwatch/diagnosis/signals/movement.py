"""How far the weights move relative to their size, per row and in total."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, root_sizes, trainable, usual_weight_scale
from .gradients import any_nonzero_gradient
from .incremental import incremental
from .loss_trend import loss_trend
from .memo import memoized
from .scans import Bool, Float
from .signal_rows import LastRowOnly


@memoized
def relative_update(history: History) -> Float | None:
    """Returns `[T, V]` the update norm over the weight norm; None if one of them is not recorded.

    A weight smaller than usual for its shape (initialised with zeros) counts with its usual size. NaN where the
    variable is not trainable or was not recorded.
    """
    update, weight = column(history, "update_norm"), column(history, "weight_norm")
    if update is None or weight is None:
        return None
    usual_norm = usual_weight_scale(history) * root_sizes(history)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio: Float = update / np.maximum(weight, usual_norm)
    ratio[:, ~trainable(history)] = np.nan
    return ratio


@incremental
def any_moved(span: History, carry: Carry) -> Bool:
    """Returns `[T]` whether a trainable variable moved in that row."""
    update = column(span, "update_norm")
    if update is None:
        return np.zeros(len(span), bool)
    return np.logical_or.reduce((update > 0) & trainable(span), axis=1)


@incremental
def largest_relative_update(span: History, carry: Carry) -> Float:
    """Returns `[T]` the largest `relative_update` of the trainable variables in that row; NaN if there is none."""
    return _largest(relative_update(span), span)


@incremental
def _mean_relative_updates(span: History, carry: Carry) -> tuple[Float, LastRowOnly | None]:
    """Returns `[T]` the largest of the variables' mean relative updates so far, and `[V]` those means in the last row.

    It is a mean because accumulation of gradients leaves many updates of zero.
    """
    update = relative_update(span)
    mean = None if update is None else carry.running_mean(update)
    return _largest(mean, span), LastRowOnly(mean[-1].copy()) if mean is not None and len(mean) else None


def mean_relative_update(history: History) -> Float | None:
    """Returns `[V]` the mean of `relative_update` over all rows; None if it is unknown."""
    mean: Any = _mean_relative_updates(history)[1]  # `incremental` unwraps the LastRowOnly
    return None if mean is None else np.asarray(mean)


def largest_mean_relative_update(history: History) -> Float:
    """Returns `[T]` the largest of the trainable variables' mean relative updates so far; NaN if there is none."""
    return _mean_relative_updates(history)[0]


def _largest(values: Float | None, history: History) -> Float:
    if values is None or not values.shape[1]:
        return np.full(len(history), np.nan)
    return np.fmax.reduce(values, axis=1)


def barely_moving(history: History, step: float = 1e-4) -> Bool:
    """Returns `[T]` whether weights hardly move although gradients are non-zero, and the loss does not improve.

    Args:
        history: what was recorded.
        step: mean relative update below which weights hardly move.
    """
    trend, nonzero = loss_trend(history), any_nonzero_gradient(history)
    # If the weights have hardly moved in total, a lower loss comes from other batches and not from learning.
    moved_enough = distance_moved(history) > 1e-5
    improving = trend.enough_rows & trend.decreased & (trend.relative_decrease > 0.05) & moved_enough
    slow = largest_mean_relative_update(history) < step
    return (slow if nonzero is None else slow & nonzero) & ~improving & ~(trend.enough_rows & trend.low())


@memoized
def distance_moved(history: History) -> Float:
    """Returns `[T]` how far the trainable variables have moved, in multiples of their size; the largest of them.

    Updates between recorded rows are assumed to be as large as the recorded ones on average.
    """
    return largest_mean_relative_update(history) * history.steps
