"""The band behind a curve: the range that is usual for this optimizer and this variable.

Where the numbers come from: an optimizer that divides by the gradient's size moves an element by about its learning
rate, and an element of a matrix has about Glorot's scale, so their quotient is the update ratio of a first step at the
usual learning rate. A band reaches up to ten times that, because learning rates ten times the usual one train well too,
and down to a 300th of it, where trainings end. Plain gradient descent follows no such rule; its band is the rule of
thumb (1e-3) with the same margins. `python -m tests.benchmarks.bands` compares the bands with the healthy programs of
the clinic.
"""

from __future__ import annotations

import math
from typing import Any

from ..diagnosis.signals import (
    is_normalized,
    optimizer_class,
    optimizer_setting,
    usual_learning_rate,
    usual_weight_scale,
)
from ..history import History
from ..verdict import number
from .rounding import significant

_CLIP_SETTINGS = {"gradient_norm": "clipnorm", "gradient_max": "clipvalue"}


def usual(history: History, name: str, axis: str, index: int) -> dict[str, Any] | None:
    """Returns low, high and description of a curve's usual band, or None where there is none."""
    try:
        if name == "learning_rate":
            return _learning_rate(history)
        if name == "update_ratio" and axis == "variable":
            return _update_ratio(history, index)
        return _clipping_limit(history, name)
    except Exception:  # facts come from disk: if they make no sense, there is no band
        return None


def _learning_rate(history: History) -> dict[str, Any] | None:
    if not optimizer_class(history):
        return None
    rate = usual_learning_rate(history)
    text = f"usual for {optimizer_class(history)}: {number(rate)}, within a factor of 10"
    # Slightly wider than the factor of 10, because a learning rate is recorded as float32.
    return _band(rate * 0.0999, rate * 10.01, text)


def _update_ratio(history: History, variable: int) -> dict[str, Any] | None:
    """Returns the band of a matrix. A bias starts at 0, where the ratio means little."""
    if len(history.variables[variable].shape) < 2:
        return None
    name = optimizer_class(history)
    if is_normalized(history):
        first = usual_learning_rate(history) / float(usual_weight_scale(history[:])[variable])
        return _band(first / 300, 10 * first, f"usual for {name} and this shape: {number(first)} or less")
    return _band(1e-5, 1e-1, f"usual for {name or 'most optimizers'}: about 1e-3, larger early in training")


def _clipping_limit(history: History, name: str) -> dict[str, Any] | None:
    setting = _CLIP_SETTINGS.get(name)
    limit = optimizer_setting(history, setting, 0.0) if setting else 0.0
    return _band(0.0, limit, f"{setting}={number(limit)}: the optimizer clips above it") if limit > 0 else None


def _band(low: float, high: float, text: str) -> dict[str, Any] | None:
    if not math.isfinite(high):  # such as clipnorm=float("inf"), which clips nothing
        return None
    return {"low": significant(low, 4), "high": significant(high, 4), "text": text}
