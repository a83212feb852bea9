"""Whether all Python code of a training step belongs to Keras and TensorFlow, so that tracing it leaves nothing behind.

Code of the user's may keep values while it is traced: a layer that assigns something at its first call, a loss that
counts its calls. What such a step does depends on how often it has been traced.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import keras
import tensorflow as tf

from .users_train_function import is_made_by_keras

_LIBRARIES = {"keras", "tensorflow", "numpy", "builtins"}
_WITH_MODULE = type, FunctionType, BuiltinFunctionType, MethodType


def is_keras_code(model: Any, optimizers: Iterable[Any]) -> bool:
    """Checks whether model, layers, loss, metrics and optimizers, and the functions they were given, are of Keras.

    Args:
        model: a compiled model of Keras 3, whose methods are not replaced at the moment.
        optimizers: its optimizers, outermost ones.
    """
    layers = list(model._flatten_layers())
    parts = [*layers, *(o for layer in layers for o in getattr(layer, "operations", ())), *optimizers]
    try:
        return is_made_by_keras(model) and all(map(_is_of_keras, (*parts, *_compiled(model))))
    except AttributeError:  # another version of Keras
        return False


def _compiled(model: Any) -> list[Any]:
    """Returns the losses and metrics that `compile` was given, by name or otherwise."""
    loss, metrics = model._compile_loss, model._compile_metrics
    given = [loss._user_loss if loss else None]
    given += [metrics._user_metrics, metrics._user_weighted_metrics] if metrics else []
    flattened: list[Any] = tf.nest.flatten(given)
    return flattened


def _is_of_keras(part: Any) -> bool:
    """Checks whether the type of a part is of Keras, and all that can be called among its attributes."""
    if isinstance(part, str):
        return part not in keras.saving.get_custom_objects()
    called = [value for value in getattr(part, "__dict__", {}).values() if callable(value)]
    return _library(part) in _LIBRARIES and all(_library(value) in _LIBRARIES for value in called)


def _library(value: Any) -> str:
    """Returns the name of the package that defines a function, a class or the class of an instance."""
    definer = value if isinstance(value, _WITH_MODULE) else type(value)
    return str(getattr(definer, "__module__", "")).partition(".")[0]
