"""Reads the optimizers of legacy Keras: those of TensorFlow 2.11 and newer, and `tf_keras.optimizers.legacy`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import tensorflow as tf

from .objects import is_legacy, is_legacy_schedule

_SCALE_AFTER, _GOOD_STEPS = "loss_scale_after", "good_steps"


def is_old_style(base: Any) -> bool:
    """Checks whether an optimizer is one of `tf_keras.optimizers.legacy`, which keep their settings as "hypers"."""
    return is_legacy(base) and hasattr(base, "_decayed_lr")


def optimized_ids(base: Any, variables: Collection[Any]) -> set[int] | None:
    """Returns the ids of those of the variables that a legacy optimizer was built for; None if that is not known."""
    positions = getattr(base, "_index_dict", None)
    if positions is None:  # not built, or of the old style, which notes the variables that have slots only
        return None
    return {id(v) for v in variables if getattr(v, "_unique_id", None) in positions}


def scheduled_rate(base: Any) -> Any:
    """Returns the learning rate of a legacy optimizer's next update, if the rate depends on the step; None if not."""
    if is_old_style(base):
        with tf.init_scope():  # as the optimizer itself makes them, in its first update
            base._create_hypers()
        decays = base._initial_decay or is_legacy_schedule(base._hyper.get("learning_rate"))
        return base._decayed_lr(tf.float32) if decays else None
    schedule: Any = getattr(base, "_learning_rate", None)
    return tf.convert_to_tensor(schedule(base.iterations)) if is_legacy_schedule(schedule) else None


def next_rate(base: Any) -> Any:
    """Returns the learning rate of a legacy optimizer's next update; its attribute is still that of the last one."""
    rate = scheduled_rate(base)
    return getattr(base, "learning_rate", None) if rate is None else rate


def used_rate(base: Any) -> Any:
    """Returns the learning rate of a legacy optimizer's update that is being made."""
    rate = base._decayed_lr(tf.float32) if is_old_style(base) else base.learning_rate
    return tf.identity(rate)


def loss_scale(optimizer: Any) -> Any:
    """Returns the factor by which a legacy LossScaleOptimizer scales the loss; None for another optimizer."""
    return optimizer.loss_scale if hasattr(optimizer, "inner_optimizer") else None


def good_steps(optimizer: Any) -> Any:
    """Returns how many steps a legacy LossScaleOptimizer has applied with the present scale; None without one."""
    return getattr(optimizer, "dynamic_counter", None) if is_legacy(optimizer) else None


def was_skipped(scale_before: Any, scale_after: Any, good_steps_after: Any) -> bool:
    """Checks whether a legacy LossScaleOptimizer has skipped a step, which it counts as an iteration nevertheless."""
    return int(good_steps_after) == 0 and float(scale_after) <= float(scale_before)


def numbers_after(optimizer: Any) -> dict[str, Any]:
    """Returns what tells, after a step, whether a legacy LossScaleOptimizer has skipped it; {} for any other."""
    count = good_steps(optimizer)
    if count is None:
        return {}
    return {_SCALE_AFTER: loss_scale(optimizer), _GOOD_STEPS: tf.convert_to_tensor(count)}


def without_skipped(run: dict[str, Any]) -> dict[str, Any]:
    """Returns a step's numbers without those of `numbers_after`, and without `iterations` if it was skipped."""
    if _GOOD_STEPS not in run:
        return run
    skipped = was_skipped(run["loss_scale"], run[_SCALE_AFTER], run[_GOOD_STEPS])
    left_out = {_SCALE_AFTER, _GOOD_STEPS, *(["iterations"] if skipped else [])}
    return {name: value for name, value in run.items() if name not in left_out}
