"""The effects of updates that are too large, by which learning-rate-too-large judges them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...history import History
from .carry import Carry
from .columns import anything_nonfinite, column, root_sizes, select_columns, usual_weight_scale
from .incremental import incremental
from .layer_outputs import dead_layers
from .loss_trend import loss_trend
from .model_structure import trainable_kernels
from .movement import largest_relative_update
from .scans import Bool, Float, ever, running_max, running_mean, streak


class LargeUpdateEffects(NamedTuple):
    """The effects of updates that are too large, each `[T]`; if several hold, the first is stated.

    Attributes:
        became_nonfinite: values became NaN or infinite after the loss, the weights or an update had grown.
        loss_rose: the loss is far above its start.
        loss_jumped: the loss was enormous once and is not clearly better than at first.
        weights_grew: the weights are many times their first norm, and the loss does not fall.
        relu_died: a ReLU layer that was alive at first is dead, after updates as large as the weights.
        gradient_flips: the gradient points against that of the step before, and the loss does not fall.
    """

    became_nonfinite: Bool
    loss_rose: Bool
    loss_jumped: Bool
    weights_grew: Bool
    relu_died: Bool
    gradient_flips: Bool


def effects_of_large_updates(history: History, rise: float, growth: float, rows: int) -> LargeUpdateEffects:
    """Returns the effects that hold at each row; the thresholds are those of learning-rate-too-large."""
    trend = loss_trend(history)
    enough_rows = trend.finite_rows >= rows
    rose = _loss_rose(history, rise)
    not_falling = (~trend.decreased | trend.near_constant_loss(0.95)) & (
        trend.recent > 0.9 * np.minimum(trend.start, np.fmax(trend.constant_loss, trend.start))
    )
    persistent = streak(not_falling & enough_rows) >= rows
    nonfinite = ever(anything_nonfinite(history))
    useless = (~trend.decreased | trend.near_constant_loss(0.9)) & ~trend.low()
    flips = running_mean(_gradient_cosine(history)) < -0.5
    return LargeUpdateEffects(
        became_nonfinite=nonfinite & ever(_grew_while_finite(history)),
        loss_rose=enough_rows & rose & (streak(rose) >= rows // 2) & ~nonfinite,
        loss_jumped=enough_rows & _loss_jumped(history) & ~nonfinite,
        weights_grew=(weight_growth(history) > growth) & persistent & ~nonfinite,
        relu_died=_relu_died(history) & useless & ~nonfinite,
        gradient_flips=flips & persistent & (trend.finite_rows >= 2 * rows) & ~nonfinite,
    )


@incremental
def weight_growth(rows: History, carry: Carry) -> Float:
    """Returns `[T]` the largest factor by which the norm of a trainable kernel exceeds its first one."""
    weight, update = column(rows, "weight_norm"), column(rows, "update_norm")
    assert weight is not None and update is not None
    kernels = trainable_kernels(rows)
    weight = select_columns(weight, kernels)
    typical_norm = (usual_weight_scale(rows) * root_sizes(rows))[kernels]
    if not weight.shape[1]:
        return np.full(len(rows), np.nan)
    # The first row holds the weight after its update; the update itself bounds what was there before.
    first, change = carry.first_known(weight), carry.first_known(select_columns(update, kernels))
    origin = np.maximum(np.maximum(first - np.where(np.isfinite(change), change, 0), 0), 0.1 * first)
    # A kernel that starts at zero (a bias of several axes, an adapter) has not blown up when it is of typical size.
    ratio = np.where(origin > 0, weight / np.maximum(origin, 0.3 * typical_norm), np.nan)
    return np.asarray(np.fmax.reduce(np.where(np.isfinite(ratio), ratio, np.nan), axis=1))


def _loss_scale(history: History) -> Float:
    """Returns `[T]` the size of the loss at its start, or that of a constant prediction if it is larger."""
    trend = loss_trend(history)
    return np.maximum(np.abs(trend.start), np.where(np.isfinite(trend.constant_loss), trend.constant_loss, 0))


def _loss_rose(history: History, rise: float) -> Bool:
    """Returns `[T]` whether the loss is far above its start."""
    trend = loss_trend(history)
    rose = trend.recent - trend.start > (rise - 1) * _loss_scale(history) + trend.noise
    # With tiny batches the start is a mean of several losses, and the jump may be among them: the very first decides.
    first = np.fmax(trend.first, trend.constant_loss)
    rose |= (trend.recent - trend.recent_margin > 1.5 * first) & (first > 0) & trend.loss_is_known
    return np.asarray(rose | trend.diverged)


def _loss_jumped(history: History) -> Bool:
    """Returns `[T]` whether the loss was enormous once and is not clearly better than at first."""
    trend = loss_trend(history)
    no_better = (trend.recent > 0.8 * trend.start) & (trend.start > 0)
    jumped = (trend.peak - trend.start > 9 * _loss_scale(history)) & no_better
    # With tiny batches the last few losses may be bad by chance, unless they are worse by far.
    sure = (trend.recent - trend.recent_margin > 0.8 * trend.start) | (trend.recent > 10 * trend.start)
    return np.asarray(jumped & sure)


@incremental
def _gradient_cosine(rows: History, carry: Carry) -> Float:
    """Returns `[T]` the cosine of the gradient with that of the step before, mean over the kernels."""
    cosine = column(rows, "gradient_cosine")
    if cosine is None:
        return np.full(len(rows), np.nan)
    cosine = select_columns(cosine, trainable_kernels(rows))
    known = np.isfinite(cosine)
    count = np.where(known.any(axis=1), known.sum(axis=1), np.nan)
    return np.asarray(np.where(known, cosine, 0).sum(axis=1) / count)


def _grew_while_finite(history: History) -> Bool:
    """Returns `[T]` whether the loss, the weights or an update became enormous while everything was still finite."""
    trend = loss_trend(history)
    finite = ~ever(anything_nonfinite(history))
    jumped = trend.peak > 10 * np.maximum(np.abs(trend.start), 1e-12)
    large_update = largest_relative_update(history) > 3
    return np.asarray(finite & (jumped | (weight_growth(history) > 10) | large_update))


def _relu_died(history: History) -> Bool:
    """Returns `[T]` whether a ReLU layer that was alive in the first row is dead, after a large update."""
    return np.asarray(_dead_now(history) & (running_max(largest_relative_update(history)) > 0.3))


@incremental
def _dead_now(rows: History, carry: Carry) -> Bool:
    """Returns `[T]` whether a layer that was alive in the first row is dead."""
    dead_share = column(rows, "dead_share")
    if dead_share is None:
        return np.zeros(len(rows), bool)
    return np.asarray((dead_layers(rows) & (carry.first_known(dead_share) < 0.9)).any(axis=1))
