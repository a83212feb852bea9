"""What Keras' own TensorBoard callback writes of the model, as facts: layers, optimizer, loss. It comes from disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_SILENT = ("Flatten", "Reshape", "Dropout")
_MOST = 20_000  # layers


def keras_facts(text: bytes) -> dict[str, Any]:
    """Returns facts as the recorder writes them, as far as the JSON of a Keras model tells; {} if it can't be read."""
    try:
        model = json.loads(text)
        layers = list(_layers(model, 0))[:_MOST]
    except (ValueError, RecursionError, AttributeError, TypeError):
        return {}
    compiled = _dict(model.get("compile_config"))
    found: dict[str, Any] = {
        "model": {"name": str(_dict(model.get("config")).get("name", "")), "class": str(model.get("class_name", "")),
                  "layers": layers}
    }  # fmt: skip
    optimizer = _dict(compiled.get("optimizer"))
    if isinstance(optimizer.get("class_name"), str):
        config = _dict(optimizer.get("config"))
        found["optimizers"] = [
            {"class": optimizer["class_name"], "name": str(config.get("name", "")), "config": config}
        ]
    loss = _loss(compiled.get("loss"))
    if loss is not None:
        found["loss"] = loss
    outputs = _dict(model.get("config")).get("output_layers")
    if layers and (model.get("class_name") == "Sequential" or (isinstance(outputs, list) and len(outputs) == 1)):
        last = next((x for x in reversed(layers) if x["class"] not in _SILENT), layers[-1])
        units = next((x["units"] for x in reversed(layers) if x["units"]), None)
        found["output_layer"] = {"name": last["name"], "activation": last["activation"], "units": units}
    return found


def frozen(facts: dict[str, Any]) -> set[str]:
    """Returns the names of the layers that are set not to train."""
    return {x["name"] for x in _dict(facts.get("model")).get("layers", ()) if not x["trainable"]}


def _layers(model: Any, depth: int, trainable: bool = True) -> Iterator[dict[str, Any]]:
    """Yields the layers from input to output, nested models' in their place."""
    config = _dict(_dict(model).get("config"))
    trains = trainable and config.get("trainable", True) is not False
    inner = config.get("layers")
    if isinstance(inner, list) and depth < 20:
        for layer in inner:
            yield from _layers(layer, depth + 1, trains)
        return
    kind = str(_dict(model).get("class_name", ""))
    if depth and kind != "InputLayer":
        units = config.get("units", config.get("filters"))
        activation = config.get("activation")
        known = {"ReLU": "relu", "Softmax": "softmax"}.get(kind, "")
        yield {
            "name": str(config.get("name", "")),
            "class": kind,
            "activation": known or (activation if isinstance(activation, str) and activation != "linear" else ""),
            "units": units if isinstance(units, int) else None,
            "trainable": trains,
        }


def _loss(loss: Any) -> dict[str, Any] | None:
    if isinstance(loss, str):
        return {"name": loss, "class": "", "from_logits": None}
    config = _dict(_dict(loss).get("config"))
    if isinstance(_dict(loss).get("class_name"), str) and loss["class_name"] != "function":
        name, logits = str(config.get("name", "")), config.get("from_logits")
        return {"name": name, "class": loss["class_name"], "from_logits": logits}
    return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
