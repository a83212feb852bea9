"""What is known about a third-party log: its writer, the unit of its steps, and texts in these terms."""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import number
from ..signals import latest_run_value, model_facts
from ..wording import plural


def is_third_party(history: History) -> bool:
    """Whether the History was read from a third-party log."""
    return isinstance(model_facts(history).get("foreign"), dict)


def unit(history: History) -> str:
    """Returns the unit of a step: "step", or "epoch" for a third-party log that has one row per epoch."""
    source = model_facts(history).get("foreign")
    return "epoch" if isinstance(source, dict) and source.get("unit") == "epoch" else "step"


def step_text(history: History, row: int) -> str:
    """Returns the step of a row, "epoch 3"."""
    return f"{unit(history)} {int(history.steps[row]):,}"


def duration_text(history: History) -> str:
    """Returns the duration of the log, "30 steps"."""
    return plural(int(history.steps[-1] - history.steps[0] + 1), unit(history))


def remarks(history: History, text: str = "") -> str:
    """Returns the text and the learning rate, if it was logged, as " (text; learning rate 1e-3)"; "" if both lack."""
    rate = float(latest_run_value(history, "learning_rate")[-1])
    parts = [text, f"learning rate {number(rate)}" if np.isfinite(rate) else ""]
    return f" ({'; '.join(filter(None, parts))})" if any(parts) else ""


def set_learning_rate_fix(history: History, rate: float) -> str:
    """Returns how to set a learning rate with the framework that wrote the log; "" if it is no third-party log."""
    if not is_third_party(history):
        return ""
    writer = str(model_facts(history)["foreign"].get("writer", ""))
    advice = (
        "Make the schedule as long as the training, in the unit in which the schedule counts (batches or epochs), "
        f"or set {number(rate)}"
    )
    if "keras" in writer:
        return f"{advice}:\n    model.compile(optimizer=keras.optimizers.Adam({number(rate)}), loss=...)"
    if writer.startswith("PyTorch"):
        return f'{advice}:\n    for group in optimizer.param_groups:\n        group["lr"] = {number(rate)}'
    return advice
