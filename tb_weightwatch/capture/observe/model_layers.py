"""Reads a Keras model's layers: their order, their activations, and which layer holds a variable."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..legacy.objects import direct_sublayers
from .observation import variable_id


def variable_name(variable: Any) -> str:
    """Returns a variable's full name: "dense/kernel"."""
    name = getattr(variable, "path", None) or getattr(variable, "name", None) or "variable"
    return str(name).removesuffix(":0")


def flat_layers(model: Any) -> list[Any]:
    """Returns the model's layers from input to output, nested ones at their place, without models and input layers."""
    layers: list[Any] = []
    visited: set[int] = set()

    def visit(parent: Any) -> None:
        for layer in direct_sublayers(parent):
            if id(layer) in visited or type(layer).__name__ == "InputLayer":
                continue
            visited.add(id(layer))
            if not hasattr(layer, "fit"):
                layers.append(layer)
            visit(layer)

    visit(model)
    return layers


def layer_by_variable(layers: list[Any]) -> dict[int, Any]:
    """Returns id of variable -> the innermost of the layers that holds it."""
    return {id(variable): layer for layer in layers for variable in getattr(layer, "variables", [])}


def is_batch_normalization(layer: Any) -> bool:
    """Checks whether a layer is a BatchNormalization, or of a class derived from it."""
    return any(kind.__name__ == "BatchNormalization" for kind in type(layer).__mro__)


def moving_statistics(model: Any) -> set[int]:
    """Returns the ids of the moving means and variances of the model's BatchNormalization layers."""
    layers = filter(is_batch_normalization, flat_layers(model))
    variables = (getattr(layer, name, None) for layer in layers for name in ("moving_mean", "moving_variance"))
    return {variable_id(v) for v in variables if v is not None}


def batch_normalization_facts(layer: Any) -> dict[str, Any]:
    """Returns {"batch_normalization": ...} of a BatchNormalization layer; {} of any other.

    The momentum of its moving statistics, the rank of its input (None before it is built), and whether it computes its
    statistics over all replicas.
    """
    if not is_batch_normalization(layer):
        return {}
    rank = getattr(getattr(layer, "input_spec", None), "ndim", None)
    settings = {
        "momentum": float(getattr(layer, "momentum", 0.99)),
        "input_rank": rank,
        "synchronized": bool(getattr(layer, "synchronized", False)),
    }
    return {"batch_normalization": settings}


def activation_of(layer: Any) -> str:
    """Returns the name of a layer's activation function; "" if it has none or it is not known."""
    kind = type(layer).__name__
    if kind in ("ReLU", "Softmax", "LeakyReLU", "ELU", "PReLU"):
        simple = kind == "ReLU" and not getattr(layer, "negative_slope", 0) and not getattr(layer, "threshold", 0)
        if simple:
            return "relu" if getattr(layer, "max_value", None) is None else f"relu{float(layer.max_value):g}"
        return "softmax" if kind == "Softmax" else kind.lower()
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", "") if callable(activation) else ""
    return "" if name == "linear" else str(name)


def units_of(layer: Any) -> int | None:
    """Returns the number of units or filters; None if the layer has no such attribute."""
    units = getattr(layer, "units", getattr(layer, "filters", None))
    return int(units) if isinstance(units, (int, np.integer)) else None


def untracked_variables(model: Any, layers: list[Any]) -> list[dict[str, Any]]:
    """Returns the trainable `tf.Variable`s that layers hold as attributes, but that are in none of Keras' lists."""
    import tensorflow as tf

    tracked = {variable_id(v) for v in getattr(model, "variables", [])}
    items: dict[int, dict[str, Any]] = {}
    for owner in [*layers, model]:
        for attribute, value in list(vars(owner).items()):
            candidates = value if isinstance(value, (list, tuple)) else [value]
            for variable in candidates[:50]:
                if not isinstance(variable, tf.Variable) or not variable.trainable or not variable.dtype.is_floating:
                    continue
                if variable_id(variable) not in tracked and not attribute.startswith("_"):
                    shape = variable.shape
                    items[variable_id(variable)] = {
                        "layer": str(getattr(owner, "name", "")), "attribute": attribute,
                        "name": variable_name(variable),
                        "shape": shape.as_list() if shape.rank is not None else [],
                        "size": int(np.prod(shape)) if shape.is_fully_defined() else 0,
                    }  # fmt: skip
    return list(items.values())
