"""103 unscaled-target."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    anything_nonfinite,
    ever,
    first_known,
    is_cross_entropy,
    is_normalized,
    largest_relative_update,
    latest_known,
    loss_name,
    loss_trend,
    mostly_dead,
    output_activation,
    run_column,
    running_mean,
    streak,
    usual_learning_rate,
)
from ...wording import evidence


@rule(
    code=103,
    name="unscaled-target",
    link="data",
    explains=(
        "dead-relu", "constant-output", "nonfinite-loss", "exploding-gradient", "nonfinite-gradient", "zero-gradient",
        "learning-rate-too-large", "nonfinite-weight", "no-learning-signal", "learning-rate-too-small",
        "clipping-too-tight", "saturated-activation", "poor-initialization",
    ),
)  # fmt: skip
def unscaled_target(
    history: History, *, size: float = 10.0, tiny: float = 0.01, rows: int = 30, reach: float = 0.2
) -> Finding[Any] | CannotTell | None:
    """Regression targets far from the scale at which a network begins.

    What it sees:
        Targets whose size is far above (or below) 1, with a linear output and a distance for a loss, **and** an effect:
        the loss is still above that of always predicting the mean, and at its pace stays there for long; or it
        jumped, became NaN or killed units, with steps that would have been harmless for targets of size 1.

    Why it matters:
        A new network predicts numbers near 0. With targets of 150 the first job is to lift the last bias by 150 in
        steps of a thousandth; meanwhile its gradient, hundreds of times too large, is all the others hear.

    When it is a false alarm:
        When the model scales its output inside a `call` that can not be seen. A model that gets below the mean's loss
        all the same is none of its business, and it stays silent.

    What to try:
        Standardise the targets with the training set's mean and standard deviation, and undo it after predicting.

    Sick example:
        price = 150 + 20 * number
        watch = loop(net(1), x, price, mse, optimizers.Adam(), steps=64)

    Healthy example:
        price = 150 + 20 * number
        watch = loop(net(1), x, (price - price.mean()) / price.std(), mse, optimizers.Adam(), steps=64)

    References:
        https://developers.google.com/machine-learning/crash-course/numerical-data/normalization

    Args:
        history: what was recorded.
        size: root mean square of the targets from which they count as large.
        tiny: root mean square under which they count as small.
        rows: recorded steps before a loss is judged.
        reach: share of the way down to the mean's loss that must be done by then; three times that when twice as many
            have been recorded.
    """
    if is_cross_entropy(history) or output_activation(history) not in ("linear", ""):
        return None
    if not any(part in loss_name(history) for part in ("squared", "absolute", "huber", "cosh")):
        return None
    mean, spread = run_column(history, "target_mean"), run_column(history, "target_std")
    if not np.isfinite(mean).any():
        return CannotTell("the targets were not seen (pass targets=y to watch.step)")
    rms = np.sqrt(running_mean(mean**2 + spread**2))
    off = (rms > size) | (rms < tiny) & (rms > 0)
    if not off.any():
        return None
    trend = loss_trend(history)
    left, done = trend.recent - trend.constant_loss, trend.start - trend.recent
    far = np.where(trend.finite_rows >= 2 * rows, 3 * reach, reach)
    slow = (left > 0.1 * trend.constant_loss) & (done < far * (left + done)) & (trend.finite_rows >= rows)
    broken = (rms > size) & _broken(history) & _harmless(history, rms)
    firing = off & (streak(slow) >= 3) & _rate_sane(history) | broken
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        m, s = number(float(running_mean(mean)[row])), number(float(np.sqrt(max(0.0, running_mean(spread**2)[row]))))
        effect = (
            f"the steps they make have thrown the weights away ({trend.describe(row)}, up to {number(trend.peak[row])})"
            if broken[row]
            else f"after {int(history.steps[row]):,} steps the loss ({trend.describe(row)}) is still above "
            f"{number(float(trend.constant_loss[row]))}, that of always predicting the mean"
        )
        return VerdictText(
            message=f"The targets are not scaled: about {m} with a spread of {s} (0 and 1 are usual), and {effect}",
            fix="Standardise the targets, and undo it after predicting:\n"
            "    mean, std = y.mean(), y.std()   # of the training set\n    y = (y - mean) / std\n"
            "    y_pred = model.predict(x) * std + mean",
            evidence=(
                evidence("target size", rms[row], "root mean square; about 1 is usual", quantity="target_mean"),
                evidence("loss of the mean", trend.constant_loss[row], "takes no skill", quantity="loss"),
            ),
            severity="error",
            certainty="likely",
            variables=(),
        )

    return Finding(np.asarray(firing), tell)


def _broken(history: History) -> Bool:
    """Returns `[T]` whether the training has been wrecked: NaN, a loss far above its start, or a dead layer."""
    trend = loss_trend(history)
    worse = (trend.peak > 10 * trend.start) & (trend.recent > 0.9 * trend.constant_loss)
    return np.asarray(
        ever(anything_nonfinite(history))
        | worse
        | mostly_dead(history) & trend.near_constant_loss(0.9) & trend.enough_rows
    )


def _harmless(history: History, rms: NDArray[np.float64]) -> Bool:
    """Returns `[T]` whether the first step, at targets of size 1, would have been small: else the rate is to blame."""
    if is_normalized(history):
        return np.zeros(len(history), bool)
    first = first_known(largest_relative_update(history)) / np.fmax(first_known(rms), 1)
    return np.asarray(first < 0.1)


def _rate_sane(history: History) -> Bool:
    """Returns `[T]` whether the learning rate is none that would keep any training from getting ahead."""
    rate = latest_known(run_column(history, "learning_rate"))
    return np.asarray(~(rate < 0.03 * usual_learning_rate(history)))
