"""What optimizers count: their updates, the loss scale, and the step by which a learning rate schedule goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ..legacy.objects import is_legacy
from ..legacy.optimizers import good_steps, loss_scale, scheduled_rate, was_skipped
from ..observe.observation import base_optimizers


class OptimizerCounters(NamedTuple):
    """The counters of a loop's optimizers between two steps; None where there is none.

    Attributes:
        iterations: number of updates; of several optimizers, the sum.
        loss_scale: factor by which the first optimizer scales the loss.
        schedule_step: the step for which the first optimizer's schedule gives the learning rate of the next update.
        rate: that learning rate itself, of an optimizer of legacy Keras.
        good_steps: how many steps a LossScaleOptimizer of legacy Keras has applied with the present scale.
    """

    iterations: Any = None
    loss_scale: Any = None
    schedule_step: Any = None
    rate: Any = None
    good_steps: Any = None


def all_base_optimizers(optimizers: Sequence[Any]) -> list[Any]:
    """Returns the optimizers that do the updates, without those that wrap them."""
    return [base for optimizer in optimizers for base in base_optimizers(optimizer)]


def optimizer_counters(optimizers: Sequence[Any]) -> OptimizerCounters:
    """Returns the counters as they are now; later updates do not change them."""
    if not optimizers:
        return OptimizerCounters()
    outer, base = optimizers[0], base_optimizers(optimizers[0])[0]
    if is_legacy(outer):
        return _legacy_counters(optimizers)
    # Until its first update a LossScaleOptimizer is not built, and scales by its initial scale.
    scale = getattr(outer, "dynamic_scale" if getattr(outer, "built", False) else "initial_scale", None)
    schedule_step = None
    if _schedule(base) is not None:
        # `_iterations` is not divided by the steps of accumulation; old Keras has `iterations` alone.
        count = base._iterations if hasattr(base, "_iterations") else base.iterations
        schedule_step = tf.identity(tf.convert_to_tensor(count))
    return OptimizerCounters(
        iterations=_iterations(optimizers),
        loss_scale=None if scale is None else tf.convert_to_tensor(scale),
        schedule_step=schedule_step,
    )


def learning_rate(optimizers: Sequence[Any], counters: OptimizerCounters) -> Any:
    """Returns the learning rate of the update that began at these counters, or None."""
    if not optimizers:
        return None
    base = base_optimizers(optimizers[0])[0]
    if counters.rate is not None:
        return counters.rate
    if counters.schedule_step is not None:
        return base._learning_rate(counters.schedule_step)
    return getattr(base, "learning_rate", None)


def applied_iterations(before: OptimizerCounters, after: OptimizerCounters) -> Any:
    """Returns the number of updates after a step; None after one that a LossScaleOptimizer of legacy Keras skipped."""
    if after.good_steps is not None and was_skipped(before.loss_scale, after.loss_scale, after.good_steps):
        return None
    return after.iterations


def _legacy_counters(optimizers: Sequence[Any]) -> OptimizerCounters:
    outer = optimizers[0]
    scale, count, rate = loss_scale(outer), good_steps(outer), scheduled_rate(base_optimizers(outer)[0])
    return OptimizerCounters(
        iterations=_iterations(optimizers),
        loss_scale=None if scale is None else tf.convert_to_tensor(scale),
        rate=rate,
        good_steps=None if count is None else tf.convert_to_tensor(count),
    )


def _iterations(optimizers: Sequence[Any]) -> Any:
    counts = [getattr(base, "iterations", None) for base in all_base_optimizers(optimizers)]
    if not counts or any(count is None for count in counts):
        return None
    values = [tf.convert_to_tensor(count) for count in counts]
    return values[0] if len(values) == 1 else tf.add_n([tf.cast(value, tf.int64) for value in values])


def _schedule(base: Any) -> Any:
    schedule = getattr(base, "_learning_rate", None)
    return schedule if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule) else None
