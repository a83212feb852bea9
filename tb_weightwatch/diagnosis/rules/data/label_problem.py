"""105 label-problem."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import Certainty, number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    Float,
    ever,
    is_cross_entropy,
    loss_name,
    loss_trend,
    model_facts,
    output_activation,
    output_units,
    run_column,
)
from ...wording import evidence, is_custom_loop


class _Fault(NamedTuple):
    firing: Bool
    certainty: Certainty
    message: str
    fix: str


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
def label_problem(history: History, *, tolerance: float = 0.02) -> Finding[Any] | CannotTell | None:
    """Targets that the output layer or the loss can not hold.

    What it sees:
        Targets outside what the output can reach (0 to 1 for a sigmoid, -1 to 1 for tanh, not negative for a ReLU),
        class ids outside the output's units, rows of class probabilities that do not sum to 1, one-hot rows given to
        a sparse loss or class ids to a categorical one, and a cross-entropy below zero, which only such targets make.

    Why it matters:
        With targets outside [0, 1] a cross-entropy has no lowest value: the loss falls below zero for ever while
        the outputs are driven into saturation, and what the curve shows as progress is the opposite of it.

    When it is a false alarm:
        When the predictions are rescaled between the last layer and the loss. Soft labels and label smoothing stay
        within [0, 1] and sum to 1, so they pass.

    What to try:
        Encode the labels for the loss (0/1 for a sigmoid, class ids 0..k-1 or one-hot rows for a softmax), or take
        the output and the loss for the labels as they are (linear output with mean squared error for numbers).

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
    loss = run_column(history, "loss")
    trend = loss_trend(history)
    # Of a loss function that is not known: far below zero under a sigmoid (a negative overlap stays above -1).
    unknown = (
        output_activation(history) == "sigmoid" and output_units(history) == 1 and not model_facts(history).get("loss")
    )
    negative = (loss < 0) if is_cross_entropy(history) else (trend.recent < -2) & trend.decreased & unknown
    below_zero = bool(negative.any()) and (is_cross_entropy(history) or not history.has("target_high"))
    if not below_zero and not (history.has("target_high") and history.has("target_low")):
        return CannotTell("the targets were not seen (pass targets=y to watch.step)")
    low, high = run_column(history, "target_low"), run_column(history, "target_high")
    fault = (
        _range(history, low, high, tolerance)
        or _ids(history, low, high)
        or _shapes(history, high)
        or _sums(history, tolerance)
        or (_negative(history, negative) if below_zero else None)
    )
    if fault is None or not fault.firing.any():
        return (
            None
            if output_activation(history) or model_facts(history).get("loss")
            else CannotTell("neither the output layer nor the loss function is known (pass model= to ww.Watch)")
        )

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        shown = [
            evidence("smallest target", float(np.nanmin(low[: row + 1])), "so far", quantity="target_low"),
            evidence("largest target", float(np.nanmax(high[: row + 1])), "so far", quantity="target_high"),
        ] if np.isfinite(low[: row + 1]).any() else []  # fmt: skip
        message = fault.message.format(
            low=number(float(np.nanmin(low[: row + 1]))) if shown else "?",
            high=number(float(np.nanmax(high[: row + 1]))) if shown else "?",
            loss=number(float(loss_trend(history).recent[row])),
        )
        return VerdictText(message, fault.fix, "error", fault.certainty, variables=(), evidence=tuple(shown))

    return Finding(ever(fault.firing), tell)


def _rescaled(history: History, low: float, high: float) -> bool:
    """Says whether the predictions leave the output's range, so that something stands between output and loss."""
    mean = run_column(history, "prediction_mean")
    return bool(((mean < low - 1e-3) | (mean > high + 1e-3)).any())


def _range(history: History, low: Float, high: Float, tolerance: float) -> _Fault | None:
    activation, loss = output_activation(history), run_column(history, "loss")
    binary = "binary" in loss_name(history) and is_cross_entropy(history)
    if activation in ("sigmoid", "hard_sigmoid") or (binary and activation in ("", "linear")):
        if _rescaled(history, 0, 1) and not binary:
            return None
        outside = (low < -tolerance) | (high > 1 + tolerance)
        falls = (
            " and the loss falls below zero"
            if (loss < 0).any()
            else ""
            if not binary
            else ", where it has no lowest value"
        )
        exact: Certainty = "certain" if binary or (loss < 0).any() or not is_custom_loop(history) else "likely"
        reached = "binary cross-entropy takes" if binary else "the sigmoid output reaches"
        return (
            _Fault(
                outside,
                exact,
                f"The targets lie between {{low}} and {{high}}, but {reached} only 0 to 1{falls}, so the labels "
                f"can not be fitted",
                "Encode the labels as 0 and 1:\n    y = (y == positive_class).astype('float32')   # or y / "
                "y.max() for a share\n"
                "For several classes use Dense(classes, activation='softmax') with sparse_categorical_crossentropy; "
                "for numbers a linear output with mean squared error.",
            )
            if outside.any()
            else None
        )
    if activation == "tanh":
        outside = (low < -1 - 2 * tolerance) | (high > 1 + 2 * tolerance)
        return (
            _Fault(
                outside,
                "likely" if is_custom_loop(history) else "certain",
                "The targets lie between {low} and {high}, but the tanh output reaches only -1 to 1",
                "Scale the targets into [-1, 1], or make the output linear:\n    keras.layers.Dense(units)   # "
                "no activation",
            )
            if outside.any() and not _rescaled(history, -1, 1)
            else None
        )
    if activation in ("relu", "softplus", "exponential"):
        middle, spread = run_column(history, "target_mean"), run_column(history, "target_std")
        outside = (
            (low < 0) & ((middle - spread < 0) | (middle < 0)) & (low < -tolerance * np.fmax(np.abs(high), spread))
        )
        return (
            _Fault(
                outside,
                "likely",
                f"The targets go down to {{low}}, but the {activation} output is never below 0, so those can not "
                f"be reached",
                "Make the output linear:\n    keras.layers.Dense(units)   # no activation",
            )
            if outside.any() and not _rescaled(history, 0, np.inf)
            else None
        )
    return None


