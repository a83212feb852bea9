"""Lines of code that name the layer, loss or optimizer that is there."""

from __future__ import annotations

import numpy as np

from ..history import History
from .signals import (
    is_recorded,
    largest_relative_update,
    latest_run_value,
    literal,
    loss_facts,
    loss_name,
    loss_trend,
    model_facts,
    model_layers,
    optimizer_class,
    output_activation,
    recorded_layers,
    round_learning_rate,
    running_max,
    set_learning_rate_code,
    usual_learning_rate,
    variables,
    weight_growth,
)

_ONE_NUMBER = ("Dense", "LSTM", "GRU", "SimpleRNN")  # classes whose only positional argument is their width
_ACTIVATIONS = ("ReLU", "LeakyReLU", "Activation", "ELU", "Softmax")


def layer_class(history: History, name: str) -> str:
    """Returns the class of the layer (or layer use) of that name; "" if it is not known."""
    bare = name.split("#", maxsplit=1)[0].split(" (", maxsplit=1)[0].split(":", maxsplit=1)[0]
    classes = {str(layer.get("name")): str(layer.get("class") or "") for layer in model_layers(history)}
    uses = {layer.name: layer.kind for layer in recorded_layers(history)}
    return classes.get(bare) or classes.get(bare.rsplit("/", 1)[-1]) or uses.get(name) or ""


def layer_code(history: History, name: str, options: str) -> str:
    """Returns the call that makes the layer of that name with other options, "keras.layers.Conv2D(8, 3, ...)".

    Args:
        history: what was recorded.
        name: name of the layer, or of one of its uses.
        options: the keyword arguments to write; an activation layer takes none.
    """
    kind = layer_class(history, name) or "Dense"
    if kind in _ACTIVATIONS:
        return "keras.layers.LeakyReLU()" if "leaky" in options else f"keras.layers.{kind}(...)"
    return f"keras.layers.{kind}({', '.join(filter(None, [_width(history, name, kind), options]))})"


def _width(history: History, name: str, kind: str) -> str:
    """Returns the positional arguments: units, or filters and the kernel's size; "..." if they are not known."""
    bare = name.split("#", maxsplit=1)[0].split(" (", maxsplit=1)[0].split(":", maxsplit=1)[0]
    shapes = [v.shape for v in variables(history) if v.layer == bare and len(v.shape) > 1]
    if kind == "Dense":
        return str(shapes[0][-1]) if shapes else "units"
    if kind in ("Conv1D", "Conv2D", "Conv3D") and shapes and len(shapes[0]) == int(kind[4]) + 2:
        size = shapes[0][:-2]
        return f"{shapes[0][-1]}, {size[0] if len(set(size)) == 1 else size}"
    return "units" if kind in _ONE_NUMBER else "..."


def layer_of_variable(history: History, name: str) -> str:
    """Returns the name of the layer that owns a variable; the variable's own name if it belongs to none."""
    return next((v.layer or v.name for v in variables(history) if v.name == name), name)


def cross_entropy_class(history: History) -> str:
    """Returns the class of the cross-entropy that is used, or that fits the output where the loss is not known."""
    recorded, name = str(loss_facts(history).get("class") or ""), loss_name(history)
    if recorded.endswith("Crossentropy"):
        return recorded
    if "binary" in name or output_activation(history) == "sigmoid":
        return "BinaryCrossentropy"
    one_hot = "categorical" in name and "sparse" not in name and not name.startswith("guess")
    return "CategoricalCrossentropy" if one_hot else "SparseCategoricalCrossentropy"


def points_to_divergence(history: History, row: int) -> bool:
    """Whether weights or loss had grown, or the learning rate is far above the usual one, before a row.

    Then values that are not finite are the end of a divergence, and no small constant inside a logarithm prevents it.
    """
    rate = float(latest_run_value(history, "learning_rate")[row])
    if rate > 30 * usual_learning_rate(history):
        return True
    if not row:
        return False
    trend, before = loss_trend(history), row - 1
    loss_grew = trend.peak[before] > 100 * max(abs(float(trend.start[before])), 1e-12)
    if not is_recorded(history, "weight_norm") or not is_recorded(history, "update_norm"):
        return bool(loss_grew)
    updates = running_max(largest_relative_update(history))[before]
    return bool(loss_grew or updates > 1 or weight_growth(history)[before] > 10)


def lower_learning_rate_fix(history: History, row: int) -> str:
    """Returns the fix of a divergence: a lower learning rate for the optimizer that is used, and clipping."""
    rate, usual = float(latest_run_value(history, "learning_rate")[row]), usual_learning_rate(history)
    lower = usual if not rate > 0 or rate > 10 * usual else round_learning_rate(rate / 10)
    known = f" from {literal(rate)}" if np.isfinite(rate) and rate > 0 else ""
    return (
        f"Restart from finite weights, lower the learning rate{known} to about {literal(lower)}, and clip the gradient "
        f"(global_clipnorm=1.0 of {optimizer_class(history) or 'the optimizer'}):\n"
        f"{set_learning_rate_code(history, lower)}"
    )


def output_layer_code(history: History, options: str = "") -> str:
    """Returns the call that makes the output layer with these options only."""
    name = str((model_facts(history).get("output_layer") or {}).get("name") or "")
    return layer_code(history, name, options)
