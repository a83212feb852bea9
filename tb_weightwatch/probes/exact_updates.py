"""The updates that an optimizer would make of float64 weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from ..capture.observe import base_optimizers
from .program import CannotRun, copied
from .slopes import dense
from .state import tensor_variable


def float64(variable: Any) -> Any:
    """Returns a variable's value as a float64 array."""
    return tensor_variable(variable).numpy().astype(np.float64)


def dense_pairs(gradients: list[Any], variables: list[Any]) -> list[tuple[Any, Any]]:
    """Returns (gradient as an array, variable) for the variables that have a gradient."""
    return [(dense(g), v) for g, v in zip(gradients, variables, strict=True) if g is not None]


def exact_updates(optimizers: list[Any], pairs: list[tuple[Any, Any]]) -> list[Any]:
    """Returns the updates that a copy of the only optimizer, with its slots, makes of float64 weights.

    Raises:
        CannotRun: there is not exactly one optimizer, or it cannot be copied.
    """
    if len(optimizers) != 1 or len(base_optimizers(optimizers[0])) != 1:
        raise CannotRun("there is not exactly one optimizer that could be copied in float64")
    source = base_optimizers(optimizers[0])[0]
    copy = copied(source)
    # Built for the same variables in the same order, the copy has the same slots.
    built_for = list(source._trainable_variables) if source.built else [variable for _, variable in pairs]
    doubles = {
        id(variable): keras.Variable(float64(variable), dtype="float64", trainable=True, name=variable.name)
        for variable in built_for
    }
    copy.build(list(doubles.values()))
    if source.built and len(source.variables) == len(copy.variables):
        for target, value in zip(copy.variables, source.variables, strict=True):
            target.assign(keras.ops.cast(value, target.dtype))
    weights = [doubles[id(variable)] for _, variable in pairs]
    before = [float64(weight) for weight in weights]
    copy.apply([keras.ops.convert_to_tensor(g.astype(np.float64)) for g, _ in pairs], weights)
    return [float64(weight) - old for weight, old in zip(weights, before, strict=True)]
