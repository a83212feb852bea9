"""203 constant-output."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    any_moved,
    any_nonzero_gradient,
    ever,
    loss_trend,
    output_activation,
    output_units,
    run_column,
    streak,
)
from ...wording import evidence, steps


@rule(
    code=203,
    name="constant-output",
    link="activations",
    needs=("prediction_std",),
    explains=("zero-gradient", "no-learning-signal"),
)
def constant_output(history: History, *, rows: int = 5, spread: float = 1e-6) -> Finding[Any] | CannotTell | None:
    """Predictions that are the same for every sample.

    What it sees:
        Predictions without any spread over the samples of several recorded batches in a row, while the loss is not low:
        nothing that the input says reaches the output.

    Why it matters:
        If the output does not depend on the input, the gradient is zero or the same for all samples: at best the
        output bias learns the mean of the targets. A softmax of one unit, a dead or saturated layer, kernels of zeros
        and inputs that do not vary make it so.

    When it is a false alarm:
        A last kernel that starts at zero gives equal predictions in the first steps, and a model that is not
        trained at all keeps them; both stay silent, as does a task whose right answer is a constant.

    What to try:
        Look at the output layer and its activation, then at the layers before it from the output back.

    Sick example:
        watch = loop(net(1, "softmax"), x, label, mse, optimizers.Adam(0.01))   # softmax of one number is 1

    Healthy example:
        watch = loop(net(1, "sigmoid"), x, label, mse, optimizers.Adam(0.01))

    References:
        https://cs231n.github.io/neural-networks-3/#sanitycheck

    Args:
        history: what was recorded.
        rows: recorded steps in a row before it is reported.
        spread: standard deviation of the predictions, against their size, up to which they count as equal.
    """
    deviation, mean = run_column(history, "prediction_std"), run_column(history, "prediction_mean")
    size = np.where(np.isfinite(mean), np.abs(mean), 0)
    equal = (deviation <= spread * size) | (deviation == 0)
    if not equal.any():
        return None
    trend = loss_trend(history)
    firing = (streak(equal) >= rows) & ~(trend.enough_rows & trend.low()) & (_tried(history) | _single(history))
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        count, value = int(streak(equal)[row]), number(float(mean[row]))
        words = trend.describe(row)
        return VerdictText(
            message=f"The output is constant: every sample gets the same prediction (mean {value}) in "
            f"{steps(history, count, 'recorded step')} in a row" + (f" ({words})" if words else ""),
            fix=_fix(history),
            evidence=(
                evidence("prediction spread", deviation[row], "over the samples of a batch", quantity="prediction_std"),
                evidence("prediction mean", mean[row], "the same for all", quantity="prediction_mean"),
            ),
            severity="error",
            certainty="certain",
            variables=(),
        )

    return Finding(np.asarray(firing), tell)


def _single(history: History) -> bool:
    return output_activation(history) == "softmax" and output_units(history) == 1


def _tried(history: History) -> Bool:
    """Returns `[T]` whether weights have moved, or could not for want of a gradient: else training has not begun."""
    living = any_nonzero_gradient(history)
    found = ever(any_moved(history))
    return found if living is None else np.asarray(found | ~living)


def _fix(history: History) -> str:
    if _single(history):
        return (
            "Give two classes a sigmoid, or each class a unit of the softmax:\n"
            "    keras.layers.Dense(1, activation='sigmoid')   # with binary_crossentropy"
        )
    if output_activation(history) == "relu":
        return "Make the output linear; a ReLU that is switched off never comes back:\n    keras.layers.Dense(units)"
    return (
        "Look for the layer from which on all samples are equal, from the input to the output:\n"
        "    for layer in model.layers:\n        x = layer(x); print(layer.name, np.std(x, axis=0).max())"
    )
