"""New initial weights for a model that has been trained, so that changed data can be tried from the beginning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from ..capture.observe import total_iterations
from .program import Program, copied, layers_of
from .state import tensor_variable


def initializer(program: Program) -> Callable[[], None] | None:
    """Returns a function that assigns new initial weights and slots; None if there are none, or none are needed."""
    if program.model is None or not total_iterations(program.optimizers):
        return None
    if any(layer.weights and not layer.trainable for layer in layers_of(program)):
        return None  # frozen weights were loaded, as a rule
    try:
        clone = keras.models.clone_model(program.model)
        assignments = _pairs(program.model.weights, clone.weights)
        for optimizer in program.optimizers:
            new = copied(optimizer)
            new.build(program.model.trainable_variables)
            assignments += _pairs(optimizer.variables, new.variables)
    except Exception:  # a model of one's own may be made in any way
        return None
    rates = {id(tensor_variable(getattr(o, "_learning_rate", None))) for o in program.optimizers}
    kept = [(variable, value) for variable, value in assignments if id(variable) not in rates]

    def assign() -> None:
        for variable, value in kept:
            variable.assign(value)

    return assign


def _pairs(variables: Any, new: Any) -> list[tuple[Any, Any]]:
    """Returns each variable with its new value.

    Raises:
        ValueError: the two do not correspond.
    """
    if [(v.shape, v.dtype) for v in variables] != [(v.shape, v.dtype) for v in new]:
        raise ValueError("the new weights must have the shapes and dtypes of the present ones")
    return [(tensor_variable(v), tf.identity(tensor_variable(n))) for v, n in zip(variables, new, strict=True)]
