"""Describes the user's objects in values that JSON can hold. Unusual objects give fewer facts, never an error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..legacy.objects import direct_sublayers, frozen_ids, is_legacy, is_trained
from .loss_names import whole_loss_name
from .model_layers import (
    activation_of,
    batch_normalization_facts,
    flat_layers,
    layer_by_variable,
    units_of,
    untracked_variables,
    variable_name,
)
from .observation import base_optimizers, current_shape, variable_id
from .optimizer_facts import config_of, optimized_variables


def unique_names(names: Iterable[str]) -> list[str]:
    """Returns the names with "#2", "#3" ... appended to repeated ones."""
    counts: dict[str, int] = {}
    unique = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        unique.append(name if counts[name] == 1 else f"{name}#{counts[name]}")
    return unique


def model_facts(model: Any) -> dict[str, Any]:
    """Returns {"model": ..., "output_layer": ..., "precision": ...} of a Keras model."""
    layers = flat_layers(model)
    owners = layer_by_variable(layers)
    items = [
        {
            "name": str(layer.name),
            "class": type(layer).__name__,
            "activation": activation_of(layer),
            "units": units_of(layer),
            "trainable": bool(getattr(layer, "trainable", True)),
            "weights": sum(int(np.prod(v.shape)) for v in layer.variables if owners[id(v)] is layer),
            **batch_normalization_facts(layer),
        }
        for layer in layers
    ]
    facts: dict[str, Any] = {
        "model": {
            "name": str(getattr(model, "name", "")),
            "class": type(model).__name__,
            "parameters": sum(item["weights"] for item in items),
            "layers": items,
            "untracked": untracked_variables(model, layers),
            "own_train_step": has_own_train_step(model),
        },
        "precision": str(getattr(getattr(model, "dtype_policy", None), "name", "")),
    }
    last = next((item for item in reversed(items) if item["class"] not in ("Flatten", "Reshape", "Dropout")), None)
    if last is not None:
        weighted = next((item for item in reversed(items) if item["weights"]), last)
        facts["output_layer"] = {
            "name": weighted["name"],
            "activation": last["activation"],
            "units": last["units"] or weighted["units"],
        }
    return facts


def has_own_train_step(model: Any) -> bool:
    """Checks whether a program defines the training step of the model, and Keras does not."""
    definer = next((kind for kind in type(model).__mro__ if "train_step" in vars(kind)), type(model))
    return definer.__module__.partition(".")[0] not in ("keras", "tf_keras", "tensorflow")


def loss_tracker(model: Any) -> Any:
    """Returns the metric that a training step of one's own keeps its loss in: the whole loss, if it has several."""
    trackers = {str(metric.name): metric for metric in reversed(model.metrics)}
    name = whole_loss_name(reversed(trackers))
    return None if name is None else trackers[name]


def loss_facts(model: Any) -> dict[str, Any]:
    """Returns {"loss": ...} of a compiled model; {} if it has no loss that is known."""
    loss = getattr(model, "loss", None)
    if loss is None:
        return {}
    if isinstance(loss, str):
        return {"loss": {"name": loss, "class": "", "from_logits": None}}
    from_logits = config_of(loss).get("from_logits")
    name = str(getattr(loss, "name", getattr(loss, "__name__", "")))
    kind = "" if isinstance(loss, (dict, list)) else type(loss).__name__
    return {"loss": {"name": name, "class": kind, "from_logits": from_logits}}


def variable_items(variables: list[Any], model: Any, optimizers: list[Any]) -> list[dict[str, Any]]:
    """Returns the description of each variable, in the given order."""
    owners = {k: str(layer.name) for k, layer in layer_by_variable(flat_layers(model)).items()}
    bases = [base for optimizer in optimizers for base in base_optimizers(optimizer)]
    optimized = optimized_variables(bases, variables)
    frozen = frozen_ids([model] if is_legacy(model) else direct_sublayers(model))
    names = unique_names(variable_name(v) for v in variables)
    return [
        {
            "name": name,
            "shape": current_shape(variable),
            "dtype": str(getattr(variable.dtype, "name", variable.dtype)),
            "layer": owners.get(id(variable), name.rpartition("/")[0]),
            "trainable": is_trained(variable, frozen),
            "optimized": None if optimized is None else variable_id(variable) in optimized,
        }
        for name, variable in zip(names, variables, strict=True)
    ]


def layer_uses(model: Any) -> list[tuple[Any, dict[str, Any]]]:
    """Returns the layers whose outputs are read, with their description. These are the layers with an activation.

    The output of a linear layer is not read: TensorFlow may fuse it with the ReLU that follows, which a second
    consumer would prevent. The fused kernel turns a NaN into 0, the separate ones do not, so that a training with NaN
    would be another one.
    """
    layers = [
        layer
        for layer in flat_layers(model)
        if activation_of(layer) or type(layer).__name__ in ("Normalization", "Rescaling")
    ]
    names = unique_names(str(layer.name) for layer in layers)
    return [
        (layer, {"name": name, "kind": type(layer).__name__, "activation": activation_of(layer)})
        for name, layer in zip(names, layers, strict=True)
    ]


def shape_facts(inputs: Any = None, targets: Any = None, predictions: Any = None) -> dict[str, Any]:
    """Returns the shapes and types of the first batch; for a nested structure those of its first tensor."""
    import tensorflow as tf

    facts: dict[str, Any] = {}
    for name, value in (("input", inputs), ("target", targets), ("prediction", predictions)):
        tensors = [x for x in tf.nest.flatten(value) if hasattr(x, "shape") and hasattr(x, "dtype")]
        if tensors:
            first = tensors[0]
            facts[f"{name}_shape"] = [None if n is None else int(n) for n in first.shape]
            facts[f"{name}_dtype"] = str(getattr(first.dtype, "name", first.dtype))
    return facts
