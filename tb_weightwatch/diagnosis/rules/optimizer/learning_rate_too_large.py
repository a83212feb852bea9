"""503 learning-rate-too-large."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...wording import factor, number


@rule(
    code=503,
    name="learning-rate-too-large",
    link="optimizer",
    needs=("loss", "update_norm", "weight_norm"),
    explains=(
        "dead-relu", "saturated-activation", "constant-output", "nonfinite-loss", "zero-gradient", "vanishing-gradient",
        "nonfinite-gradient", "nonfinite-weight", "no-learning-signal", "update-below-precision",
    ),
)  # fmt: skip
def learning_rate_too_large(
    history: History, *, step: float = 0.1, rise: float = 3.0, growth: float = 4.0, rows: int = 8
) -> Finding[Details] | CannotTell | None:
    """Updates so large that the loss jumps about, stays at a useless level, or ends in NaN.

    What it sees:
        Updates of a tenth of the weight's norm and more, together with an effect: the loss rises far above its start;
        it made an enormous jump and is not clearly better than at first; the weights have grown to many times their
        first norm, a ReLU layer has died, or the gradient flips its direction at every step, and the loss does not
        fall; values become NaN after such growth.

    Why it matters:
        The gradient is valid only near the weights at which it was computed. A step far beyond that lands higher than
        where it began. Most such trainings do not end in NaN: the first updates throw the weights into a flat region
        (dead or saturated units), and then everything looks calm. Look at the beginning of the run.

    When it is a false alarm:
        Large updates at the start and a noisy loss are healthy as long as the loss falls: then nothing is reported. A
        loss that rises with small updates (that of a GAN or of reinforcement learning) is not reported either.

    What to try:
        A tenth of the learning rate, warm-up, and clipping by global norm.

    Sick example:
        watch = fit(net(1), x, number, "mse", optimizers.SGD(30.0))

    Healthy example:
        watch = fit(net(1), x, number, "mse", optimizers.SGD(0.03))

    References:
        Smith, Cyclical Learning Rates, https://arxiv.org/abs/1506.01186

    Args:
        history: what was recorded.
        step: update ratio of one step from which the update is large.
        rise: factor by which the loss must exceed its start to count as risen.
        growth: factor by which the weights must exceed their first norm to count as blown up.
        rows: recorded steps before anything but NaN is judged.
    """
    large = signals.running_max(signals.largest_relative_update(history)) >= step
    if not large.any():
        return None
    effects = signals.effects_of_large_updates(history, rise, growth, rows)
    firing = large & np.logical_or.reduce(effects)
    return Finding(firing, partial(measure, history, effects), text, evidence, claims) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        learning_rate: the learning rate; NaN if it is not known.
        new_learning_rate: the learning rate to set.
        code: the lines of code that set it.
        largest_update: largest ‖Δw‖ / ‖w‖ of one step so far.
        effect: the field of `Effects` that holds.
        weight_growth: largest factor by which the norm of a kernel has grown; NaN if it is not known.
        first_loss: the very first loss.
        start, peak, recent: the loss at the beginning, its largest value so far, and its mean over the last rows.
        names: names of the trainable variables.
        loss: the course of the loss.
        norm: what the update is compared with: "their norm", or "the usual norm" of weights that began smaller.
        peak_step: step of the largest loss so far.
        last_step: the step of this row.
    """

    learning_rate: float
    new_learning_rate: float
    code: str
    largest_update: float
    effect: str
    weight_growth: float
    first_loss: float
    start: float
    peak: float
    recent: float
    names: tuple[str, ...]
    loss: signals.LossCourse = signals.LossCourse()
    norm: str = "their norm"
    peak_step: int = 0
    last_step: int = 0


