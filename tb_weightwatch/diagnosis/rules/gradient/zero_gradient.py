"""402 zero-gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import Severity
from ...rule import CannotTell, Finding, SimpleFinding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    column,
    disconnected_region,
    incremental,
    is_recorded,
    loss_trend,
    optimizer_slots_say,
    trainable,
    trainable_kernels,
    variables,
)
from ...wording import evidence, not_recorded, plural, steps, variable_names


@rule(code=402, name="zero-gradient", link="gradient", explains=("no-learning-signal",))
def zero_gradient(history: History, *, rows: int = 3, part: int = 5) -> Finding[Any] | CannotTell | None:
    """Gradients that are exactly zero, step after step.

    What it sees:
        Trainable variables whose gradient has been exactly 0 in several recorded steps in a row, while the loss is
        not low; and the depth from which on it is so.

    Why it matters:
        Exactly zero, not small, means that somewhere between the variable and the loss a factor is 0: a flat
        activation, a clipped value, a mask, a second kernel of zeros. No learning rate helps.

    When it is a false alarm:
        A model that fits its data perfectly (a hinge loss at 0) has zero gradients by right, and so has a part of
        the model whose turn has not come, or that is switched off by a weight of 0. While the loss falls, such a
        part is a remark.

    What to try:
        Look at the layer named, and what follows it: outputs all equal, tf.clip_by_value, tf.sign, multiplication by a
        mask, all weights initialised to zero.

    Sick example:
        stack = [layers.Dense(16), layers.Lambda(tf.sign), layers.Dense(1)]   # flat everywhere
        model = keras.Sequential([keras.Input((8,)), *stack])
        watch = loop(model, x, number, mse, optimizers.Adam(0.01))

    Healthy example:
        stack = [layers.Dense(16), layers.Activation("tanh"), layers.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *stack])
        watch = loop(model, x, number, mse, optimizers.Adam(0.01))

    References:
        https://www.tensorflow.org/guide/autodiff

    Args:
        history: what was recorded.
        rows: recorded steps in a row, if no trainable variable has a gradient.
        part: recorded steps in a row, if only some have none.
    """
    if not is_recorded(history, "gradient_norm"):
        return _remembered(history, rows)
    zero, living = _rows(history)
    if not zero.any():
        return None
    able = trainable(history)
    held, moved_before = _course(history)
    trend = loss_trend(history)
    matrices = trainable_kernels(history)
    # A bias alone (before BatchNormalization, say) is no break in the chain: a matrix must be without gradient too.
    some = (held >= part) & (held >= part)[:, matrices].any(axis=1, keepdims=True)
    falling = trend.decreased & ~trend.near_constant_loss(0.95)
    some &= ~(moved_before & falling[:, None])
    # What was alive may rest for a while (momentum moves on, another part has its turn).
    whole = (held >= np.where(moved_before.any(axis=1), 4 * part, rows)[:, None]) & ~living[:, None]
    # A low loss excuses gradients that have come to their end, not a part that none has ever reached.
    excused = trend.low()[:, None] & (moved_before | ~living[:, None])
    firing = (whole | some) & ~excused
    if not firing.any():
        return None

    def tell(row: int, concerned: NDArray[np.intp]) -> VerdictText:
        where = disconnected_region(history, firing[row])
        total = int(able.sum())
        count = int(held[row, concerned].min())
        words = trend.describe(row)
        after = f" ({words})" if words else ""
        severity: Severity = "error"
        if where == "all":
            message = (
                f"All gradients are exactly zero: {plural(total, 'trainable variable')}, "
                f"{steps(history, count, 'recorded step')} "
                f"in a row{after}, so the loss does not react to any weight"
            )
        else:
            layer = variables(history)[int(concerned[-1])]
            depth = {
                "input side": f"from '{layer.layer or layer.name}' back to the input nothing is learned",
                "output side": "what comes after is not reached by the loss",
                "inside": "a branch of the model is cut off from the loss",
            }[where]
            if falling[row] or trend.low()[row]:
                severity = "warning" if where == "input side" or len(concerned) > total / 2 else "info"
            message = (
                f"The gradient of {variable_names(history, concerned)} ({len(concerned)} of {total} trainable "
                f"variables) "
                f"is exactly "
                f"zero, {steps(history, count, 'recorded step')} in a row{after}: {depth}"
            )
        return VerdictText(
            message=message,
            fix=_fix(where),
            evidence=(
                evidence(
                    "variables at exactly zero", len(concerned), f"of {total} trainable", quantity="gradient_norm"
                ),
                evidence(
                    "recorded steps in a row", count, "with a gradient of exactly 0", quantity="gradient_zero_share"
                ),
            ),
            severity=severity,
            certainty="certain",
        )

    return Finding(firing, tell)


def _remembered(history: History, rows: int) -> Finding[Any] | CannotTell:
    """Where no gradient was shown: an optimizer whose averages of them are exactly zero has never got another."""
    fault = SimpleFinding(
        optimizer_slots_say(history, "zero", rows),
        "All gradients are exactly zero: the optimizer counts its steps, its averages of the gradients are still zero, "
        "and no weight has ever moved, so the loss does not react to any weight",
        _fix("all"),
        (evidence("averages of the gradients", 0.0, "exactly, in the optimizer's own variables"),),
    )
    return fault.finding() or not_recorded(history, "gradient_norm")


@incremental
def _rows(rows: History, carry: Carry) -> tuple[Bool, Bool]:
    """Returns `[T]` whether any trainable variable's gradient is exactly 0, and whether any is above."""
    norm = column(rows, "gradient_norm")
    assert norm is not None
    able = trainable(rows)
    return np.asarray(((norm == 0) & able).any(axis=1)), np.asarray(((norm > 0) & able).any(axis=1))


@incremental
def _course(rows: History, carry: Carry) -> tuple[NDArray[np.int32], Bool]:
    """Returns `[T, V]` for how many rows the gradient has been exactly 0, and whether it ever was above.

    Rows in which it is not known (between snapshots, or uses of accumulated ones) are left out.
    """
    norm = column(rows, "gradient_norm")
    assert norm is not None
    zero = np.asarray((norm == 0) & trainable(rows))
    return carry.streak(zero, ~rows.known("gradient_norm")), carry.ever(np.asarray(norm > 0))


def _fix(where: str) -> str:
    if where == "all":
        return (
            "Look at what stands between the last layer and the loss: a single softmax unit, clipping, rounding, "
            "a mask or "
            "a weight of zero. Check that the loss reacts to the predictions:\n"
            "    print(loss_function(y, y_pred), loss_function(y, y_pred + 0.1))   # must differ"
        )
    return (
        "Look at the layer after the last one named: outputs clipped or all zero, or kernels initialised to zero "
        "(two of them in a row never move):\n    keras.layers.Dense(units, kernel_initializer='glorot_uniform')"
    )
