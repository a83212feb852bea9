"""Facts about a model from the JSON that Keras' TensorBoard callback writes. It comes from disk: nothing is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...schema import parse_object

_PASS_THROUGH = ("Flatten", "Reshape", "Dropout")
_MAX_LAYERS = 20_000
_MAX_DEPTH = 20  # of nested models
_MAX_VALUES = 1 << 20  # of the JSON: 50 for each of 20,000 layers


def keras_facts(text: bytes) -> dict[str, Any]:
    """Returns the facts that the JSON of a Keras model contains, as the recorder writes them; {} if it is damaged."""
    try:
        model = parse_object(text.decode(), _MAX_VALUES)
        layers = list(_layers(model, 0))[:_MAX_LAYERS]
    except (ValueError, RecursionError, AttributeError, TypeError):
        return {}
    config, compiled = _dict(model.get("config")), _dict(model.get("compile_config"))
    facts: dict[str, Any] = {
        "model": {"name": str(config.get("name", "")), "class": str(model.get("class_name", "")), "layers": layers}
    }
    optimizer = _dict(compiled.get("optimizer"))
    if isinstance(optimizer.get("class_name"), str):
        settings = _dict(optimizer.get("config"))
        name = str(settings.get("name", ""))
        facts["optimizers"] = [{"class": optimizer["class_name"], "name": name, "config": settings}]
    loss = _loss(compiled.get("loss"))
    if loss is not None:
        facts["loss"] = loss
    outputs = config.get("output_layers")
    has_one_output = model.get("class_name") == "Sequential" or (isinstance(outputs, list) and len(outputs) == 1)
    if layers and has_one_output:
        last = next((x for x in reversed(layers) if x["class"] not in _PASS_THROUGH), layers[-1])
        units = next((x["units"] for x in reversed(layers) if x["units"]), None)
        facts["output_layer"] = {"name": last["name"], "activation": last["activation"], "units": units}
    return facts


def frozen_layers(facts: dict[str, Any]) -> set[str]:
    """Returns the names of the layers that are not trainable."""
    return {x["name"] for x in _dict(facts.get("model")).get("layers", ()) if not x["trainable"]}


def _layers(model: Any, depth: int, trainable: bool = True) -> Iterator[dict[str, Any]]:
    """Yields the layers from input to output; those of a nested model in its position."""
    config = _dict(_dict(model).get("config"))
    is_trainable = trainable and config.get("trainable", True) is not False
    inner = config.get("layers")
    if isinstance(inner, list) and depth < _MAX_DEPTH:
        for layer in inner:
            yield from _layers(layer, depth + 1, is_trainable)
        return
    kind = str(_dict(model).get("class_name", ""))
    if depth and kind != "InputLayer":
        units = config.get("units", config.get("filters"))
        activation = config.get("activation")
        own = {"ReLU": "relu", "Softmax": "softmax"}.get(kind, "")
        yield {
            "name": str(config.get("name", "")),
            "class": kind,
            "activation": own or (activation if isinstance(activation, str) and activation != "linear" else ""),
            "units": units if isinstance(units, int) else None,
            "trainable": is_trainable,
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
