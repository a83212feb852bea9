"""The optimizer's law, written once: how far one step moves an element, and which learning rate is usual."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..history import History
from ._causal import causal, recorded, whole_of, within
from ._past import Past
from ._signals import (
    Bool,
    Float,
    column,
    described,
    facts,
    latest,
    run_column,
    shared,
    trainable,
    variables,
    weight_scale,
)
from ._structure import layer_of, model_layers

# About `lr` per element whatever the gradient's size.
NORMALISED = ("adam", "adamw", "nadam", "adamax", "rmsprop", "lion", "schedulefreeadamw", "adafactor", "muon")
_USUAL = {"sgd": 1e-2, "adagrad": 1e-2, "adadelta": 1.0, "ftrl": 1e-2, "lion": 1e-4, "muon": 1e-2}


def optimizers(history: History) -> list[dict[str, Any]]:
    """Returns the recorded descriptions of the optimizers: "class", "name", "config"."""
    return [dict(o) for o in facts(history).get("optimizers") or []]


def optimizer(history: History) -> dict[str, Any]:
    """Returns the first optimizer's description; {} if none is known."""
    return (optimizers(history) or [{}])[0]


def kind(history: History) -> str:
    """Returns the first optimizer's class name; "" if it is not known."""
    return str(optimizer(history).get("class", ""))


def usual_rate(history: History) -> float:
    """Returns the learning rate to begin with for this optimizer (1e-3 where the class is not known)."""
    return _USUAL.get(kind(history).lower(), 1e-3)


def normalised(history: History) -> bool:
    """Says whether the optimizer divides by the gradient's size, so that a step is about the learning rate."""
    return kind(history).lower() in NORMALISED


def config(history: History, name: str, default: float) -> float:
    """Returns a number from the first optimizer's settings."""
    value = (optimizer(history).get("config") or {}).get(name, default)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def accumulation(history: History) -> int:
    """Returns over how many steps the optimizer itself accumulates gradients (1: it does not)."""
    return max(1, int(config(history, "gradient_accumulation_steps", 1)))


def scheduled(history: History) -> bool:
    """Says whether the learning rate was given as a schedule."""
    return isinstance((optimizer(history).get("config") or {}).get("learning_rate"), dict)


@shared
def nominal_step(history: History) -> Float | None:
    """Returns `[T, V]` the largest step the optimizer asks of an element, before any rounding.

    Adam and its kin: lr |g| / (|g| + epsilon); plain gradient descent: lr |g| / (1 - momentum). None where the law, the
    learning rate or the gradient is not known.
    """
    if len(optimizers(history)) != 1:
        return None
    rate = run_column(history, "learning_rate")[:, None]
    largest = column(history, "gradient_max")
    if largest is None or not recorded(history, "learning_rate"):
        return None
    if normalised(history):
        return np.asarray(rate * largest / (largest + config(history, "epsilon", 1e-7)))
    if kind(history).lower() == "adagrad":
        return np.asarray(rate * largest / np.sqrt(config(history, "initial_accumulator_value", 0.1) + largest**2))
    if kind(history).lower() == "sgd":
        return np.asarray(rate * largest / max(1e-3, 1 - config(history, "momentum", 0.0)))
    return None


def better_rate(history: History, rate: float, ratio: float, usual_ratio: float = 1e-3) -> float:
    """Returns the learning rate that brings the update ratio to about `usual_ratio`, kept within what is sane."""
    usual = usual_rate(history)
    if normalised(history) or not (ratio > 0 and rate > 0):
        return usual
    return rounded(min(max(rate * usual_ratio / ratio, rate * 3), 0.1 if usual < 0.1 else usual))


def rounded(value: float) -> float:
    """Returns a learning rate as people write it: 1 or 3 times a power of ten."""
    if not (value > 0 and math.isfinite(value)):
        return 1e-3
    power = math.floor(math.log10(value))
    return float(f"{1 if value / 10**power < 2 else 3 if value / 10**power < 6 else 10}e{power}")


