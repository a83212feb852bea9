"""Checks of the arguments of `Watch`, with messages that say what was expected and what came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from ..observe import replicas
from .targets import symbolic

INSIDE_FUNCTION = (
    "watch.step(...) must be called outside of tf.function, where it can read what the step did; call it right after "
    "the traced function:\n    loss = train_step(x, y)\n    watch.step(loss)"
)


def as_list(value: Any, name: str, needs: str) -> list[Any]:
    """Returns one Keras object, or a list of them, as a list.

    Args:
        value: the argument.
        name: its name.
        needs: an attribute that each object must have, or "".

    Raises:
        TypeError: it is something else.
    """
    objects = list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]
    for item in objects:
        if isinstance(item, (str, bytes, int, float)) or (needs and not hasattr(item, needs)):
            raise TypeError(f"{name} must be a Keras {name} or a list of them, got {type(item).__name__}")
    return objects


def checked_variables(values: Iterable[Any] | None) -> list[Any]:
    """Returns the variables as a list; raises TypeError if one is not a variable."""
    variables = list(values or ())
    for value in variables:
        if isinstance(value, np.ndarray):
            raise TypeError("variables must be Keras or TensorFlow variables, got a numpy array")
        if not (hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "assign")):
            raise TypeError(f"variables must be Keras or TensorFlow variables, got {type(value).__name__}")
    return variables


def check_values(loss: Any, **arguments: Any) -> None:
    """Raises ValueError if the loss is one of each replica, or a value holds a tensor of a traced function."""
    if replicas.is_per_replica(loss):
        raise ValueError(
            "loss must be one value, got one of each replica; reduce it: "
            'watch.step(strategy.reduce("SUM", loss, axis=None)), or "MEAN" if it is not yet divided by the size of '
            "the whole batch"
        )
    for name, value in {"loss": loss, **arguments}.items():
        if any(symbolic(tensor) for tensor in tf.nest.flatten(value)):
            raise ValueError(
                f"{name} must be a value, got a tensor of a traced tf.function; return it from the function: "
                "loss, ... = train_step(x, y)"
            )
