"""Recorded facts in words. Facts come from disk: nothing is taken for granted of their types."""

from __future__ import annotations

from typing import Any

from ..history import History
from ..verdict import number

_GRADIENTS = {
    "used": "as the optimizer uses them",
    "raw": "as handed over; clipping was not seen",
    "none": "not recorded",
}
_SHORT = 60.0  # seconds; the budget of recording is one over a minute and more


def facts(history: History) -> list[dict[str, str]]:
    """Returns label and value of what is known of model, optimizer, loss, data and versions."""
    known = history.facts
    optimizers = [_call(o.get("class"), o.get("config")) for o in _dicts(known.get("optimizers"))]
    loss, model = known.get("loss"), known.get("model")
    found = {
        "Model": _model(history, model) if isinstance(model, dict) else "",
        "Optimizer": "; ".join(optimizers),
        "Loss": _loss(loss) if isinstance(loss, dict) else "",
        "Precision": _plain(known.get("precision")),
        "Input": _plain(known.get("input_shape")),
        "Target": " ".join(filter(None, (_plain(known.get("target_shape")), _plain(known.get("target_dtype"))))),
        "Gradients": _GRADIENTS.get(_plain(known.get("gradients")), ""),
        "Recording": _recording(history),
        "Versions": _pairs(known.get("versions"), " "),
    }
    return [{"label": label, "value": value} for label, value in found.items() if value]


def cost(history: History) -> str:
    """Returns what recording cost, in a sentence, or ""."""
    told = history.of_kind("cost")
    data = told[-1].data if told else {}
    share, seconds, once = (real(data.get(name)) for name in ("overhead", "seconds", "once"))
    if share is None:
        whole = data.get("overhead", "") is None
        return "What recording cost is not known: nearly every step was recorded." if whole else ""
    if seconds is None or not 0 < seconds < _SHORT:
        return f"Recording cost {number(100 * share, 2)} % of the training time."
    # In seconds: so short a training is mostly its own start, compiling included.
    text = f"Recording took {number(share * seconds, 2)} of {number(seconds, 2)} seconds"
    return f"{text}, {number(once, 2)} of them once, at the start." if once else f"{text}."


def real(value: Any) -> float | None:
    """Returns a number that came from disk, or None if it is none."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _model(history: History, model: dict[str, Any]) -> str:
    name, parameters = _plain(model.get("name")), model.get("parameters")
    parts = [name, f"{len(history.variables):,} variables"]
    if isinstance(parameters, int):
        parts.append(f"{parameters:,} parameters")
    return ", ".join(filter(None, parts))


def _loss(loss: dict[str, Any]) -> str:
    name = _plain(loss.get("class")) or _plain(loss.get("name"))
    return name if loss.get("from_logits") is None else f"{name}(from_logits={bool(loss['from_logits'])})"


def _recording(history: History) -> str:
    recorder = history.facts.get("recorder")
    kind = _plain(recorder.get("kind")) if isinstance(recorder, dict) else ""
    how = {"fit": "by WeightWatch in fit", "loop": "by Watch in a loop", "summary": "by ww.summary"}.get(kind, kind)
    return f"{how}, {len(history):,} rows" if how else f"{len(history):,} rows"


def _call(name: Any, config: Any) -> str:
    given = config if isinstance(config, dict) else {}
    shown = {key: value for key, value in given.items() if key != "name" and value not in (None, False, "")}
    if not given.get("use_ema"):
        shown.pop("ema_momentum", None)
    return f"{_plain(name)}({_pairs(shown, '=')})"


def _pairs(values: Any, sign: str) -> str:
    return ", ".join(f"{k}{sign}{_plain(v)}" for k, v in values.items()) if isinstance(values, dict) else ""


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return number(value, 6)
    if isinstance(value, dict):
        inner = value.get("config")
        if isinstance(inner, dict):
            return _call(value.get("class_name") or value.get("class"), inner)
        return _pairs(value, "=")
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_plain(item) or '?' for item in value)})"
    return "" if value is None else str(value)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