def _ids(history: History, low: Float, high: Float) -> _Fault | None:
    name, units = loss_name(history), output_units(history)
    target, prediction = model_facts(history).get("target_shape"), model_facts(history).get("prediction_shape")
    as_ids = "sparse" in name or (
        name.startswith("guess categorical")
        and target is not None
        and (len(target) == 1 or target[-1] == 1 or (prediction and len(target) == len(prediction) - 1))
    )
    if not as_ids or not units or units < 2:
        return None
    ignored = (model_facts(history).get("loss") or {}).get("ignore_class")
    outside = high > units - 1
    if ignored is None:
        outside = outside | (low < 0)
    return (
        _Fault(
            outside,
            "certain",
            f"The class ids run from {{low}} to {{high}}, but the output has {units} units, which are the ids 0 "
            f"to {units - 1}",
            "Number the classes from 0 (y = y - y.min()), or give the output as many units as there are classes:\n"
            "    _, y = np.unique(y, return_inverse=True)   # ids 0..k-1\n    keras.layers.Dense(k, "
            "activation='softmax')",
        )
        if outside.any()
        else None
    )


def _shapes(history: History, high: Float) -> _Fault | None:
    target, prediction = model_facts(history).get("target_shape"), model_facts(history).get("prediction_shape")
    name, units = loss_name(history), output_units(history)
    if not target or not prediction or not is_cross_entropy(history):
        return None
    everywhere = np.ones(len(history), bool)
    whole = not (run_column(history, "target_fraction_share") > 0).any()
    if "sparse" in name and units and units > 1 and list(target)[1:] == list(prediction)[1:] and len(target) > 1:
        return _Fault(
            everywhere, "certain",
            f"The targets are one-hot rows of {target[-1]}, but a sparse loss expects one class id a sample",
            "Use the loss for one-hot rows, or class ids:\n    loss='categorical_crossentropy'   # or: y = "
            "y.argmax(axis=-1)",
        )  # fmt: skip
    ids = len(target) == 1 or (target[-1] == 1 and len(target) == len(prediction))
    if "categorical" in name and "sparse" not in name and units and units > 1 and ids and whole and (high >= 1).any():
        return _Fault(
            everywhere, "certain",
            f"The targets are class ids up to {{high}}, but categorical cross-entropy expects one-hot rows of {units}",
            "Use the loss for class ids:\n    loss='sparse_categorical_crossentropy'   # or: "
            "keras.utils.to_categorical(y)",
        )  # fmt: skip
    return None


def _sums(history: History, tolerance: float) -> _Fault | None:
    name, units = loss_name(history), output_units(history)
    if "categorical" not in name or "sparse" in name or not units or units < 2:
        return None
    target, prediction = model_facts(history).get("target_shape"), model_facts(history).get("prediction_shape")
    if not target or not prediction or list(target)[1:] != list(prediction)[1:] or len(target) < 2:
        return None
    off = run_column(history, "target_sum_error") > tolerance
    return (
        _Fault(
            off,
            "certain" if is_cross_entropy(history) else "likely",
            "The rows of the targets do not sum to 1 (targets from {low} to {high}), as a softmax output's always do",
            "Give one class a sample (one-hot rows that sum to 1). If a sample may have several classes, use\n"
            "    keras.layers.Dense(classes, activation='sigmoid') with loss='binary_crossentropy'",
        )
        if off.any()
        else None
    )


def _negative(history: History, firing: Bool) -> _Fault:
    return _Fault(
        firing,
        "certain" if is_cross_entropy(history) else "likely",
        "The cross-entropy is below zero ({loss}), which only targets outside [0, 1] can make",
        "Look at the labels' smallest and largest value and encode them as 0 and 1, or as class ids from 0:\n"
        "    print(y.min(), y.max())\n    y = (y == positive_class).astype('float32')",
    )
