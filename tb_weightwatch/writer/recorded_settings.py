"""The settings of a recorded launch and its answer, as plain values for the HParams tab."""

from __future__ import annotations

import math

from ..history import History
from ..verdict import Diagnosis, headline
from .summary_values import Setting


def settings_of(history: History) -> dict[str, Setting]:
    """Returns optimizer, learning rate, batch size, loss, number of weights and precision, as far as they are known."""
    facts = history.facts
    optimizer = (facts.get("optimizers") or [{}])[0]
    loss, model = facts.get("loss") or {}, facts.get("model") or {}
    described = sum(math.prod(item.get("shape") or ()) for item in history.described("variables"))
    settings = {
        "optimizer": optimizer.get("class"),
        "learning_rate": _first(history, "learning_rate"),
        "batch_size": _first(history, "batch_size"),
        "loss": loss.get("class") or loss.get("name"),
        "weights": model.get("parameters") or described or None,
        "precision": facts.get("precision"),
    }
    return {name: value for name, value in settings.items() if isinstance(value, (int, float, str)) and value != ""}


def answer_of(diagnosis: Diagnosis) -> str:
    """Returns the answer in a few words: "sick: learning-rate-too-small", "healthy"."""
    return f"sick: {headline(diagnosis)}" if diagnosis.status == "sick" else diagnosis.status


def _first(history: History, name: str) -> float | None:
    """Returns the first recorded number of a column of the run, to six digits, as it was probably given."""
    known = history.known(name)
    return float(f"{history.column(name)[known.argmax()]:.6g}") if known.any() else None
