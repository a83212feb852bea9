"""How far the weights move: against their size, per row and in all."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, root_sizes, trainable, usual_weight_scale
from .gradients import any_nonzero_gradient
from .incremental import LastRowOnly, incremental
from .loss_trend import loss_trend
from .memo import memoized
from .scans import Bool, Float


@memoized
def relative_update(history: History) -> Float | None:
    """Returns `[T, V]` the step against the weight's size, or its usual size if it is smaller (zero-initialised ones).

    NaN where the variable is not trainable or was not recorded.
    """
    update, weight = column(history, "update_norm"), column(history, "weight_norm")
    if update is None or weight is None:
        return None
    usual = usual_weight_scale(history) * root_sizes(history)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = update / np.maximum(weight, usual)
    ratio[:, ~trainable(history)] = np.nan
    return np.asarray(ratio)


@incremental
def any_moved(rows: History, carry: Carry) -> Bool:
    """Returns `[T]` whether a trainable variable moved in that row."""
    update = column(rows, "update_norm")
    return np.zeros(len(rows), bool) if update is None else np.asarray(((update > 0) & trainable(rows)).any(axis=1))


@incremental
def largest_relative_update(rows: History, carry: Carry) -> Float:
    """Returns `[T]` the largest of `relative_update` over the trainable variables, of one row; NaN if there is none."""
    return _largest(relative_update(rows), rows)


@incremental
def _mean_relative_updates(rows: History, carry: Carry) -> tuple[Float, LastRowOnly | None]:
    """Returns `[T]` the largest over the variables of the mean step so far (accumulation has many zeros), and `[V]`."""
    step = relative_update(rows)
    mean = None if step is None else carry.running_mean(step)
    return _largest(mean, rows), LastRowOnly(mean[-1].copy()) if mean is not None and len(mean) else None


def mean_relative_update(history: History) -> Float | None:
    """Returns `[V]` the mean of `relative_update` over all rows; None if it is not known."""
    found: Any = _mean_relative_updates(history)[1]
    return None if found is None else np.asarray(found)


def largest_mean_relative_update(history: History) -> Float:
    """Returns `[T]` the largest of the mean steps so far over the trainable variables; NaN if there is none."""
    return _mean_relative_updates(history)[0]


def _largest(values: Float | None, history: History) -> Float:
    if values is None or not values.shape[1]:
        return np.full(len(history), np.nan)
    return np.asarray(np.fmax.reduce(values, axis=1))


def barely_moving(history: History, step: float = 1e-4) -> Bool:
    """Returns `[T]` whether weights hardly move although their gradients are alive, and the loss does not get ahead."""
    trend, living = loss_trend(history), any_nonzero_gradient(history)
    # Weights that have hardly moved in all have not made the loss fall: other batches have.
    ahead = trend.enough_rows & trend.decreased & (trend.relative_decrease > 0.05) & (distance_moved(history) > 1e-5)
    slow = largest_mean_relative_update(history) < step
    return np.asarray((slow if living is None else slow & living) & ~ahead & ~(trend.enough_rows & trend.low()))


@memoized
def distance_moved(history: History) -> Float:
    """Returns `[T]` how far the trainable variables have moved so far, in times of their own size; the most of them.

    Steps between recorded ones are taken to be as large as the recorded ones on average.
    """
    return np.asarray(largest_mean_relative_update(history) * history.steps)
