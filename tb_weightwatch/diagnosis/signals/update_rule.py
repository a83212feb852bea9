"""The optimizer's law, written once: how far one step moves an element, and which learning rate is usual."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, latest_run_value, model_facts, run_column, trainable, usual_weight_scale, variables
from .incremental import full_history, incremental, is_recorded, restrict
from .memo import from_records, memoized
from .model_structure import layer_of, model_layers
from .scans import Bool, Float

# About `lr` per element whatever the gradient's size.
NORMALISED = ("adam", "adamw", "nadam", "adamax", "rmsprop", "lion", "schedulefreeadamw", "adafactor", "muon")
_USUAL = {"sgd": 1e-2, "adagrad": 1e-2, "adadelta": 1.0, "ftrl": 1e-2, "lion": 1e-4, "muon": 1e-2}


def optimizers(history: History) -> list[dict[str, Any]]:
    """Returns the recorded descriptions of the optimizers: "class", "name", "config"."""
    return [dict(o) for o in model_facts(history).get("optimizers") or []]


def first_optimizer(history: History) -> dict[str, Any]:
    """Returns the first optimizer's description; {} if none is known."""
    return (optimizers(history) or [{}])[0]


def optimizer_class(history: History) -> str:
    """Returns the first optimizer's class name; "" if it is not known."""
    return str(first_optimizer(history).get("class", ""))


def usual_learning_rate(history: History) -> float:
    """Returns the learning rate to begin with for this optimizer (1e-3 where the class is not known)."""
    return _USUAL.get(optimizer_class(history).lower(), 1e-3)


def is_normalized(history: History) -> bool:
    """Says whether the optimizer divides by the gradient's size, so that a step is about the learning rate."""
    return optimizer_class(history).lower() in NORMALISED


def optimizer_setting(history: History, name: str, default: float) -> float:
    """Returns a number from the first optimizer's settings."""
    value = (first_optimizer(history).get("config") or {}).get(name, default)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def accumulation_steps(history: History) -> int:
    """Returns over how many steps the optimizer itself accumulates gradients (1: it does not)."""
    return max(1, int(optimizer_setting(history, "gradient_accumulation_steps", 1)))


def has_schedule(history: History) -> bool:
    """Says whether the learning rate was given as a schedule."""
    return isinstance((first_optimizer(history).get("config") or {}).get("learning_rate"), dict)


@memoized
def expected_update(history: History) -> Float | None:
    """Returns `[T, V]` the largest step the optimizer asks of an element, before any rounding.

    Adam and its kin: lr |g| / (|g| + epsilon); plain gradient descent: lr |g| / (1 - momentum). None where the law, the
    learning rate or the gradient is not known.
    """
    if len(optimizers(history)) != 1:
        return None
    rate = run_column(history, "learning_rate")[:, None]
    largest = column(history, "gradient_max")
    if largest is None or not is_recorded(history, "learning_rate"):
        return None
    if is_normalized(history):
        return np.asarray(rate * largest / (largest + optimizer_setting(history, "epsilon", 1e-7)))
    if optimizer_class(history).lower() == "adagrad":
        return np.asarray(
            rate * largest / np.sqrt(optimizer_setting(history, "initial_accumulator_value", 0.1) + largest**2)
        )
    if optimizer_class(history).lower() == "sgd":
        return np.asarray(rate * largest / max(1e-3, 1 - optimizer_setting(history, "momentum", 0.0)))
    return None


def suggested_learning_rate(history: History, rate: float, ratio: float, usual_ratio: float = 1e-3) -> float:
    """Returns the learning rate that brings the update ratio to about `usual_ratio`, kept within what is sane."""
    usual = usual_learning_rate(history)
    if is_normalized(history) or not (ratio > 0 and rate > 0):
        return usual
    return update_rounded_away(min(max(rate * usual_ratio / ratio, rate * 3), 0.1 if usual < 0.1 else usual))


