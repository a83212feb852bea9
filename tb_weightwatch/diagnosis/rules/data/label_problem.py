"""105 label-problem."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Certainty, Claim, Evidence, Finding, History, VerdictText, rule
from ...wording import is_custom_loop, number

Problem = Literal[
    "out of range", "fractions", "class ids", "one-hot for sparse", "ids for one-hot", "row sums", "negative loss"
]  # fmt: skip
_UNIT, _NONNEGATIVE, _ANY = (0.0, 1.0), (0.0, np.inf), (-np.inf, np.inf)
_RANGES = {
    "sigmoid": _UNIT, "hard_sigmoid": _UNIT, "tanh": (-1.0, 1.0),
    "relu": _NONNEGATIVE, "softplus": _NONNEGATIVE, "exponential": _NONNEGATIVE,
}  # fmt: skip


@rule(
    code=105,
    name="label-problem",
    link="data",
    explains=(
        "saturated-activation", "dead-relu", "constant-output", "loss-activation-mismatch",
        "nonfinite-loss", "zero-gradient", "nonfinite-gradient", "exploding-gradient", "learning-rate-too-large",
        "unscaled-target", "nonfinite-weight", "no-learning-signal",
    ),
)  # fmt: skip
def label_problem(history: History, *, tolerance: float = 0.02) -> Finding[Details] | CannotTell | None:
    """Targets that the output layer or the loss cannot represent.

    What it sees:
        Targets outside the range of the output (0 to 1 for a sigmoid, -1 to 1 for tanh, not negative for a ReLU),
        class ids for which the output has no unit, rows of class probabilities that do not sum to 1, one-hot rows given
        to a sparse loss or class ids to a categorical one, and a cross-entropy below zero, which only such targets can
        cause. Or the exception with which a loss refuses such class ids, or targets of such a shape.

    Why it matters:
        With targets outside [0, 1] a cross-entropy has no minimum: the loss falls below zero without end while the
        outputs are driven into saturation. The curve looks like progress, but it shows the opposite.

    When it is a false alarm:
        When the predictions are rescaled between the last layer and the loss. Soft labels and label smoothing stay
        within [0, 1] and sum to 1, so they are not reported.

    What to try:
        Encode the labels for the loss (0/1 for a sigmoid, class ids 0..k-1 or one-hot rows for a softmax), or choose
        the output and the loss for the labels as they are (a linear output with mean squared error for numbers).

    Sick example:
        watch = fit(net(1, "sigmoid"), x, label + 1, "binary_crossentropy")

    Healthy example:
        watch = fit(net(1, "sigmoid"), x, label, "binary_crossentropy")

    References:
        https://keras.io/api/losses/probabilistic_losses/

    Args:
        history: what was recorded.
        tolerance: how far outside its range a target may lie, as a share of the range.
    """
    negative = _negative_loss(history)
    if not negative.any() and not (history.has("target_high") and history.has("target_low")):
        return CannotTell("the targets were not recorded (pass targets=y to watch.step)")
    checks: tuple[tuple[Problem, signals.Bool], ...] = (
        ("out of range", _out_of_range(history, tolerance)),
        ("fractions", _fractional_ids(history)),
        ("class ids", _ids_without_unit(history)),
        ("one-hot for sparse", _one_hot_for_sparse(history)),
        ("ids for one-hot", _ids_for_one_hot(history)),
        ("row sums", _wrong_row_sums(history, tolerance)),
        ("negative loss", negative),
    )
    for problem, firing in checks:
        if firing.any():
            return Finding(signals.ever(firing), partial(measure, history, problem=problem), text, evidence, claims)
    if signals.output_activation(history) or signals.model_facts(history).get("loss"):
        return None
    return CannotTell("neither the output layer nor the loss function is known (pass model= to ww.Watch)")


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        problem: what is wrong with the targets.
        low, high: smallest and largest target so far; NaN if they were not recorded.
        activation: activation of the output layer.
        units: units of the output layer; 0 if they are not known.
        row_length: length of a row of the targets; 0 if it is not known.
        binary: whether the loss is a binary cross-entropy.
        lowest_loss: the smallest loss so far; NaN if it is not known.
        lowest_step: its step.
        last_step: the step of this row.
        certainty: "likely" if something that was not recorded may lie between the targets and the loss.
    """

    problem: Problem
    low: float = np.nan
    high: float = np.nan
    activation: str = ""
    units: int = 0
    row_length: int = 0
    binary: bool = False
    lowest_loss: float = np.nan
    lowest_step: int = 0
    last_step: int = 0
    certainty: Certainty = "certain"


