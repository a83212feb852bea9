"""The optimizer's update rule: how far one update moves an element."""

from __future__ import annotations

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, latest_run_value, run_column, trainable, usual_weight_scale, variables
from .incremental import full_history, incremental, is_recorded, restrict
from .memo import from_records, memoized
from .model_structure import layer_of, model_layers
from .optimizer import accumulation_steps, is_normalized, optimizer_class, optimizer_setting, optimizers
from .scans import Bool, Float


@memoized
def expected_update(history: History) -> Float | None:
    """Returns `[T, V]` the largest update of an element that the optimizer's update rule gives, before any rounding.

    Adam and similar: lr |g| / (|g| + epsilon); plain gradient descent: lr |g| / (1 - momentum). None if the update
    rule, the learning rate or the gradient is unknown.
    """
    if len(optimizers(history)) != 1:
        return None
    rate = run_column(history, "learning_rate")[:, None]
    gradient = column(history, "gradient_max")
    if gradient is None or not is_recorded(history, "learning_rate"):
        return None
    if is_normalized(history):
        return rate * gradient / (gradient + optimizer_setting(history, "epsilon", 1e-7))
    if optimizer_class(history).lower() == "adagrad":
        accumulator = optimizer_setting(history, "initial_accumulator_value", 0.1)
        return rate * gradient / np.sqrt(accumulator + gradient**2)
    if optimizer_class(history).lower() == "sgd":
        return rate * gradient / max(1e-3, 1 - optimizer_setting(history, "momentum", 0.0))
    return None


@from_records
def half_ulp(history: History) -> Float:
    """Returns `[V]` the smallest relative update that a variable's dtype always stores: half a unit in last place."""
    bits = {"float16": 11, "bfloat16": 8, "float64": 53}
    return np.array([2.0 ** -bits.get(v.dtype, 24) for v in variables(history)], np.float64)


def expected_update_negligible(history: History, share: float = 3e-7) -> Bool | None:
    """Returns `[T]` whether the update rule gives updates that are too small to matter at any precision.

    The updates are compared with the usual size of a weight of that shape, not with its current size: an update that is
    lost only because the weight is huge or its dtype is coarse would matter. None if the update rule is unknown.

    Args:
        history: what was recorded.
        share: update relative to the usual size of a weight below which it does not matter.
    """
    largest = _largest_expected_update(history)
    return None if largest is None else largest < share


@incremental
def _largest_expected_update(span: History, carry: Carry) -> Float | None:
    """Returns `[T]` the largest expected update of a trainable variable, relative to its usual size."""
    update = expected_update(span)
    if update is None or not update.shape[1]:
        return None
    return np.fmax.reduce(np.where(trainable(span), update / usual_weight_scale(span), np.nan), axis=1)


@from_records
def embedding_tables(history: History) -> Bool:
    """Returns `[V]` which variables are embedding tables."""
    is_table = np.array([v.name.endswith("embeddings") for v in variables(history)], bool)
    for layer in model_layers(history):
        if layer.get("class") == "Embedding":
            is_table |= layer_of(history, str(layer.get("name")))
    return is_table


def exceeds_expected_update(rows: History) -> Bool:
    """Returns `[T, V]` where a variable moved further than the update rule allows: something else moved it as well.

    Args:
        rows: a History or a span of its rows.
    """
    history = full_history(rows)
    nowhere = np.zeros((len(rows), len(variables(history))), bool)
    update_max, update_norm = column(rows, "update_max"), column(rows, "update_norm")
    if update_norm is None or not _update_rule_known(history):
        return nowhere
    rate = restrict(rows, latest_run_value(history, "learning_rate"))[:, None]
    # The update rule does not apply to embedding tables: of a row that occurs several times in a batch, optimizers add
    # up the squares of the gradients.
    applicable = _every_step_counted(rows) & ~embedding_tables(history) & (rate != 0)
    # In addition to its update a stored weight moves by rounding, by whole units in the last place.
    weight_max, weight_norm, gradient = (column(rows, n) for n in ("weight_max", "weight_norm", "gradient_norm"))
    normalized = optimizer_class(history) in ("Adam", "Adamax", "Lion", "RMSprop")
    if normalized and update_max is not None and weight_max is not None:
        rounding = 2 * half_ulp(history) * weight_max
        return (update_max > 5 * np.abs(rate) + rounding) & applicable
    if optimizer_class(history) == "SGD" and gradient is not None and weight_norm is not None:
        rounding = 2 * half_ulp(history) * weight_norm
        return (update_norm > 1.2 * np.abs(rate) * gradient + rounding) & applicable & (gradient > 0)
    return nowhere


def _update_rule_known(history: History) -> bool:
    """Whether one optimizer without momentum, weight decay or accumulation makes each update from one gradient."""
    return (
        len(optimizers(history)) == 1
        and accumulation_steps(history) == 1
        and optimizer_setting(history, "momentum", 0) <= 0
        and optimizer_setting(history, "weight_decay", 0) == 0
    )


def _every_step_counted(rows: History) -> Bool:
    """Returns `[T, 1]` whether the optimizer has counted every training step so far."""
    iterations = restrict(rows, latest_run_value(full_history(rows), "iterations"))
    return (iterations == rows.steps)[:, None]
