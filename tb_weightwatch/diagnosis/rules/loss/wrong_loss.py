"""302 wrong-loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, SimpleFinding, earliest, rule
from ...signals import (
    Bool,
    beats_constant,
    is_cross_entropy,
    loss_equals,
    loss_facts,
    loss_name,
    loss_trend,
    model_facts,
    output_activation,
    output_units,
    run_column,
    running_mean,
    streak,
)
from ...wording import evidence, is_custom_loop


@rule(
    code=302,
    name="wrong-loss",
    link="loss",
    explains=(
        "label-problem", "loss-activation-mismatch", "saturated-activation", "dead-relu", "constant-output",
        "no-learning-signal", "nonfinite-loss", "unscaled-target", "nonfinite-gradient", "learning-rate-too-large",
    ),
)  # fmt: skip
def wrong_loss(history: History, *, rows: int = 20, continuous: float = 0.3) -> Finding[Any] | CannotTell | None:
    """A loss that does not fit the task, or does not compare what it should.

    What it sees:
        Continuous targets outside 0 to 1 with a cross-entropy; class ids with a squared or absolute error on one
        output per class; class ids taken for numbers where nothing is gained by it; in a hand-written loop, a squared
        error of `[batch, 1]` predictions and `[batch]` targets, which compares every prediction with every target.

    Why it matters:
        A loss that asks for something else is minimised all the same: weights move, and nothing useful is learned. By
        broadcasting, the best prediction for all samples is the mean of the targets.

    When it is a false alarm:
        Ratings and counts are whole numbers and a squared error fits them: as soon as the loss is below what takes no
        skill, it stays silent.

    What to try:
        Mean squared error for numbers, sparse_categorical_crossentropy for class ids, binary_crossentropy for 0 and 1.

    Sick example:
        watch = fit(net(1, "sigmoid"), x, number, "binary_crossentropy")

    Healthy example:
        watch = fit(net(1), x, number, "mse")

    References:
        https://keras.io/api/losses/

    Args:
        history: what was recorded.
        rows: recorded steps before what rests on the loss' course is reported.
        continuous: share of fractional targets from which they count as numbers rather than labels.
    """
    if not history.has("target_high", "target_low"):
        return CannotTell("the targets were not seen (pass targets=y to watch.step)")
    found = earliest(_numbers(history, continuous), _ids(history, rows), _broadcast(history))
    if found is None and not loss_facts(history) and not is_custom_loop(history):
        return CannotTell("the loss function is not known")
    return found


def _numbers(history: History, continuous: float) -> SimpleFinding | None:
    fraction = running_mean(run_column(history, "target_fraction_share"))
    low, high = run_column(history, "target_low"), run_column(history, "target_high")
    outside = (fraction > continuous) & ((low < -0.02) | (high > 1.02))
    if not is_cross_entropy(history) or not outside.any():
        return None
    return SimpleFinding(
        np.logical_or.accumulate(outside),
        f"The targets are continuous numbers ({number(float(np.nanmin(low)))} to {number(float(np.nanmax(high)))}), "
        f"but the loss is a cross-entropy, which is for classes",
        "Predict numbers with a linear output and a squared error:\n"
        "    keras.layers.Dense(1)   # no activation, and\n    loss='mean_squared_error'",
        (evidence("fractional targets", float(np.nanmax(fraction)), "share", quantity="target_fraction_share"),),
    )


def _ids(history: History, rows: int) -> SimpleFinding | None:
    name, units = loss_name(history), output_units(history) or 1
    if not loss_facts(history) or not ("mean_squared_error" in name or "mean_absolute_error" in name):
        return None
    low, high = run_column(history, "target_low"), np.fmax.accumulate(run_column(history, "target_high"))
    whole = ~np.logical_or.accumulate(run_column(history, "target_fraction_share") > 0)
    ids = whole & (np.fmin.accumulate(low) == 0) & (high >= 2) & (high <= 1000)
    target, prediction = (
        model_facts(history).get("target_shape") or [],
        model_facts(history).get("prediction_shape") or [],
    )
    single = len(target) == 1 or (len(target) == len(prediction) and bool(target) and target[-1] == 1)
    if units > 1 and single and len(prediction) == 2 and prediction[-1] != 1:
        return _instead(ids, f"one class id a sample, compared with {units} outputs at once", history, "error")
    if units == 1 and output_activation(history) in ("linear", "softmax", "sigmoid", "relu"):
        mean = running_mean(run_column(history, "target_mean"))
        spread = np.sqrt(np.maximum(running_mean(run_column(history, "target_std") ** 2), 0))
        # Class ids are spread evenly over 0 to k - 1; counts and ratings crowd together.
        even = (np.abs(mean - high / 2) < 0.1 * high) & (np.abs(spread / np.sqrt(((high + 1) ** 2 - 1) / 12) - 1) < 0.2)
        # Ratings look the same, and a squared error is right for them: only a loss that has come to rest at the level
        # of their mean says that the order of the numbers means nothing.
        trend = loss_trend(history)
        rests = (
            streak(
                (np.abs(trend.recent / trend.constant_loss - 1) < 0.1) & trend.enough_rows & ~beats_constant(history)
            )
            >= 2 * rows
        )
        if output_activation(history) == "linear":
            return _instead(ids & even & rests, "class ids taken for numbers, and nothing is gained", history, "")
    return None


def _instead(firing: Bool, what: str, history: History, severity: str) -> SimpleFinding | None:
    if not firing.any():
        return None
    top = int(np.nanmax(run_column(history, "target_high")[firing]))
    return SimpleFinding(
        firing,
        f"The loss measures a distance between numbers, but the targets look like class ids from 0 to {top}: {what}",
        f"For classes:\n    keras.layers.Dense({top + 1}, activation='softmax')\n"
        "    loss='sparse_categorical_crossentropy'",
        (evidence("largest target", top, "a whole number", quantity="target_high"),),
        "error" if severity else "warning",
        "certain" if severity else "likely",
    )


def _broadcast(history: History) -> SimpleFinding | None:
    target, prediction = (
        model_facts(history).get("target_shape") or [],
        model_facts(history).get("prediction_shape") or [],
    )
    if not history.has("pair_squared_error", "loss"):
        return None
    firing, loss = loss_equals(history, "pair_squared_error", "squared_error"), run_column(history, "loss")
    count = "x".join(str(shape[0]) for shape in (prediction, target) if shape)
    return SimpleFinding(
        firing,
        f"The loss compares every prediction with every target: predictions are {list(prediction)}, targets "
        f"{list(target)}, their difference is a table of {count}, and the loss is exactly its mean square",
        "Give both the same shape:\n    y = y[:, None]   # or: y_pred = tf.squeeze(model(x), -1)",
        (evidence("loss", float(loss[np.isfinite(loss)][-1]), "equal to that over all pairs", quantity="loss"),)
        if firing.any()
        else (),
    )
