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


def has_moving_objective(history: History) -> bool:
    """Whether the log names rewards or adversaries: then the loss may rise while the model learns."""
    source = model_facts(history).get("foreign")
    return isinstance(source, dict) and bool(source.get("moving_objective"))
