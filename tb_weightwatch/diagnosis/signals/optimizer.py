"""The recorded optimizer: its class and settings, and the learning rates that are usual for it."""

from __future__ import annotations

import math
from typing import Any

from ...history import History
from .columns import model_facts, recorder_kind

# Optimizers that divide by the gradient's size: an update is about the learning rate, whatever the gradient.
NORMALIZED = ("adam", "adamw", "nadam", "adamax", "rmsprop", "lion", "schedulefreeadamw", "adafactor", "muon")
_USUAL_RATES = {"sgd": 1e-2, "adagrad": 1e-2, "adadelta": 1.0, "ftrl": 1e-2, "lion": 1e-4, "muon": 1e-2}


def optimizers(history: History) -> list[dict[str, Any]]:
    """Returns the recorded descriptions of the optimizers: "class", "name", "config"."""
    return [dict(description) for description in model_facts(history).get("optimizers") or []]


def first_optimizer(history: History) -> dict[str, Any]:
    """Returns the first optimizer's description; {} if it is unknown."""
    return (optimizers(history) or [{}])[0]


def optimizer_class(history: History) -> str:
    """Returns the first optimizer's class name; "" if it is unknown."""
    return str(first_optimizer(history).get("class", ""))


def is_normalized(history: History) -> bool:
    """Whether the optimizer divides by the gradient's size, so that an update is about the learning rate."""
    return optimizer_class(history).lower() in NORMALIZED


def optimizer_setting(history: History, name: str, default: float) -> float:
    """Returns a number from the first optimizer's settings."""
    value = (first_optimizer(history).get("config") or {}).get(name, default)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def accumulation_steps(history: History) -> int:
    """Returns over how many steps the optimizer accumulates gradients; 1 if it does not."""
    return max(1, int(optimizer_setting(history, "gradient_accumulation_steps", 1)))


def has_schedule(history: History) -> bool:
    """Whether the learning rate is a schedule."""
    return isinstance((first_optimizer(history).get("config") or {}).get("learning_rate"), dict)


def usual_learning_rate(history: History) -> float:
    """Returns the usual initial learning rate for this optimizer; 1e-3 if its class is unknown."""
    return _USUAL_RATES.get(optimizer_class(history).lower(), 1e-3)


def suggested_learning_rate(history: History, rate: float, ratio: float, usual_ratio: float = 1e-3) -> float:
    """Returns a learning rate that brings the update ratio to about `usual_ratio`, within reasonable bounds.

    Args:
        history: what was recorded.
        rate: the current learning rate.
        ratio: the current update ratio.
        usual_ratio: the desired update ratio.
    """
    usual = usual_learning_rate(history)
    if is_normalized(history) or not (ratio > 0 and rate > 0):
        return usual
    return round_learning_rate(min(max(rate * usual_ratio / ratio, rate * 3), 0.1 if usual < 0.1 else usual))


def round_learning_rate(value: float) -> float:
    """Returns a learning rate as people write it: 1 or 3 times a power of ten; 1e-3 if it is not positive and finite.

    The last bits of `value` do not matter: seven significant digits are compared.
    """
    if not (value > 0 and math.isfinite(value)):
        return 1e-3
    mantissa, exponent = f"{value:.6e}".split("e")
    return float(f"{1 if float(mantissa) < 2 else 3 if float(mantissa) < 6 else 10}e{exponent}")


def literal(value: float) -> str:
    """Returns a number as it is written in code: 1e-3, 0.05, 300."""
    if not math.isfinite(value) or value == 0:
        return str(value)
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}" if not 1e-2 <= abs(value) < 1e3 else f"{value:.3g}"


def set_learning_rate_code(history: History, value: float) -> str:
    """Returns the lines of code that set the learning rate, for `fit` or for a hand-written loop."""
    name = optimizer_class(history) or "Adam"
    fit = f"    model.compile(optimizer=keras.optimizers.{name}({literal(value)}), loss=...)"
    loop = f"    optimizer.learning_rate = {literal(value)}"
    recorder = recorder_kind(history)
    if recorder == "fit":
        return fit
    if recorder == "loop":
        return f"    optimizer = keras.optimizers.{name}({literal(value)})   # or, in a running program:\n{loop}"
    return f"{fit}\n{loop}   # in a hand-written loop"
