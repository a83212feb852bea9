"""What is usual: the band that stands behind a curve, for this optimizer and this variable, in words and numbers.

Where the numbers come from: an optimizer that divides by the gradient's size moves an element by about its learning
rate, and an element of a matrix is about Glorot's scale in size, so their quotient is the update ratio of a first step
at the usual rate. A band reaches to ten times that, as rates ten times the usual one train well too, and down to a
300th of it, where trainings end. Plain gradient descent has no such law; its band is the field's rule of thumb (1e-3)
with the same room. `python -m tests.benchmarks.bands` holds the bands against the healthy programs of the clinic.
"""

from __future__ import annotations

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

_CLIPS = {"gradient_norm": ("clipnorm",), "gradient_max": ("clipvalue",)}


def usual(history: History, name: str, axis: str, place: int) -> dict[str, Any] | None:
    """Returns low, high and meaning of the usual band of a curve, or None where nothing is usual."""
    try:
        if name == "learning_rate":
            return _rate(history)
        if name == "update_ratio" and axis == "variable":
            return _ratio(history, place)
        return _clip(history, name)
    except Exception:  # facts come from disk: without sense, there is nothing usual
        return None


def _rate(history: History) -> dict[str, Any] | None:
    if not optimizer_class(history):
        return None
    rate = usual_learning_rate(history)
    # A hair more, since a rate is kept as float32: one of just ten times the usual is within.
    return _band(
        rate * 0.0999, rate * 10.01, f"usual for {optimizer_class(history)}: {number(rate)}, within a factor of 10"
    )


def _ratio(history: History, place: int) -> dict[str, Any] | None:
    """The update ratio of a matrix. A bias begins at 0, where the ratio says little."""
    if len(history.variables[place].shape) < 2:
        return None
    name = optimizer_class(history)
    if is_normalized(history):
        first = usual_learning_rate(history) / float(usual_weight_scale(history[:])[place])
        return _band(first / 300, 10 * first, f"usual for {name} and this shape: from {number(first)} downwards")
    return _band(1e-5, 1e-1, f"usual for {name or 'most optimizers'}: about 1e-3, early in training more than late")


def _clip(history: History, name: str) -> dict[str, Any] | None:
    for setting in _CLIPS.get(name, ()):
        limit = optimizer_setting(history, setting, 0.0)
        if limit > 0:
            return _band(0.0, limit, f"{setting}={number(limit)}: the optimizer clips what is above")
    return None


def _band(low: float, high: float, text: str) -> dict[str, Any]:
    return {"low": float(f"{low:.4g}"), "high": float(f"{high:.4g}"), "text": text}