def literal(value: float) -> str:
    """Returns a number as it is typed: 1e-3, 0.05, 300."""
    if not math.isfinite(value) or value == 0:
        return str(value)
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}" if not 1e-2 <= abs(value) < 1e3 else f"{value:.3g}"


def set_rate(history: History, value: float) -> str:
    """Returns the lines of code that set the learning rate, for `fit` or for a hand-written loop."""
    name = kind(history) or "Adam"
    fit = f"    model.compile(optimizer=keras.optimizers.{name}({literal(value)}), loss=...)"
    loop = f"    optimizer.learning_rate = {literal(value)}"
    recorder = (facts(history).get("recorder") or {}).get("kind")
    if recorder == "fit":
        return fit
    if recorder == "loop":
        return f"    optimizer = keras.optimizers.{name}({literal(value)})   # or, in a running program:\n{loop}"
    return f"{fit}\n{loop}   # in a hand-written loop"


@described
def half_ulp(history: History) -> Float:
    """Returns `[V]` the relative step that a variable's type is sure to hold: half a unit in the last place."""
    bits = {"float16": 11, "bfloat16": 8, "float64": 53}
    return np.array([2.0 ** -bits.get(v.dtype, 24) for v in variables(history)], np.float64)


def negligible(history: History, share: float = 3e-7) -> Bool | None:
    """Returns `[T]` whether the optimizer's law asks for steps too small to matter at any precision.

    Judged against how large a weight of that shape usually is, not against the weight as it stands (a step that is
    lost only because the weight is huge, or its type is coarse, would matter). None where the law is not known.
    """
    asked = _asked(history)
    return None if asked is None else np.asarray(asked < share)


@causal
def _asked(rows: History, past: Past) -> Float | None:
    """Returns `[T]` the largest step the law asks for, against how large a weight of that shape usually is."""
    step = nominal_step(rows)
    if step is None or not step.shape[1]:
        return None
    return np.asarray(np.fmax.reduce(np.where(trainable(rows), step / weight_scale(rows), np.nan), axis=1))


@described
def gathered(history: History) -> Bool:
    """Returns `[V]` which variables are tables that rows are taken from (embeddings)."""
    found = np.array([v.name.endswith("embeddings") for v in variables(history)], bool)
    for layer in model_layers(history):
        if layer.get("class") == "Embedding":
            found |= layer_of(history, str(layer.get("name")))
    return found


def against_law(rows: History) -> Bool:
    """Returns `[n, V]` where a variable moved further than the optimizer's law allows: something else moved it too."""
    update, largest, norm = (column(rows, n) for n in ("update_norm", "update_max", "gradient_norm"))
    history = whole_of(rows)
    nothing = np.zeros((len(rows), len(variables(history))), bool)
    if (
        update is None
        or len(optimizers(history)) != 1
        or accumulation(history) > 1
        or config(history, "momentum", 0) > 0
    ):
        return nothing
    rate = within(rows, latest(history, "learning_rate"))[:, None]
    count = within(rows, latest(history, "iterations"))
    steady = (count == rows.steps)[:, None] & (config(history, "weight_decay", 0) == 0) & ~gathered(history)
    # Whatever the law asks for, a stored weight moves by whole last places. Of rows that occur several times in a batch
    # optimizers add up the squares of the parts, which the law says nothing of.
    top, whole = column(rows, "weight_max"), column(rows, "weight_norm")
    if kind(history) in ("Adam", "Adamax", "Lion", "RMSprop") and largest is not None and top is not None:
        place = 2 * half_ulp(history) * top
        return np.asarray((largest > 5 * np.abs(rate) + place) & steady & (rate != 0))
    if kind(history) == "SGD" and norm is not None and whole is not None:
        place = 2 * half_ulp(history) * whole
        return np.asarray((update > 1.2 * np.abs(rate) * norm + place) & steady & (rate != 0) & (norm > 0))
    return nothing
