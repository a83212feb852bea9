"""Where updates cannot reach the watched weights, because what is watched is not what is trained."""

from __future__ import annotations

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, latest_run_value, model_facts, recorder_kind, root_sizes, trainable, variables
from .gradients import any_nonzero_gradient, nonzero_gradient
from .incremental import incremental, is_recorded
from .loss_function import loss_facts
from .loss_trend import loss_trend
from .movement import any_moved
from .optimizer import accumulation_steps, optimizers
from .scans import Bool, ever, latest_known, running_max, streak
from .trained_variables import called, has_own_update_rule, holds, made_anew, released, updated_variables
from .update_rule import half_ulp

VISIBLE = 100.0  # half units in the last place that an update must have under any update rule to be visible for certain


def variables_made_anew(history: History, steps: int = 5, share: float = 0.8) -> Bool:
    """Returns `[T]` whether the steps train variables that are made anew each time and continue nothing.

    Args:
        history: what was recorded.
        steps: steps with new variables.
        share: share of the steps that have new variables.
    """
    facts = made_anew(history)
    anew = [f.steps >= steps and f.steps >= share * f.of and f.start != "carried" and f.variables > 0 for f in facts]
    return holds(history, facts, anew)


def all_released(history: History) -> Bool:
    """Returns `[T]` whether the program no longer holds any of the watched trainable variables; none ever moved."""
    facts = released(history)
    every = [fact.variables >= int(trainable(history).sum()) > 0 for fact in facts]
    return holds(history, facts, every) & ~ever(any_moved(history))


def updates_given_elsewhere(history: History, rows: int, steps: int, sure: int) -> Bool:
    """Returns `[T]` whether the optimizers were given other variables only, and no watched one has ever moved.

    Where it is not known that the watched variables have gradients, their turn may come later (staged training): it
    must take longer, and the loss must not fall.

    Args:
        history: what was recorded.
        rows: rows without movement, where gradients are known to be non-zero.
        steps: training steps without movement, where they are not.
        sure: the same if there are several optimizers.
    """
    facts = updated_variables(history)
    elsewhere = holds(history, facts, [fact.watched == 0 and fact.other > 0 for fact in facts])
    nonzero, trend = any_nonzero_gradient(history), loss_trend(history)
    with_gradient = np.zeros(len(history), bool) if nonzero is None else streak(nonzero) >= rows
    falling = trend.enough_rows & (trend.decreased | trend.low())
    long = history.steps >= (steps if len(optimizers(history)) < 2 else sure)
    return np.asarray(elsewhere & (with_gradient | long & ~falling) & _never_moved(history))


def model_never_called(history: History, rows: int, steps: int) -> Bool:
    """Returns `[T]` whether no watched model and no optimizer was seen being called, and no weight has ever moved."""
    facts = called(history)
    never = [fact.model == "never" and fact.optimizer in (None, "never") for fact in facts]
    count = latest_run_value(history, "iterations")
    unmoved = _never_moved(history) & (np.arange(1, len(history) + 1) >= rows) & (history.steps >= steps)
    return np.asarray(holds(history, facts, never) & unmoved & ~(count > 0))


def own_rule_without_effect(history: History, rows: int) -> Bool:
    """Returns `[T]` whether an update rule that the program defines has counted steps that must have moved the weights.

    Gradient descent and its normalized kin differ in what they make of a gradient; the smaller of their updates must
    be visible in the dtype of the weights.
    """
    gradient, weight, count = (column(history, n) for n in ("gradient_max", "weight_norm", "iterations"))
    nonzero = any_nonzero_gradient(history)
    if not has_own_update_rule(history) or gradient is None or weight is None or count is None or nonzero is None:
        return np.zeros(len(history), bool)
    enough = rows * accumulation_steps(history)
    counted = latest_known(count) - latest_known(count)[:1] >= enough
    visible = running_max(_smallest_update_in_half_ulps(history)) > VISIBLE
    return np.asarray(counted & visible & (np.cumsum(nonzero) >= enough) & _never_moved(history))


@incremental
def _smallest_update_in_half_ulps(rows: History, carry: Carry) -> np.ndarray:
    """Returns `[T]` the smaller of the usual updates of the variable in which it shows most; 0 if it is not known."""
    gradient, weight, rate = (column(rows, n) for n in ("gradient_max", "weight_norm", "learning_rate"))
    if gradient is None or weight is None or rate is None or not gradient.shape[1]:
        return np.zeros(len(rows))
    update = rate[:, None] * np.minimum(gradient, 1.0)
    spacing = np.maximum(half_ulp(rows) * weight / root_sizes(rows), 1e-30)
    known = np.where(trainable(rows) & (weight > 0), update / spacing, np.nan)
    return np.nan_to_num(np.fmax.reduce(known, axis=1))


@incremental
def gradients_without_movement(rows: History, carry: Carry, least: int) -> Bool | None:
    """Returns `[T, V]` which variables have had gradients for `least` rows and never moved, while only others moved.

    The others must have had no gradient that is known: the gradients are those of one set of variables, the updates
    reach another one. None if gradients or updates were not recorded.
    """
    nonzero, update = nonzero_gradient(rows), column(rows, "update_norm")
    if nonzero is None or update is None:
        return None
    moved = (update > 0) & trainable(rows)
    swapped = nonzero.any(axis=1) & moved.any(axis=1) & ~(moved & nonzero).any(axis=1)
    unmoved = nonzero & (update == 0) & swapped[:, None]
    return np.asarray((carry.streak(unmoved) >= least) & ~carry.ever(moved))


@incremental
def never_listed(history: History, carry: Carry, rows: int) -> Bool | None:
    """Returns `[T, V]` where a variable is not in the optimizer's list and has never moved, while others do.

    None if the optimizer's list lacks no variable.
    """
    unlisted = np.array([variable.optimized is False for variable in variables(history)], bool)
    unlisted &= trainable(history)
    if not unlisted.any() or not optimizers(history):
        return None
    update, nonzero = column(history, "update_norm"), nonzero_gradient(history)
    if update is None:  # before the first step: a variable with a gradient should have an optimizer
        return None if nonzero is None else np.asarray(unlisted & nonzero)
    moved = (update > 0) & trainable(history)
    # A hand-written loop or train_step may leave a variable out on purpose, and then does not compute its gradient.
    # Elsewhere in `fit`, `compile` made the list.
    own_step = bool((model_facts(history).get("model") or {}).get("own_train_step"))
    compiled = recorder_kind(history) == "fit" and bool(loss_facts(history)) and not own_step
    with_gradient: Bool = np.zeros_like(moved) if nonzero is None else carry.ever(nonzero)
    on_purpose = np.zeros(moved.shape, bool) if compiled else ~with_gradient
    others_move = carry.ever(np.asarray(moved.any(axis=1)))
    # What the list of `compile` lacks never trains; in a hand-written loop a variable may have its turn later.
    enough_rows = carry.start + np.arange(1, len(history) + 1) >= (1 if compiled else rows)
    return np.asarray(unlisted & ~carry.ever(moved) & ~on_purpose & (others_move & enough_rows)[:, None])


def _never_moved(history: History) -> Bool:
    """Returns `[T]` whether updates are known and no trainable variable has ever moved."""
    if not is_recorded(history, "update_norm"):
        return np.zeros(len(history), bool)
    return np.asarray(~ever(any_moved(history)))
