"""Checks of the arguments of `Watch`, with messages that say what was expected and what came."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..arguments import received

INSIDE_FUNCTION = (
    "watch.step(...) must be called outside of tf.function, where it can read what the step did; call it right after "
    "the traced function:\n    loss = train_step(x, y)\n    watch.step(loss)"
)
NOTHING_TO_WATCH = (
    "there is nothing to watch: ww.Watch got neither a model nor variables, and watch.step got no variables either; "
    "pass the model, ww.Watch(logdir, model=model, optimizer=optimizer), or what is trained, "
    "ww.Watch(logdir, variables=[w, b])"
)
# What an optimizer of one's own may be is not known; these are certainly none.
_NO_OPTIMIZER = (
    *(str, bytes, int, float, Mapping, np.ndarray, tf.Tensor, tf.Variable, keras.Variable, keras.layers.Layer),
    *(keras.losses.Loss, keras.metrics.Metric, keras.optimizers.schedules.LearningRateSchedule),
)


def model_list(value: Any) -> list[Any]:
    """Returns one Keras model or several as a list; raises TypeError if one is something else."""
    models = _as_list(value)
    for model in models:
        if isinstance(model, type):
            raise TypeError(f"model must be a Keras model, got {received(model)}; make one: {model.__name__}(...)")
        if isinstance(model, (str, bytes, int, float)) or not hasattr(model, "call"):
            raise TypeError(f"model must be a Keras model or a list of them, got {received(model)}{_model_hint(model)}")
    return models


def optimizer_list(value: Any) -> list[Any]:
    """Returns one optimizer or several as a list; raises TypeError if one is something else."""
    optimizers = _as_list(value)
    for optimizer in optimizers:
        if isinstance(optimizer, type):
            hint = f"make one: {optimizer.__name__}(...)"
        elif isinstance(optimizer, str):
            hint = "make one, keras.optimizers.get(name), and use it in the loop"
        elif isinstance(optimizer, keras.layers.Layer):
            hint = "the model comes first: ww.Watch(logdir, model=model, optimizer=optimizer)"
        elif isinstance(optimizer, _NO_OPTIMIZER) or inspect.isroutine(optimizer):
            hint = "pass the object whose apply_gradients the loop calls"
        else:
            continue
        raise TypeError(f"optimizer must be an optimizer or a list of them, got {received(optimizer)}; {hint}")
    return optimizers


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]


def _model_hint(model: Any) -> str:
    if hasattr(model, "apply_gradients"):
        return "; the model comes first: ww.Watch(logdir, model=model, optimizer=optimizer)"
    if isinstance(model, Mapping):
        return "; pass list(models.values())"
    if isinstance(model, tf.Module):
        return "; pass variables=module.trainable_variables instead"
    return "; without a model, pass variables=[...]"


def checked_variables(values: Iterable[Any] | None) -> list[Any]:
    """Returns the variables as a list; raises TypeError if one is not a variable."""
    if values is None:
        return []
    hint = ""
    if is_variable(values):
        hint = "; pass a list: variables=[variable]"
    elif isinstance(values, Mapping):
        hint = "; pass list(variables.values())"
    elif hasattr(values, "trainable_variables"):
        hint = "; pass its trainable_variables"
    if hint or isinstance(values, (str, bytes)) or not isinstance(values, Iterable) or tf.is_tensor(values):
        raise TypeError(f"variables must be a list of Keras or TensorFlow variables, got {received(values)}{hint}")
    variables = list(values)
    for value in variables:
        if not is_variable(value):
            raise TypeError(f"variables must be Keras or TensorFlow variables, got {received(value)} among them")
    return variables


def is_variable(value: Any) -> bool:
    """Whether a value is a variable of Keras or TensorFlow."""
    return hasattr(value, "assign") and hasattr(value, "shape") and hasattr(value, "dtype")
