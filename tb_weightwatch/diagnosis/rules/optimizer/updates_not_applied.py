"""507 updates-not-applied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    accumulation_steps,
    any_moved,
    any_nonzero_gradient,
    column,
    incremental,
    latest_known,
    model_facts,
    nonzero_gradient,
    optimizers,
    run_column,
    streak,
    trainable,
    variables,
)
from ...wording import evidence, is_custom_loop, is_preflight, plural, variable_names


@rule(
    code=507,
    name="updates-not-applied",
    link="optimizer",
    explains=("learning-rate-too-small", "update-below-precision"),
)
def updates_not_applied(
    history: History, *, rows: int = 5, steps: int = 20, sure: int = 64
) -> Finding[Any] | CannotTell | None:
    """Gradients that never reach the weights, because the optimizer is not called, or not for these variables.

    What it sees:
        Gradients alive and a learning rate above 0, but the optimizer's own count of steps stands still and no weight
        moves; or trainable variables that are not in the optimizer's list and never move while others do.

    Why it matters:
        A gradient does nothing by itself: `optimizer.apply_gradients` (or `apply`) must be called with it, for the
        variables of the model that is being trained.

    When it is a false alarm:
        Accumulation by hand applies once in many steps: it is "likely" after 20 steps, "certain" after 64 (or four
        times the longest pause seen). Steps that loss scaling skips have no finite gradient and are not counted.

    What to try:
        Call optimizer.apply_gradients(zip(gradients, model.trainable_variables)) in each step, with the variables of
        the very model that made the loss; compile again after changing `trainable`.

    Sick example:
        watch = loop(net(1), x, number, mse, optimizers.Adam(0.01), apply=False)

    Healthy example:
        watch = loop(net(1), x, number, mse, optimizers.Adam(0.01), apply=True)

    References:
        https://keras.io/guides/writing_a_custom_training_loop_in_tensorflow/

    Args:
        history: what was recorded.
        rows: recorded steps before anything is said.
        steps: training steps without an update before it is likely.
        sure: training steps without an update before it is certain.
    """
    if not (history.has("update_norm") or is_preflight(history)):
        return CannotTell("it was not recorded how far the weights moved in a step")
    living, moved = any_nonzero_gradient(history), any_moved(history)
    able = trainable(history)
    rate = latest_known(run_column(history, "learning_rate"))
    missing = _missing(history, rows)
    halted = np.zeros(len(history), bool)
    count = column(history, "iterations")
    last = _last_update(history, moved, count)
    pause = history.steps - last
    if count is not None and not history.has("loss_scale"):
        longest = np.maximum.accumulate(np.where(pause < np.r_[0, pause[:-1]], np.r_[0, pause[:-1]], 0))
        ended = np.zeros(len(history), bool)
        if history.ended is not None and len(history):
            ended[-1] = True
        slow = 2 * accumulation_steps(history) if accumulation_steps(history) > 1 else 0
        wait = np.where(last == 0, np.where(ended, max(rows, slow), max(steps, slow)), np.maximum(sure, 4 * longest))
        # The count alone tells; gradients that are known must be alive, else it is they that are missing.
        active = ~moved & (able.any() if living is None else living)
        halted = (streak(active) >= rows) & (pause >= wait) & ~(rate == 0)
    if not halted.any() and (missing is None or not missing.any()):
        if is_preflight(history):
            known = any(v.optimized is not None for v in variables(history))
            return None if known else CannotTell("the optimizer has not been built; it takes training steps to tell")
        if count is None and not moved.any():
            return CannotTell("the optimizer's count of steps was not recorded (pass optimizer= to ww.Watch)")
        return None
    firing = halted[:, None] & able if missing is None else missing | halted[:, None] & able

    def tell(row: int, concerned: NDArray[np.intp]) -> VerdictText:
        total, step = int(able.sum()), int(history.steps[row])
        if halted[row]:
            alive_too = "" if living is None else " with gradients alive"
            since = "never made a step" if last[row] == 0 else f"has made no step since step {int(last[row]):,}"
            message = (
                f"Updates are not applied: in {plural(int(pause[row]), 'training step')}{alive_too} the optimizer "
                f"{since} (its count stands at {int(latest_known(run_column(history, 'iterations'))[row])}), so "
                f"no weight moves"
            )
            fix = (
                "Apply the gradients in each step:\n"
                "    gradients = tape.gradient(loss, model.trainable_variables)\n"
                "    optimizer.apply_gradients(zip(gradients, model.trainable_variables))"
            )
            exact = pause[row] >= sure or history.ended is not None
        else:
            message = (
                f"{variable_names(history, concerned)} ({len(concerned)} of {total} trainable variables) "
                f"{'are' if len(concerned) > 1 else 'is'} not in the optimizer's list, so "
                f"{'they' if len(concerned) > 1 else 'it'} "
                f"never move{'' if len(concerned) > 1 else 's'} although trainable"
            )
            fix = (
                "Give the optimizer these variables too:\n    optimizer.apply_gradients(zip(gradients, "
                "model.trainable_variables))"
                if is_custom_loop(history)
                else "Compile again after changing `trainable` (with a new optimizer object):\n"
                "    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=...)"
            )
            exact = True
        return VerdictText(
            message=message,
            fix=fix,
            evidence=(
                evidence("steps without an update", pause[row], "training steps", step=step, quantity="iterations"),
                evidence("variables concerned", len(concerned), f"of {total} trainable", quantity="update_norm"),
            ),
            severity="error",
            certainty="certain" if exact else "likely",
        )

    return Finding(firing, tell)


@incremental
def _missing(history: History, carry: Carry, rows: int) -> Bool | None:
    """Returns `[T, V]` where a variable is not the optimizer's and has never moved, while others do; None: nowhere."""
    listed = np.array([v.optimized is False for v in variables(history)], bool) & trainable(history)
    if not listed.any() or not optimizers(history):
        return None
    update, living = column(history, "update_norm"), nonzero_gradient(history)
    if update is None:  # before the first step: what has a gradient should have an optimizer
        return None if living is None else np.asarray(listed & living)
    moved = (update > 0) & trainable(history)
    # By hand, a variable may be left out on purpose: then nobody computes its gradient. In `fit` the list is compile's.
    compiled = (model_facts(history).get("recorder") or {}).get("kind") == "fit"
    asked: Bool = np.zeros_like(moved) if living is None else carry.ever(living)
    meant = np.zeros(moved.shape, bool) if compiled else ~asked
    others = carry.ever(np.asarray(moved.any(axis=1)))
    # What is not in compile's list will never be; by hand, some may have their turn later.
    enough = carry.start + np.arange(1, len(history) + 1) >= (1 if compiled else rows)
    return np.asarray(listed & ~carry.ever(moved) & ~meant & (others & enough)[:, None])


def _last_update(history: History, moved: Bool, count: NDArray[np.float64] | None) -> NDArray[np.int64]:
    """Returns `[T]` the last recorded step that applied anything, by the weights or the optimizer's count (0: none)."""
    acted = moved
    if count is not None and len(count):
        known = latest_known(count)
        before = np.r_[known[:1], known[:-1]]
        acted = acted | (known > before)
        # A count that is not above 0 after the first step has not seen that step either.
        acted[0] |= bool(known[0] >= history.steps[0] and known[0] > 0)
    return np.maximum.accumulate(np.where(acted, history.steps, 0))
