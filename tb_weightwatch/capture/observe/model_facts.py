"""Describes the user's objects as JSON-able facts; odd objects give fewer facts, never an error."""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from ..._version import __version__
from .observation import base_optimizers, variable_id

_PLAIN = (str, int, float, bool, type(None))


def plain(value: Any, depth: int = 0) -> Any:
    """Returns `value` as JSON can hold it; what it can not is its text, cut short."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if depth < 4 and isinstance(value, dict):
        return {str(k): plain(v, depth + 1) for k, v in list(value.items())[:50]}
    if depth < 4 and isinstance(value, (list, tuple)):
        return [plain(v, depth + 1) for v in value[:50]]
    return str(value)[:200]


def versions() -> dict[str, str]:
    """Returns the versions of what takes part."""
    import keras
    import tensorflow as tf

    return {
        "tb_weightwatch": __version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def unique(names: Iterable[str]) -> list[str]:
    """Returns the names with "#2", "#3" ... added to repeated ones."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return found


def name_of(variable: Any) -> str:
    """Returns a variable's full name: "dense/kernel"."""
    name = getattr(variable, "path", None) or getattr(variable, "name", None) or "variable"
    return str(name).removesuffix(":0")


def flattened(model: Any) -> list[Any]:
    """Returns the model's layers from input to output, nested ones in their place; models and inputs are left out."""
    found: list[Any] = []
    seen: set[int] = set()

    def visit(parent: Any) -> None:
        for layer in list(getattr(parent, "_layers", [])):
            if id(layer) in seen or type(layer).__name__ == "InputLayer":
                continue
            seen.add(id(layer))
            if not hasattr(layer, "fit"):
                found.append(layer)
            visit(layer)

    visit(model)
    return found


def owned(layers: list[Any]) -> dict[int, Any]:
    """Returns id of variable -> the innermost of the layers that holds it."""
    return {id(variable): layer for layer in layers for variable in getattr(layer, "variables", [])}


def activation_of(layer: Any) -> str:
    """Returns the name of a layer's activation function; "" if it has none or it is not known."""
    kind = type(layer).__name__
    if kind in ("ReLU", "Softmax", "LeakyReLU", "ELU", "PReLU"):
        simple = kind == "ReLU" and not getattr(layer, "negative_slope", 0) and not getattr(layer, "threshold", 0)
        if simple:
            return "relu" if getattr(layer, "max_value", None) is None else f"relu{layer.max_value:g}"
        return "softmax" if kind == "Softmax" else kind.lower()
    found = getattr(layer, "activation", None)
    name = getattr(found, "__name__", "") if callable(found) else ""
    return "" if name == "linear" else str(name)


def units_of(layer: Any) -> int | None:
    """Returns the number of units or filters, if the layer says so."""
    found = getattr(layer, "units", getattr(layer, "filters", None))
    return int(found) if isinstance(found, (int, np.integer)) else None


def untracked(model: Any, layers: list[Any]) -> list[dict[str, Any]]:
    """Returns the trainable `tf.Variable`s that layers hold as attributes, but that Keras has in no list."""
    import tensorflow as tf

    known = {variable_id(v) for v in getattr(model, "variables", [])}
    found: dict[int, dict[str, Any]] = {}
    for owner in [*layers, model]:
        for attribute, value in list(vars(owner).items()):
            parts = value if isinstance(value, (list, tuple)) else [value]
            for part in parts[:50]:
                if not isinstance(part, tf.Variable) or not part.trainable or not part.dtype.is_floating:
                    continue
                if variable_id(part) not in known and not attribute.startswith("_"):
                    size = int(np.prod(part.shape)) if part.shape.is_fully_defined() else 0
                    shape = part.shape.as_list() if part.shape.rank is not None else []
                    found[variable_id(part)] = {
                        "layer": str(getattr(owner, "name", "")), "attribute": attribute, "name": name_of(part),
                        "shape": shape, "size": size,
                    }  # fmt: skip
    return list(found.values())


def model_facts(model: Any) -> dict[str, Any]:
    """Returns {"model": ..., "output_layer": ..., "precision": ...} of a Keras model."""
    layers = flattened(model)
    owners = owned(layers)
    described = [
        {
            "name": str(layer.name),
            "class": type(layer).__name__,
            "activation": activation_of(layer),
            "units": units_of(layer),
            "trainable": bool(getattr(layer, "trainable", True)),
            "weights": sum(int(np.prod(v.shape)) for v in layer.variables if owners[id(v)] is layer),
        }
        for layer in layers
    ]
    facts: dict[str, Any] = {
        "model": {
            "name": str(getattr(model, "name", "")),
            "class": type(model).__name__,
            "parameters": sum(one["weights"] for one in described),
            "layers": described,
            "untracked": untracked(model, layers),
        },
        "precision": str(getattr(getattr(model, "dtype_policy", None), "name", "")),
    }
    last = next((one for one in reversed(described) if one["class"] not in ("Flatten", "Reshape", "Dropout")), None)
    if last is not None:
        activation = last["activation"]
        weighted = next((one for one in reversed(described) if one["weights"]), last)
        facts["output_layer"] = {
            "name": weighted["name"],
            "activation": activation,
            "units": last["units"] or weighted["units"],
        }
    return facts


