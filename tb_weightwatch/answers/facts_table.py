"""Recorded facts as labels and values. Facts come from disk, so nothing is assumed about their types."""

from __future__ import annotations

from typing import Any

from ..history import History
from ..verdict import number

_GRADIENTS = {
    "used": "as the optimizer uses them",
    "raw": "as passed to the optimizer; clipping was not observed",
    "none": "not recorded",
}


def facts(history: History) -> list[dict[str, str]]:
    """Returns label and value of what is known of model, optimizer, loss, data and versions."""
    recorded = history.facts
    optimizers = [_call(o.get("class"), o.get("config")) for o in _dicts(recorded.get("optimizers"))]
    loss, model = recorded.get("loss"), recorded.get("model")
    table = {
        "Model": _model(history, model) if isinstance(model, dict) else "",
        "Optimizer": "; ".join(optimizers),
        "Loss": _loss(loss) if isinstance(loss, dict) else "",
        "Precision": _text(recorded.get("precision")),
        "Input": _text(recorded.get("input_shape")),
        "Target": " ".join(filter(None, (_text(recorded.get("target_shape")), _text(recorded.get("target_dtype"))))),
        "Gradients": _GRADIENTS.get(_text(recorded.get("gradients")), ""),
        "Recording": _recording(history),
        "Versions": _pairs(recorded.get("versions"), " "),
    }
    return [{"label": label, "value": value} for label, value in table.items() if value]


def as_float(value: Any) -> float | None:
    """Returns a number that came from disk, or None if it is not a number."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _model(history: History, model: dict[str, Any]) -> str:
    name, parameters = _text(model.get("name")), model.get("parameters")
    items = [name, f"{len(history.variables):,} variables"]
    if isinstance(parameters, int):
        items.append(f"{parameters:,} parameters")
    return ", ".join(filter(None, items))


def _loss(loss: dict[str, Any]) -> str:
    name = _text(loss.get("class")) or _text(loss.get("name"))
    return name if loss.get("from_logits") is None else f"{name}(from_logits={bool(loss['from_logits'])})"


def _recording(history: History) -> str:
    recorder = history.facts.get("recorder")
    kind = _text(recorder.get("kind")) if isinstance(recorder, dict) else ""
    names = {"fit": "by WeightWatch in fit", "loop": "by Watch in a loop", "summary": "by ww.summary"}
    recorder_name = names.get(kind, kind)
    return f"{recorder_name}, {len(history):,} rows" if recorder_name else f"{len(history):,} rows"


def _call(name: Any, config: Any) -> str:
    arguments = config if isinstance(config, dict) else {}
    relevant = {key: value for key, value in arguments.items() if key != "name" and value not in (None, False, "")}
    if not arguments.get("use_ema"):
        relevant.pop("ema_momentum", None)
    return f"{_text(name)}({_pairs(relevant, '=')})"


def _pairs(values: Any, sign: str) -> str:
    return ", ".join(f"{k}{sign}{_text(v)}" for k, v in values.items()) if isinstance(values, dict) else ""


def _text(value: Any) -> str:
    if isinstance(value, float):
        return number(value, 6)
    if isinstance(value, dict):
        inner = value.get("config")
        if isinstance(inner, dict):
            return _call(value.get("class_name") or value.get("class"), inner)
        return _pairs(value, "=")
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_text(item) or '?' for item in value)})"
    return "" if value is None else str(value)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