def measure(history: History, effects: signals.LargeUpdateEffects, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    trend = signals.loss_trend(history)
    learning_rate = float(signals.latest_known(signals.run_column(history, "learning_rate"))[row])
    largest_update = float(signals.running_max(signals.largest_relative_update(history))[row])
    new_learning_rate = _lower_learning_rate(history, learning_rate, largest_update)
    return Details(
        learning_rate=learning_rate,
        new_learning_rate=new_learning_rate,
        code=signals.set_learning_rate_code(history, new_learning_rate),
        largest_update=largest_update,
        effect=next(name for name, holds in effects._asdict().items() if holds[row]),
        weight_growth=float(signals.weight_growth(history)[row]),
        first_loss=float(trend.first[row]),
        start=float(trend.start[row]),
        peak=float(trend.peak[row]),
        recent=float(trend.recent[row]),
        names=tuple(signals.variables(history)[i].name for i in np.flatnonzero(signals.trainable(history))),
        loss=signals.loss_course(history, row),
        norm=_compared_with(history, row, largest_update),
        peak_step=_peak_step(history, row),
        last_step=int(history.steps[row]),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    start, peak, recent = number(details.start), number(details.peak), number(details.recent)
    does_not_fall = details.loss.standstill
    grew = f"the weights grew to {factor(details.weight_growth)} times their size and then values"
    if details.peak > details.start:
        grew = f"the loss grew from {start} to {peak} and then values"
    effect = {
        "became_nonfinite": f"{grew} became NaN or infinite",
        "loss_rose": f"the loss rose from {number(min(details.first_loss, details.start))} to {recent}",
        "loss_jumped": f"the loss jumped from {start} to {peak} and is not clearly better than at first ({recent})",
        "weights_grew": f"the weights grew to {factor(details.weight_growth)} times their size and {does_not_fall}",
        "relu_died": f"a ReLU layer that was alive at first has died, and {does_not_fall}",
        "gradient_flips": f"the gradient mostly points against that of the step before, and {does_not_fall}",
    }[details.effect]
    known, learning_rate = details.learning_rate > 0, signals.literal(details.learning_rate)
    cause = f"The learning rate of {learning_rate} is too large" if known else "The updates are too large"
    return VerdictText(
        message=f"{cause}: one step changed the weights by {factor(details.largest_update)} times {details.norm} (1e-3 "
        f"is typical), and {effect}",
        fix=f"Lower the learning rate{f' from {learning_rate}' if known else ''} to about "
        f"{signals.literal(details.new_learning_rate)} and restart from fresh weights (clipping helps: "
        f"global_clipnorm=1.0):\n{details.code}",
        variables=details.names,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    one_step = "of one step; 1e-3 is typical"
    return (
        Evidence("largest update ratio", details.largest_update, one_step, quantity="update_ratio"),
        Evidence("loss at first", details.start, "of the first recorded steps", quantity="loss"),
        Evidence("largest loss", details.peak, "of those recorded", step=details.peak_step or None, quantity="loss"),
        Evidence("loss now", details.recent, "mean of the last recorded steps", quantity="loss"),
    )


def _compared_with(history: History, row: int, largest: float) -> str:
    """Returns "their norm"; a weight that is smaller than usual for its shape is compared with the usual norm."""
    update, weight = signals.column(history, "update_norm"), signals.column(history, "weight_norm")
    assert update is not None and weight is not None
    update, weight = update[: row + 1], weight[: row + 1]
    ratio = np.where(weight > 0, update / np.where(weight > 0, weight, 1), 0)[:, signals.trainable(history)]
    return "their norm" if (np.abs(ratio / largest - 1) < 0.01).any() else "the usual norm of such weights"


def _peak_step(history: History, row: int) -> int:
    loss = signals.run_column(history, "loss")[: row + 1]
    finite = np.where(np.isfinite(loss), loss, -np.inf)
    return int(history.steps[int(np.argmax(finite))]) if np.isfinite(finite).any() else 0


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns the update that the message states, where it is compared with the weights' own norm."""
    known = details.norm == "their norm" and np.isfinite(details.largest_update)
    return (Claim("reached", "update_ratio", details.largest_update, 1, details.last_step),) if known else ()


def _lower_learning_rate(history: History, learning_rate: float, update_ratio: float) -> float:
    """Returns the learning rate to set: a tenth or less, down to an update ratio of about 1e-2."""
    usual = signals.usual_learning_rate(history)
    if not learning_rate > 0:
        return usual
    if signals.is_normalized(history):
        return usual if learning_rate > 3 * usual else signals.round_learning_rate(learning_rate / 10)
    by_ratio = max(learning_rate * 1e-2 / update_ratio, learning_rate * 1e-4)
    return signals.round_learning_rate(min(learning_rate / 10, by_ratio))
