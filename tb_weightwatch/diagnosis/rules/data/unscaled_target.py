"""103 unscaled-target."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...statements import StepCount, steps_made
from ...wording import number


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
) -> Finding[Details] | CannotTell | None:
    """Regression targets far from the scale at which a network starts.

    What it sees:
        Targets whose size is far above (or below) 1, with a linear output and a distance as the loss, **and** an
        effect: the loss is still above that of always predicting the mean and, at its present rate, will stay there for
        long; or it jumped, became NaN or killed units, with updates that would have been harmless for targets of
        size 1.

    Why it matters:
        A new network predicts numbers near 0. With targets of 150 it first has to raise the last bias to 150 in
        updates of a thousandth; meanwhile all other layers get gradients hundreds of times too large.

    When it is a false alarm:
        When the model scales its output inside a `call`, which cannot be seen. A model whose loss gets below that of
        predicting the mean is not reported.

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
    if signals.is_cross_entropy(history) or signals.output_activation(history) not in ("linear", ""):
        return None
    if not any(kind in signals.loss_name(history) for kind in ("squared", "absolute", "huber", "cosh")):
        return None
    if not np.isfinite(signals.run_column(history, "target_mean")).any():
        return CannotTell("the targets were not recorded (pass targets=y to watch.step)")
    rms = _target_rms(history)
    unscaled = (rms > size) | (rms < tiny) & (rms > 0)
    if not unscaled.any():
        return None
    broken = (rms > size) & _broken(history) & _small_if_scaled(history, rms)
    slow = signals.streak(_slow(history, rows, reach)) >= 3
    firing = np.asarray(unscaled & slow & _learning_rate_sufficient(history) | broken)
    return Finding(firing, partial(measure, history, broken=broken), text, evidence, claims) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        mean, spread: mean and standard deviation of the targets.
        size: their root mean square.
        broken: whether the updates have ruined the weights; otherwise the loss is still too high.
        steps: training steps so far.
        loss: the course of the loss.
        peak: the largest loss so far.
        constant_loss: the loss of always predicting the mean.
    """

    mean: float
    spread: float
    size: float
    broken: bool
    steps: StepCount
    loss: signals.LossCourse
    peak: float
    constant_loss: float


def measure(history: History, row: int, _: NDArray[np.intp], *, broken: signals.Bool) -> Details:
    """Returns the numbers of one row."""
    mean, std = signals.run_column(history, "target_mean"), signals.run_column(history, "target_std")
    trend = signals.loss_trend(history)
    return Details(
        mean=float(signals.running_mean(mean)[row]),
        spread=float(np.sqrt(max(0.0, signals.running_mean(std**2)[row]))),
        size=float(_target_rms(history)[row]),
        broken=bool(broken[row]),
        steps=steps_made(history, row),
        loss=signals.loss_course(history, row),
        peak=float(trend.peak[row]),
        constant_loss=float(trend.constant_loss[row]),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    effect = (
        f"the large updates they cause have ruined the weights ({details.loss}; it was {number(details.peak)} once)"
        if details.broken
        else f"after {details.steps} the loss is still above {number(details.constant_loss)}, "
        f"the loss of always predicting their mean ({details.loss})"
    )
    return VerdictText(
        message=f"The targets are not scaled: their mean is about {number(details.mean)} and their standard deviation "
        f"{number(details.spread)} (0 and 1 are usual), and {effect}",
        fix="Standardise the targets, and undo it after predicting:\n"
        "    mean, std = y.mean(), y.std()   # of the training set\n    y = (y - mean) / std\n"
        "    y_pred = model.predict(x) * std + mean",
        variables=(),
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    level = details.constant_loss
    return (
        Evidence("target size", details.size, "root mean square; about 1 is usual", quantity="target_mean"),
        Evidence("loss of the mean", level, "of always predicting the mean of the targets", quantity="loss"),
    )


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns that the loss was once as large as stated."""
    return (Claim("reached", "loss", details.peak, 1, details.steps.made),) if np.isfinite(details.peak) else ()


def _target_rms(history: History) -> signals.Float:
    """Returns `[T]` the root mean square of all targets so far."""
    mean, std = signals.run_column(history, "target_mean"), signals.run_column(history, "target_std")
    return np.asarray(np.sqrt(signals.running_mean(mean**2 + std**2)))


def _slow(history: History, rows: int, reach: float) -> signals.Bool:
    """Returns `[T]` whether the loss is above that of predicting the mean and has come too little of the way there."""
    trend = signals.loss_trend(history)
    remaining, done = trend.recent - trend.constant_loss, trend.start - trend.recent
    share = np.where(trend.finite_rows >= 2 * rows, 3 * reach, reach)
    return np.asarray(
        (remaining > 0.1 * trend.constant_loss) & (done < share * (remaining + done)) & (trend.finite_rows >= rows)
    )


def _broken(history: History) -> signals.Bool:
    """Returns `[T]` whether training is ruined: NaN, a loss far above its start, or a dead layer."""
    trend = signals.loss_trend(history)
    worse = (trend.peak > 10 * trend.start) & (trend.recent > 0.9 * trend.constant_loss)
    dead = signals.mostly_dead(history) & trend.near_constant_loss(0.9) & trend.enough_rows
    return np.asarray(signals.ever(signals.anything_nonfinite(history)) | worse | dead)


def _small_if_scaled(history: History, rms: signals.Float) -> signals.Bool:
    """Returns `[T]` whether the first update would have been small for targets of size 1; else the rate is to blame."""
    if signals.is_normalized(history):
        return np.zeros(len(history), bool)
    first_update = signals.first_known(signals.largest_relative_update(history))
    return np.asarray(first_update / np.fmax(signals.first_known(rms), 1) < 0.1)


def _learning_rate_sufficient(history: History) -> signals.Bool:
    """Returns `[T]` whether the learning rate is not so small that no training could progress with it."""
    rate = signals.latest_known(signals.run_column(history, "learning_rate"))
    return np.asarray(~(rate < 0.03 * signals.usual_learning_rate(history)))