def update_rounded_away(value: float) -> float:
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


def set_learning_rate_code(history: History, value: float) -> str:
    """Returns the lines of code that set the learning rate, for `fit` or for a hand-written loop."""
    name = optimizer_class(history) or "Adam"
    fit = f"    model.compile(optimizer=keras.optimizers.{name}({literal(value)}), loss=...)"
    loop = f"    optimizer.learning_rate = {literal(value)}"
    recorder = (model_facts(history).get("recorder") or {}).get("kind")
    if recorder == "fit":
        return fit
    if recorder == "loop":
        return f"    optimizer = keras.optimizers.{name}({literal(value)})   # or, in a running program:\n{loop}"
    return f"{fit}\n{loop}   # in a hand-written loop"


@from_records
def half_ulp(history: History) -> Float:
    """Returns `[V]` the relative step that a variable's type is sure to hold: half a unit in the last place."""
    bits = {"float16": 11, "bfloat16": 8, "float64": 53}
    return np.array([2.0 ** -bits.get(v.dtype, 24) for v in variables(history)], np.float64)


def expected_update_negligible(history: History, share: float = 3e-7) -> Bool | None:
    """Returns `[T]` whether the optimizer's law asks for steps too small to matter at any precision.

    Judged against how large a weight of that shape usually is, not against the weight as it stands (a step that is
    lost only because the weight is huge, or its type is coarse, would matter). None where the law is not known.
    """
    asked = _asked(history)
    return None if asked is None else np.asarray(asked < share)


@incremental
def _asked(rows: History, carry: Carry) -> Float | None:
    """Returns `[T]` the largest step the law asks for, against how large a weight of that shape usually is."""
    step = expected_update(rows)
    if step is None or not step.shape[1]:
        return None
    return np.asarray(np.fmax.reduce(np.where(trainable(rows), step / usual_weight_scale(rows), np.nan), axis=1))


@from_records
def embedding_tables(history: History) -> Bool:
    """Returns `[V]` which variables are tables that rows are taken from (embeddings)."""
    found = np.array([v.name.endswith("embeddings") for v in variables(history)], bool)
    for layer in model_layers(history):
        if layer.get("class") == "Embedding":
            found |= layer_of(history, str(layer.get("name")))
    return found


def exceeds_expected_update(rows: History) -> Bool:
    """Returns `[n, V]` where a variable moved further than the optimizer's law allows: something else moved it too."""
    update, largest, norm = (column(rows, n) for n in ("update_norm", "update_max", "gradient_norm"))
    history = full_history(rows)
    nothing = np.zeros((len(rows), len(variables(history))), bool)
    if (
        update is None
        or len(optimizers(history)) != 1
        or accumulation_steps(history) > 1
        or optimizer_setting(history, "momentum", 0) > 0
    ):
        return nothing
    rate = restrict(rows, latest_run_value(history, "learning_rate"))[:, None]
    count = restrict(rows, latest_run_value(history, "iterations"))
    steady = (
        (count == rows.steps)[:, None]
        & (optimizer_setting(history, "weight_decay", 0) == 0)
        & ~embedding_tables(history)
    )
    # Whatever the law asks for, a stored weight moves by whole last places. Of rows that occur several times in a batch
    # optimizers add up the squares of the parts, which the law says nothing of.
    top, whole = column(rows, "weight_max"), column(rows, "weight_norm")
    if optimizer_class(history) in ("Adam", "Adamax", "Lion", "RMSprop") and largest is not None and top is not None:
        place = 2 * half_ulp(history) * top
        return np.asarray((largest > 5 * np.abs(rate) + place) & steady & (rate != 0))
    if optimizer_class(history) == "SGD" and norm is not None and whole is not None:
        place = 2 * half_ulp(history) * whole
        return np.asarray((update > 1.2 * np.abs(rate) * norm + place) & steady & (rate != 0) & (norm > 0))
    return nothing
