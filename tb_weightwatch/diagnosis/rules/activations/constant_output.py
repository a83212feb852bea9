"""203 constant-output."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...fixes import output_layer_code
from ...rule import Claim, Evidence, Finding, History, VerdictText, rule
from ...statements import Streak, streak
from ...wording import number


@rule(
    code=203,
    name="constant-output",
    link="activations",
    needs=("prediction_std",),
    explains=("zero-gradient", "no-learning-signal"),
)
def constant_output(history: History, *, rows: int = 5, spread: float = 1e-6) -> Finding[Details] | None:
    """Predictions that are the same for every sample.

    What it sees:
        Predictions that do not differ between the samples of several recorded batches in a row, while the loss is not
        low: the output does not depend on the input.

    Why it matters:
        If the output does not depend on the input, the gradient is zero or the same for all samples: at best the
        output bias learns the mean of the targets. The cause is a softmax of one unit, a dead or saturated layer,
        kernels of zeros, or inputs that do not vary.

    When it is a false alarm:
        A last kernel that starts at zero gives equal predictions in the first steps, and a model that is not trained
        at all keeps them; neither is reported, nor is a task whose right answer is a constant.

    What to try:
        Check the output layer and its activation, then the layers before it, from the output back to the input.

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
    equal = _equal_predictions(history, spread)
    trend = signals.loss_trend(history)
    trained = _training_began(history) | _softmax_of_one(history)
    firing = np.asarray((signals.streak(equal) >= rows) & ~(trend.enough_rows & trend.low()) & trained)
    return Finding(firing, partial(measure, history, spread=spread), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        mean, std: mean and standard deviation of the predictions of the latest batch.
        duration: the recorded steps in which they have been equal.
        loss: the course of the loss.
        activation: activation of the output layer.
        units: units of the output layer; 0 if they are not known.
        linear: the call that makes the output layer without an activation.
    """

    mean: float
    std: float
    duration: Streak
    loss: signals.LossCourse
    activation: str
    units: int
    linear: str = "keras.layers.Dense(units)"


def measure(history: History, row: int, _: NDArray[np.intp], *, spread: float) -> Details:
    """Returns the numbers of one row."""
    rows = int(signals.streak(_equal_predictions(history, spread))[row])
    mean, std = (signals.run_column(history, f"prediction_{name}") for name in ("mean", "std"))
    return Details(
        mean=float(mean[row]),
        std=float(std[row]),
        duration=streak(
            history, row, rows, Claim("at most", "prediction_std", float(std[row - rows + 1 : row + 1].max()))
        ),
        loss=signals.loss_course(history, row),
        activation=signals.output_activation(history),
        units=signals.output_units(history) or 0,
        linear=output_layer_code(history),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    loss = f" ({details.loss})" if details.loss else ""
    fix = (
        "Find the first layer whose output is the same for every sample, from the input to the output:\n"
        "    x = inputs[:32]  # a batch\n    for layer in model.layers:\n        x = layer(x)\n"
        "        print(layer.name, np.std(x, axis=0).max())"
    )
    if details.activation == "softmax" and details.units == 1:
        fix = (
            "Use a sigmoid for two classes, or one unit of the softmax for each class:\n"
            "    keras.layers.Dense(1, activation='sigmoid')   # with binary_crossentropy"
        )
    elif details.activation == "relu":
        fix = f"Make the output linear; a dead ReLU does not recover:\n    {details.linear}"
    return VerdictText(
        message=f"The output is constant: every sample has had the same prediction (mean {number(details.mean)}) for "
        f"{details.duration} in a row{loss}",
        fix=fix,
        certainty="certain",
        variables=(),
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return (
        Evidence("prediction spread", details.std, "over the samples of a batch", quantity="prediction_std"),
        Evidence("prediction mean", details.mean, "the same for all", quantity="prediction_mean"),
    )


def _equal_predictions(history: History, spread: float) -> signals.Bool:
    """Returns `[T]` whether all samples of a batch get the same prediction."""
    std, mean = signals.run_column(history, "prediction_std"), signals.run_column(history, "prediction_mean")
    return np.asarray((std <= spread * np.where(np.isfinite(mean), np.abs(mean), 0)) | (std == 0))


def _softmax_of_one(history: History) -> bool:
    return signals.output_activation(history) == "softmax" and signals.output_units(history) == 1


def _training_began(history: History) -> signals.Bool:
    """Returns `[T]` whether weights have moved, or could not because no gradient reached them."""
    moved, nonzero = signals.ever(signals.any_moved(history)), signals.any_nonzero_gradient(history)
    return np.asarray(moved if nonzero is None else moved | ~nonzero)