def measure(history: History, row: int, _: NDArray[np.intp], *, problem: Problem) -> Details:
    """Returns the numbers and names of one row."""
    low, high = (column[: row + 1] for column in _low_and_high(history))
    recorded = np.isfinite(low).any()
    target, _prediction = _shapes(history)
    loss = signals.run_column(history, "loss")[: row + 1]
    lowest = int(np.nanargmin(loss)) if np.isfinite(loss).any() else 0
    return Details(
        problem=problem,
        low=float(np.nanmin(low)) if recorded else np.nan,
        high=float(np.nanmax(high)) if recorded else np.nan,
        activation=signals.output_activation(history),
        units=signals.output_units(history) or 0,
        row_length=target[-1] if target else 0,
        binary=_is_binary(history),
        lowest_loss=float(loss[lowest]),
        lowest_step=int(history.steps[lowest]),
        last_step=int(history.steps[row]),
        certainty=_certainty(history, problem),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    message, fix = _out_of_range_text(details) if details.problem == "out of range" else _encoding_text(details)
    return VerdictText(message, fix, certainty=details.certainty, variables=())


def _out_of_range_text(details: Details) -> tuple[str, str]:
    low, high = number(details.low), number(details.high)
    linear = "    keras.layers.Dense(units)   # no activation"
    if details.activation == "tanh":
        message = (
            f"The targets lie outside the output's range: they lie between {low} and {high}, but tanh reaches only"
        )
        return f"{message} -1 to 1", f"Scale the targets into [-1, 1], or make the output linear:\n{linear}"
    if _RANGES.get(details.activation) == _NONNEGATIVE:
        message = (
            f"The targets lie outside the output's range: they go down to {low}, but {details.activation} is never"
        )
        return f"{message} below 0, so negative targets cannot be predicted", f"Make the output linear:\n{linear}"
    whose = "loss" if details.binary else "output"
    limit = "binary cross-entropy has a minimum only for" if details.binary else "a sigmoid reaches only"
    lowest = f"{number(details.lowest_loss)} at step {details.lowest_step:,}"
    falls = f"the loss fell below zero ({lowest}) and " if details.lowest_loss < 0 else ""
    return (
        f"The targets lie outside the {whose}'s range: they lie between {low} and {high}, but {limit} 0 to 1, so "
        f"{falls}the labels cannot be fitted",
        "Encode the labels as 0 and 1:\n"
        "    y = (y == positive_class).astype('float32')   # or y / y.max() for a share\n"
        "For several classes use Dense(classes, activation='softmax') with sparse_categorical_crossentropy; "
        "for numbers use a linear output with mean squared error.",
    )


def _encoding_text(details: Details) -> tuple[str, str]:
    low, high, units = number(details.low), number(details.high), details.units
    return {
        "fractions": (
            f"The targets are fractions from {low} to {high}, but the loss expects class ids: it cuts off what follows "
            "the decimal point, so different classes become one",
            "Pass the class ids as integers, and do not scale them:\n    y = labels.astype('int32')   # not / 255",
        ),
        "class ids": (
            f"The class ids range from {low} to {high}, but the output has {units} units, for the ids 0 to {units - 1}",
            "Number the classes from 0 (y = y - y.min()), or give the output as many units as there are classes:\n"
            "    _, y = np.unique(y, return_inverse=True)   # ids 0..k-1\n"
            "    keras.layers.Dense(k, activation='softmax')",
        ),
        "one-hot for sparse": (
            f"The targets are one-hot rows of length {details.row_length}, but a sparse loss expects one class id per "
            "sample",
            "Use the loss for one-hot rows, or class ids:\n"
            "    loss='categorical_crossentropy'   # or: y = y.argmax(axis=-1)",
        ),
        "ids for one-hot": (
            f"The targets are class ids up to {high}, but categorical cross-entropy expects one-hot rows of length "
            f"{units}",
            "Use the loss for class ids, or one-hot rows:\n"
            "    loss='sparse_categorical_crossentropy'   # or: y = keras.utils.to_categorical(y)",
        ),
        "row sums": (
            f"The rows of the targets do not sum to 1 (targets from {low} to {high}), but those of a softmax output "
            "always do",
            "Give each sample one class (one-hot rows that sum to 1). If a sample may have several classes, use\n"
            "    keras.layers.Dense(classes, activation='sigmoid')   # with loss='binary_crossentropy'",
        ),
        "negative loss": (
            f"The cross-entropy was below zero ({number(details.lowest_loss)} at step {details.lowest_step:,}), which "
            "only targets outside [0, 1] can cause",
            "Check the smallest and largest label, and encode the labels as 0 and 1 or as class ids from 0:\n"
            "    print(y.min(), y.max())\n    y = (y == positive_class).astype('float32')",
        ),
    }[details.problem]


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    if np.isnan(details.low):
        return ()
    return (
        Evidence("smallest target", details.low, "of the recorded batches", quantity="target_low"),
        Evidence("largest target", details.high, "of the recorded batches", quantity="target_high"),
    )


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns what the message states of targets and loss."""
    last, low, high = details.last_step, details.low, details.high
    targets = (
        Claim("reached", "target_low", low, 1, last),
        Claim("at least", "target_low", low, 1, last, recorded_only=True),
        Claim("reached", "target_high", high, 1, last),
        Claim("at most", "target_high", high, 1, last, recorded_only=True),
    )
    below = details.lowest_loss < 0
    loss = (Claim("is", "loss", details.lowest_loss, details.lowest_step, details.lowest_step),) if below else ()
    return (*(targets if np.isfinite(low) else ()), *loss)


def _low_and_high(history: History) -> tuple[signals.Float, signals.Float]:
    """Returns `[T]` the smallest and the largest target of each batch."""
    return signals.run_column(history, "target_low"), signals.run_column(history, "target_high")


def _shapes(history: History) -> tuple[list[Any], list[Any]]:
    """Returns the shapes of a batch of targets and of predictions; [] where they are not known."""
    facts = signals.model_facts(history)
    return list(facts.get("target_shape") or ()), list(facts.get("prediction_shape") or ())


def _is_binary(history: History) -> bool:
    return "binary" in signals.loss_name(history) and signals.is_cross_entropy(history)


def _loss_below_zero(history: History) -> bool:
    return bool((signals.run_column(history, "loss") < 0).any())


def _target_range(history: History) -> tuple[float, float]:
    """Returns the range that targets must lie in: that of the output, or of a binary cross-entropy on raw outputs."""
    activation = signals.output_activation(history)
    if _is_binary(history) and activation in ("", "linear"):
        return _UNIT
    return _RANGES.get(activation, _ANY)


def _certainty(history: History, problem: Problem) -> Certainty:
    """Returns "likely" if the predictions may be rescaled before the loss, or the loss may not be a cross-entropy."""
    certain = True
    if problem == "out of range":
        low, high = _target_range(history)
        certain = bool(np.isfinite(high)) and not is_custom_loop(history)
        certain |= (low, high) == _UNIT and (_is_binary(history) or _loss_below_zero(history))
    elif problem in ("fractions", "row sums", "negative loss"):
        certain = signals.is_cross_entropy(history)
    return "certain" if certain else "likely"


def _out_of_range(history: History, tolerance: float) -> signals.Bool:
    """Returns `[T]` whether targets lie outside the range of the output, and predictions do not."""
    least, most = _target_range(history)
    low, high = _low_and_high(history)
    prediction = signals.run_column(history, "prediction_mean")
    rescaled = ((prediction < least - 1e-3) | (prediction > most + 1e-3)).any()
    if rescaled and not ((least, most) == _UNIT and _is_binary(history)):
        return np.zeros(len(history), bool)
    if (least, most) == _NONNEGATIVE:  # a few slightly negative targets do no harm
        mean, std = signals.run_column(history, "target_mean"), signals.run_column(history, "target_std")
        many = (mean - std < 0) | (mean < 0)
        return np.asarray((low < 0) & many & (low < -tolerance * np.fmax(np.abs(high), std)))
    margin = tolerance * (most - least)
    return np.asarray((low < least - margin) | (high > most + margin))


def _fractional_ids(history: History) -> signals.Bool:
    """Returns `[T]` whether most targets of a loss that expects class ids are not whole numbers."""
    if not _expects_ids(history):
        return np.zeros(len(history), bool)
    return np.asarray(signals.run_column(history, "target_fraction_share") > 0.5)


def _expects_ids(history: History) -> bool:
    """Whether the loss expects class ids; for a loss that is not known, whether the targets have their shape."""
    name, (target, prediction) = signals.loss_name(history), _shapes(history)
    ids = bool(target) and (len(target) == 1 or target[-1] == 1 or len(target) == len(prediction) - 1)
    return "sparse" in name or (name.startswith("guess categorical") and ids)


def _ids_without_unit(history: History) -> signals.Bool:
    """Returns `[T]` whether targets that are class ids lie outside 0 to units - 1."""
    units = signals.output_units(history)
    # The recorded output layer need not be what predicts, where there are several models or branches.
    if _shapes(history)[1] and units != signals.predicted_units(history):
        return np.zeros(len(history), bool)
    if not _expects_ids(history) or not units or units < 2:
        return np.zeros(len(history), bool)
    low, high = _low_and_high(history)
    outside = high > units - 1
    if (signals.model_facts(history).get("loss") or {}).get("ignore_class") is None:
        outside = outside | (low < 0)
    return np.asarray(outside)


def _one_hot_for_sparse(history: History) -> signals.Bool:
    """Returns `[T]`, everywhere the same, whether a sparse loss gets targets of the predictions' shape."""
    (target, prediction), units = _shapes(history), signals.output_units(history) or 0
    sparse = signals.is_cross_entropy(history) and "sparse" in signals.loss_name(history)
    one_hot = len(target) > 1 and target[1:] == prediction[1:]
    return np.full(len(history), sparse and units > 1 and one_hot)


def _ids_for_one_hot(history: History) -> signals.Bool:
    """Returns `[T]`, everywhere the same, whether a categorical cross-entropy gets class ids."""
    (target, prediction), units = _shapes(history), signals.output_units(history) or 0
    name = signals.loss_name(history)
    categorical = signals.is_cross_entropy(history) and "categorical" in name and "sparse" not in name
    ids = bool(target) and (len(target) == 1 or (target[-1] == 1 and len(target) == len(prediction)))
    integers = not (signals.run_column(history, "target_fraction_share") > 0).any()
    several = (signals.run_column(history, "target_high") >= 1).any()
    return np.full(len(history), categorical and units > 1 and ids and bool(prediction) and integers and several)


def _wrong_row_sums(history: History, tolerance: float) -> signals.Bool:
    """Returns `[T]` whether the rows of a categorical cross-entropy's targets do not sum to 1."""
    name, (target, prediction) = signals.loss_name(history), _shapes(history)
    categorical = "categorical" in name and "sparse" not in name and (signals.output_units(history) or 0) >= 2
    if not categorical or not prediction or len(target) < 2 or target[1:] != prediction[1:]:
        return np.zeros(len(history), bool)
    return np.asarray(signals.run_column(history, "target_sum_error") > tolerance)


def _negative_loss(history: History) -> signals.Bool:
    """Returns `[T]` whether a cross-entropy is below zero.

    A loss function that is not known must be far below zero under a sigmoid (a negative overlap stays above -1).
    """
    trend = signals.loss_trend(history)
    if signals.is_cross_entropy(history):
        return np.asarray(signals.run_column(history, "loss") < 0)
    one_sigmoid = signals.output_activation(history) == "sigmoid" and signals.output_units(history) == 1
    if not one_sigmoid or signals.model_facts(history).get("loss") or history.has("target_high"):
        return np.zeros(len(history), bool)
    return np.asarray((trend.recent < -2) & trend.decreased)
