"""401 no-gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import Severity
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    RowSpan,
    column,
    disconnected_region,
    incremental,
    loss_trend,
    nonzero_gradient,
    trainable,
)
from ...wording import evidence, is_custom_loop, plural, variable_names


@rule(code=401, name="no-gradient", link="gradient", needs=("gradient_none",), explains=("update-undone",))
def no_gradient(history: History, *, rows: int = 3) -> Finding[Any] | CannotTell | None:
    """No gradient at all (None): backpropagation found no way from the loss to the variable.

    What it sees:
        Trainable variables whose gradient was None in every recorded step so far, and that never moved.

    Why it matters:
        None is not zero: the tape saw no connection. If it is so for all variables, the loss was not made from the
        model's output under the tape; if for the layers up to some depth, something in between cuts the graph.

    When it is a false alarm:
        A variable that the loss does not need (a pooling head of a pretrained model, an unused branch) has no
        gradient by design; while the loss falls that is a remark only. In alternating training each part has its turn.

    What to try:
        Compute model(x) and the loss inside `with tf.GradientTape()`, with TensorFlow functions only: numpy, float(),
        model.predict, tf.argmax, tf.round, casts to integers and tf.stop_gradient all cut the graph.

    Sick example:
        stack = [layers.Dense(16, "relu"), layers.Lambda(tf.stop_gradient), layers.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *stack])
        watch = loop(model, x, number, mse, optimizers.Adam(0.01))

    Healthy example:
        model = keras.Sequential([keras.Input((8,)), layers.Dense(16, "relu"), layers.Dense(1)])
        watch = loop(model, x, number, mse, optimizers.Adam(0.01))

    References:
        https://www.tensorflow.org/guide/autodiff#getting_a_gradient_of_none

    Args:
        history: what was recorded.
        rows: recorded steps without a gradient before some of the variables are named.
    """
    firing = _lost(history, rows)
    if not firing.any():
        return None
    trend = loss_trend(history)

    def tell(row: int, concerned: NDArray[np.intp]) -> VerdictText:
        where = disconnected_region(history, firing[row])
        total = int(trainable(history).sum())
        severity: Severity = "error"
        working = bool(trend.decreased[row] and not trend.near_constant_loss(0.95)[row]) or (
            not trend.finite_rows[row] and row > 10
        )
        if where == "all":
            message = (
                f"No variable gets a gradient: the gradient of all {plural(total, 'trainable variable')} is None, "
                "because the loss is not connected to them under the tape"
            )
            fix = (
                "Call the model and compute the loss inside the tape, with TensorFlow functions only "
                "(no numpy, no float(), no model.predict, no tf.argmax or tf.round on the way):\n"
                "    with tf.GradientTape() as tape:\n        y_pred = model(x, training=True)\n"
                "        loss = loss_function(y, y_pred)\n"
                "    gradients = tape.gradient(loss, model.trainable_variables)"
            )
        else:
            cause = {
                "input side": "something after them cuts the graph (stop_gradient, numpy, argmax, round, integer cast)",
                "output side": "the loss is taken from a layer before them, or does not use their output",
                "inside": "the loss does not use their output, or something after them cuts the graph",
            }[where]
            harmless = working and where != "input side"
            severity = "info" if harmless else "warning" if working else "error"
            note = "; the others train, so this is harmless if they are unused on purpose" if harmless else ""
            message = (
                f"{variable_names(history, concerned)} ({len(concerned)} of {total} trainable variables) "
                f"{'get' if len(concerned) > 1 else 'gets'} no gradient (None) and never "
                f"move{'' if len(concerned) > 1 else 's'}: "
                f"{cause}{note}"
            )
            fix = (
                "Look for what cuts the path from these variables to the loss, or set trainable = False if it is "
                "meant:\n"
                "    layer.trainable = False" + ("" if is_custom_loop(history) else "   # then compile again")
            )
        living = nonzero_gradient(RowSpan(history, row, row + 1))
        others = 0 if living is None else int(living.sum())
        return VerdictText(
            message=message,
            fix=fix,
            evidence=(
                evidence(
                    "variables without gradient", len(concerned), f"of {total} trainable", quantity="gradient_none"
                ),
                evidence("variables with gradient", others, "in the same step", quantity="gradient_norm"),
            ),
            severity=severity,
            certainty="certain",
        )

    return Finding(firing, tell)


@incremental
def _lost(history: History, carry: Carry, rows: int) -> Bool:
    """Returns `[T, V]` where a trainable variable has never had a gradient."""
    none, norm, update = (column(history, n) for n in ("gradient_none", "gradient_norm", "update_norm"))
    assert none is not None
    lost = (none > 0) & trainable(history)
    had = ((none == 0) & np.isfinite(none)) if norm is None else np.isfinite(norm) & ~lost
    had = had | (update > 0) if update is not None else had
    firing = lost & ~carry.ever(had)
    rest = trainable(history) & ~firing
    # All at once is plain from the first step on; some of them only once nobody's turn can still be to come.
    return np.asarray(firing & ((carry.streak(lost) >= rows) | ~rest.any(axis=1, keepdims=True)))
