"""How legacy Keras calls a model's `train_step`, and how a function takes its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .objects import is_legacy

TrainStep = Callable[[Any], Any]


def as_called(model: Any, train_step: TrainStep) -> TrainStep:
    """Returns the user's `train_step` as the model's train function would run it.

    Under `jit_compile=True` legacy Keras lets AutoGraph convert the step: its Python `if` may depend on tensors.
    """
    if not is_legacy(model) or not model.jit_compile or model.run_eagerly:
        return train_step
    autograph = tf.__internal__.autograph
    converted: TrainStep = autograph.tf_convert(train_step, autograph.control_status_ctx())
    return converted


def not_converted(function: TrainStep) -> TrainStep:
    """Returns the function, marked so that AutoGraph calls it as it is but goes on with the functions it calls."""
    function.autograph_info__ = {}  # type: ignore[attr-defined]
    return function