def optimizer_facts(optimizers: Iterable[Any]) -> dict[str, Any]:
    """Returns {"optimizers": [...]} of the optimizers that truly update."""
    found = []
    for leaf in (leaf for one in optimizers for leaf in base_optimizers(one)):
        try:
            config = plain(leaf.get_config())
        except Exception:
            config = {}
        found.append({"class": type(leaf).__name__, "name": str(getattr(leaf, "name", "")), "config": config})
    return {"optimizers": found}


def loss_facts(model: Any) -> dict[str, Any]:
    """Returns {"loss": ...} of a compiled model; {} if it has none that is known."""
    loss = getattr(model, "loss", None)
    if loss is None:
        return {}
    found: dict[str, Any] = {"name": "", "class": "", "from_logits": None}
    if isinstance(loss, str):
        found["name"] = loss
    else:
        found["class"] = "" if isinstance(loss, (dict, list)) else type(loss).__name__
        found["name"] = str(getattr(loss, "name", getattr(loss, "__name__", "")))
        try:
            config = loss.get_config()
            found["from_logits"] = config.get("from_logits")
        except Exception:
            found["from_logits"] = None
    return {"loss": found}


def variable_items(variables: list[Any], model: Any, optimizers: list[Any]) -> list[dict[str, Any]]:
    """Returns the description of each variable, in the given order."""
    owners = {k: str(layer.name) for k, layer in owned(flattened(model)).items()}
    built = [leaf for one in optimizers for leaf in base_optimizers(one) if getattr(leaf, "built", False)]
    known = {variable_id(v) for leaf in built for v in getattr(leaf, "_trainable_variables", [])}
    names = unique(name_of(v) for v in variables)
    return [
        {
            "name": name,
            "shape": [int(n) for n in variable.shape],
            "dtype": str(getattr(variable.dtype, "name", variable.dtype)),
            "layer": owners.get(id(variable), name.rpartition("/")[0]),
            "trainable": bool(getattr(variable, "trainable", True)),
            "optimized": (variable_id(variable) in known) if built else None,
        }
        for name, variable in zip(names, variables, strict=True)
    ]


def layer_uses(model: Any) -> list[tuple[Any, dict[str, Any]]]:
    """Returns the layers whose outputs are read (those with an activation), with their description.

    The output of a linear layer is not read: a ReLU may follow that TensorFlow fuses with it, which a second reader
    would undo. The fused kernel makes 0 of a NaN, the others do not, so that a training with NaN would be another one.
    """
    chosen = [
        layer
        for layer in flattened(model)
        if activation_of(layer) or type(layer).__name__ in ("Normalization", "Rescaling")
    ]
    names = unique(str(layer.name) for layer in chosen)
    return [
        (layer, {"name": name, "kind": type(layer).__name__, "activation": activation_of(layer)})
        for name, layer in zip(names, chosen, strict=True)
    ]


def shape_facts(inputs: Any = None, targets: Any = None, predictions: Any = None) -> dict[str, Any]:
    """Returns the shapes and types of the first batch; of nested structures, of the first tensor."""
    import tensorflow as tf

    found: dict[str, Any] = {}
    for name, value in (("input", inputs), ("target", targets), ("prediction", predictions)):
        tensors = [x for x in tf.nest.flatten(value) if hasattr(x, "shape") and hasattr(x, "dtype")]
        if tensors:
            first = tensors[0]
            found[f"{name}_shape"] = [None if n is None else int(n) for n in first.shape]
            found[f"{name}_dtype"] = str(getattr(first.dtype, "name", first.dtype))
    return found


_AVERAGES = ("momentums", "_momentums", "_velocities", "_m", "_u", "_accumulated_grads")  # all begin at zero


def optimizer_state(optimizers: Iterable[Any], trained: Collection[int]) -> str:
    """Returns "zero" or "alive": whether Keras optimizers' averages of the gradients are all exactly zero.

    "" where nothing is kept, or for other variables than those trained (by `variable_id`).
    """
    averages: list[Any] = []
    for one in optimizers:
        if not {variable_id(v) for v in getattr(one, "_trainable_variables", ())} & set(trained):
            return ""
        averages += [v for name in _AVERAGES for v in getattr(one, name, None) or ()]
    if not averages:
        return ""
    return "alive" if any(np.any(np.asarray(v)) for v in averages) else "zero"
