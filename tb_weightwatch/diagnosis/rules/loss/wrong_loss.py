"""302 wrong-loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import signals
from ...rule import CannotTell, Evidence, Finding, History, SimpleFinding, earliest, rule
from ...wording import is_custom_loop, number


@rule(
    code=302,
    name="wrong-loss",
    link="loss",
    explains=(
        "label-problem", "loss-activation-mismatch", "saturated-activation", "dead-relu", "constant-output",
        "no-learning-signal", "nonfinite-loss", "unscaled-target", "nonfinite-gradient", "learning-rate-too-large",
    ),
)  # fmt: skip
def wrong_loss(
    history: History, *, rows: int = 20, continuous: float = 0.3
) -> Finding[SimpleFinding] | CannotTell | None:
    """A loss that does not fit the task, or does not compare what it should.

    What it sees:
        Continuous targets outside 0 to 1 with a cross-entropy; class ids with a squared or absolute error on one
        output per class; class ids treated as numbers where nothing is gained by it; in a hand-written loop, a loss of
        `[batch, 1]` predictions and `[batch]` targets, which compares every prediction with every target, or one that
        is the negative of an error that grows.

    Why it matters:
        A loss that measures something else is minimised all the same: weights move, and nothing useful is learned. When
        predictions and targets are broadcast, the best prediction for all samples is the mean of the targets.

    When it is a false alarm:
        Ratings and counts are whole numbers, and a squared error is right for them: as soon as the loss is below that
        of a constant prediction, they are not reported.

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
        rows: recorded steps before anything that depends on the course of the loss is reported.
        continuous: share of fractional targets from which they count as numbers rather than labels.
    """
    if not history.has("target_high", "target_low"):
        return CannotTell("the targets were not recorded (pass targets=y to watch.step)")
    finding = earliest(
        _numbers(history, continuous), _class_ids(history, rows), _all_pairs(history), _wrong_sign(history)
    )
    if finding is None and not signals.loss_facts(history) and not is_custom_loop(history):
        return CannotTell("the loss function is not known")
    return finding


def _numbers(history: History, continuous: float) -> SimpleFinding | None:
    """Finds continuous targets outside 0 to 1 with a cross-entropy."""
    fraction = signals.running_mean(signals.run_column(history, "target_fraction_share"))
    low, high = signals.run_column(history, "target_low"), signals.run_column(history, "target_high")
    outside = (fraction > continuous) & ((low < -0.02) | (high > 1.02))
    if not signals.is_cross_entropy(history) or not outside.any():
        return None
    return SimpleFinding(
        signals.ever(outside),
        "The targets are continuous numbers, but the loss is a cross-entropy, which is meant for classes: they go from "
        f"{number(float(np.nanmin(low)))} to {number(float(np.nanmax(high)))}",
        "Predict numbers with a linear output and a squared error:\n"
        "    keras.layers.Dense(1)   # no activation, and\n    loss='mean_squared_error'",
        (Evidence("fractional targets", float(np.nanmax(fraction)), "share", quantity="target_fraction_share"),),
    )


def _class_ids(history: History, rows: int) -> SimpleFinding | None:
    """Finds class ids with a squared or absolute error, on one output per class or on a single linear output."""
    name, units = signals.loss_name(history), signals.output_units(history) or 1
    if not signals.loss_facts(history) or not ("mean_squared_error" in name or "mean_absolute_error" in name):
        return None
    target, prediction = _shapes(history)
    one_id = len(target) == 1 or (len(target) == len(prediction) and bool(target) and target[-1] == 1)
    if units > 1 and one_id and len(prediction) == 2 and prediction[-1] != 1:
        return _distance_of_ids(
            history, _look_like_ids(history), f"one class id per sample is compared with {units} outputs", certain=True
        )
    if units == 1 and signals.output_activation(history) == "linear":
        return _distance_of_ids(
            history,
            _look_like_ids(history) & _evenly_spread(history) & _rests_at_constant(history, 2 * rows),
            "class ids are treated as numbers, and the loss is not clearly better than that of predicting their mean",
            certain=False,
        )
    return None


def _distance_of_ids(history: History, firing: signals.Bool, reason: str, *, certain: bool) -> SimpleFinding | None:
    if not firing.any():
        return None
    largest = int(np.nanmax(signals.run_column(history, "target_high")[firing]))
    return SimpleFinding(
        firing,
        "The loss measures a distance between numbers, but the targets look like class ids from 0 to "
        f"{largest}: {reason}",
        f"For classes:\n    keras.layers.Dense({largest + 1}, activation='softmax')\n"
        "    loss='sparse_categorical_crossentropy'",
        (Evidence("largest target", float(largest), "a whole number", quantity="target_high"),),
        severity="error" if certain else "warning",
        certainty="certain" if certain else "likely",
    )


def _look_like_ids(history: History) -> signals.Bool:
    """Returns `[T]` whether all targets so far are whole numbers from 0 to between 2 and 1,000."""
    low, high = signals.run_column(history, "target_low"), signals.running_max(_target_high(history))
    integers = ~signals.ever(signals.run_column(history, "target_fraction_share") > 0)
    return np.asarray(integers & (np.fmin.accumulate(low) == 0) & (high >= 2) & (high <= 1000))


def _evenly_spread(history: History) -> signals.Bool:
    """Returns `[T]` whether targets are spread evenly over 0 to k - 1, as class ids are; counts and ratings crowd."""
    high = signals.running_max(_target_high(history))
    mean = signals.running_mean(signals.run_column(history, "target_mean"))
    std = np.sqrt(np.maximum(signals.running_mean(signals.run_column(history, "target_std") ** 2), 0))
    uniform_std = np.sqrt(((high + 1) ** 2 - 1) / 12)
    return np.asarray((np.abs(mean - high / 2) < 0.1 * high) & (np.abs(std / uniform_std - 1) < 0.2))


def _rests_at_constant(history: History, rows: int) -> signals.Bool:
    """Returns `[T]` whether the loss has stayed at that of a constant prediction for so many rows.

    Ratings look like class ids, and a squared error is right for them: only a loss at rest at the level of their mean
    shows that the order of the numbers means nothing.
    """
    trend = signals.loss_trend(history)
    near = np.abs(trend.recent / trend.constant_loss - 1) < 0.1
    return np.asarray(signals.streak(near & trend.enough_rows & ~signals.beats_constant(history)) >= rows)


_KINDS = {
    "squared_error": "mean square",
    "absolute_error": "mean absolute value",
    "cross_entropy": "mean cross-entropy",
    "logit_cross_entropy": "mean cross-entropy",
}


def _all_pairs(history: History) -> SimpleFinding | None:
    """Finds a loss over all pairs of predictions and targets, which broadcasting makes."""
    name, firing = signals.pair_candidate(history)
    if not name:
        return None
    loss, (target, prediction) = signals.run_column(history, "loss"), _shapes(history)
    size = "x".join(str(shape[0]) for shape in (prediction, target) if shape)
    return SimpleFinding(
        firing,
        f"The loss compares every prediction with every target: predictions have the shape {prediction} and targets "
        f"{target}, so broadcasting makes a {size} matrix of them, and the loss is exactly its {_KINDS[name]}",
        "Give both the same shape:\n    y = y[:, None]   # or: y_pred = tf.squeeze(model(x), -1)",
        (Evidence("loss", float(loss[np.isfinite(loss)][-1]), "equal to that over all pairs", quantity="loss"),),
    )


def _wrong_sign(history: History) -> SimpleFinding | None:
    """Finds a loss that is the negative of an error, while this error grows."""
    name, firing = signals.maximized_candidate(history)
    if not name:
        return None
    error = signals.run_column(history, name)
    error = error[np.isfinite(error)]
    return SimpleFinding(
        firing,
        f"The loss has the wrong sign: it is exactly the negative of the {_KINDS[name]} of the batch, which grew from "
        f"{number(float(error[0]))} to {number(float(error.max()))}, so training makes the predictions worse",
        "Minimise the error itself:\n    loss = tf.reduce_mean(loss_function(y, y_pred))   # without the minus",
        (Evidence("error", float(error.max()), "largest of a recorded batch", quantity=name),),
    )


def _target_high(history: History) -> signals.Float:
    return signals.run_column(history, "target_high")


def _shapes(history: History) -> tuple[list[Any], list[Any]]:
    """Returns the shapes of a batch of targets and of predictions; [] where they are not known."""
    facts = signals.model_facts(history)
    return list(facts.get("target_shape") or ()), list(facts.get("prediction_shape") or ())
