"""502 learning-rate-too-small."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...statements import AllSteps, StepCount, steps_made
from ...wording import factor, number


@rule(
    code=502,
    name="learning-rate-too-small",
    link="optimizer",
    needs=("learning_rate", "update_norm", "weight_norm"),
    explains=("update-below-precision",),
)
def learning_rate_too_small(
    history: History, *, still: float = 1e-6, slow: float = 1e-4, rows: int = 5, patience: int = 50
) -> Finding[Details] | CannotTell | None:
    """A learning rate so small that the weights hardly change.

    What it sees:
        Gradients are non-zero, but the mean update of every trainable variable is less than a millionth of its norm; or
        it is less than 1e-4 with a learning rate far below the optimizer's typical one, and the loss has hardly
        changed.

    Why it matters:
        The update is the learning rate times the gradient (for Adam and its relatives: about the learning rate
        itself). At a millionth per step, it takes a million steps to change a weight by its own size; a change of less
        than about 6e-8 of the weight is not even stored in float32.

    When it is a false alarm:
        Warm-up (the learning rate rises), the end of a decay (the mean over the run is typical), fine-tuning and long
        trainings that make progress (the loss falls), converged models (the loss is low).

    What to try:
        Raise it until the update ratio is about 1e-3; start with 1e-3 for Adam and 1e-2 for SGD.

    Sick example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(1e-10))

    Healthy example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(1e-3))

    References:
        https://cs231n.github.io/neural-networks-3/#ratio

    Args:
        history: what was recorded.
        still: mean update ratio below which weights do not move, whatever the loss does.
        slow: mean update ratio below which training is slow, if the loss agrees.
        rows: recorded steps before weights that do not move are reported.
        patience: training steps before a slow training is reported.
    """
    learning_rate = _learning_rate(history)
    ratio = signals.largest_mean_relative_update(history)
    candidates = (learning_rate > 0) & (ratio < slow)
    if not candidates.any():
        return None
    nonzero = signals.any_nonzero_gradient(history)
    if nonzero is None and not history.has("loss"):
        return CannotTell("neither gradients nor the loss were recorded (watch.step(loss, gradients=...))")
    # Warm-up: the learning rate rises from its first value.
    rising = learning_rate > 1.02 * signals.first_known(signals.run_column(history, "learning_rate"))
    enough_rows = np.arange(1, len(history) + 1) >= max(rows, 2 * signals.accumulation_steps(history))
    firing = candidates & enough_rows & ~rising & _learning_rate_is_to_blame(history, learning_rate, ratio)
    firing &= np.ones(len(history), bool) if nonzero is None else nonzero
    motionless = (ratio < still) & ~_lost_to_precision(history) & ~_has_learned(history)
    firing &= motionless | _crawling(history, ratio, rows, patience)
    return Finding(firing, partial(measure, history, motionless), text, evidence, claims) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        learning_rate: the learning rate.
        usual_learning_rate: the typical one for this optimizer.
        new_learning_rate: the learning rate to set.
        code: the lines of code that set it.
        ratio: mean ‖Δw‖ / ‖w‖ over the recorded steps, the largest over the kernels; 0 if nothing has moved.
        kernel: name of that kernel; "" if the norm is that which is usual, since all kernels began smaller.
        steps: training steps so far.
        span: first and last recorded step.
        rows: number of recorded steps.
        exact: whether the learning rate alone explains that nothing moves.
        loss: the course of the loss.
        names: names of the trainable variables.
        still: names of those that stand still, where `ratio` is 0.
    """

    learning_rate: float
    usual_learning_rate: float
    new_learning_rate: float
    code: str
    ratio: float
    kernel: str
    steps: StepCount
    span: tuple[int, int]
    rows: int
    exact: bool
    loss: signals.LossCourse
    names: tuple[str, ...]
    still: tuple[str, ...] = ()


def measure(history: History, motionless: signals.Bool, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    learning_rate = float(_learning_rate(history)[row])
    ratio = float(signals.largest_mean_relative_update(history)[row])
    new_learning_rate = signals.suggested_learning_rate(history, learning_rate, ratio)
    stated, kernel = _stated_ratio(history, row, ratio)
    names = signals.trainable_names(history)
    kernels = tuple(signals.variables(history)[i].name for i in np.flatnonzero(signals.trainable_kernels(history)))
    return Details(
        learning_rate=learning_rate,
        usual_learning_rate=signals.usual_learning_rate(history),
        new_learning_rate=new_learning_rate,
        code=signals.set_learning_rate_code(history, new_learning_rate),
        ratio=stated,
        kernel=kernel,
        steps=steps_made(history, row),
        span=(int(history.steps[0]), int(history.steps[row])),
        rows=row + 1,
        exact=bool(motionless[row]) and signals.is_normalized(history) and learning_rate <= 1e-6,
        loss=signals.loss_course(history, row),
        names=names,
        still=kernels if ratio > 0 and stated == 0 else names,
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    learning_rate = signals.literal(details.learning_rate)
    below = details.usual_learning_rate / details.learning_rate
    size = f", {factor(below)} times below the typical one" if below > 5 else ""
    still = "weights" if details.still == details.names else "kernels"
    norm = "its norm" if details.kernel else "the usual norm of such a kernel"
    effect = (
        f"the {still} stand still in {AllSteps(details.rows, details.steps)}"
        if details.ratio == 0
        else f"on average a recorded step changes no kernel by more than {number(details.ratio)} of {norm} (1e-3 is "
        "typical)"
    )
    duration = details.loss.over(str(details.steps)) if details.loss else f"in {details.steps}"
    return VerdictText(
        message=f"The learning rate of {learning_rate} is too small{size}: {effect}, {duration}",
        fix=f"Raise the learning rate from {learning_rate} to about {signals.literal(details.new_learning_rate)} "
        f"(the update ratio is {number(details.ratio)} now, 1e-3 is typical):\n{details.code}",
        certainty="certain" if details.exact else "likely",
        variables=details.names,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    usual = f"{signals.literal(details.usual_learning_rate)} is typical"
    mean = "mean over the recorded steps, largest over the kernels; 1e-3 is typical"
    return (
        Evidence("learning rate", details.learning_rate, usual, quantity="learning_rate"),
        Evidence("update ratio", details.ratio, mean, quantity="update_ratio"),
    )


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns what the message states of the weights."""
    if details.ratio == 0:
        return (Claim("is", "update_norm", 0, *details.span, details.still, recorded_only=True),)
    if not details.kernel:
        return ()
    return (Claim("mean", "update_ratio", details.ratio, *details.span, (details.kernel,), recorded_only=True),)


def _stated_ratio(history: History, row: int, ratio: float) -> tuple[float, str]:
    """Returns the largest mean of a kernel's update over its norm, and its name; else what the rule judges by, and "".

    A kernel that begins at zero, as biases do, makes a step of the size of its norm at first, however small it is.
    """
    if not ratio > 0:
        return ratio, ""
    kernels = np.flatnonzero(signals.trainable_kernels(history))
    ratios = history.column("update_ratio")[: row + 1, kernels].astype(np.float64)
    known = np.isfinite(ratios)
    means = np.sum(np.where(known, ratios, 0), axis=0) / np.maximum(known.sum(axis=0), 1)
    if not len(kernels) or means.max() > 30 * ratio:
        return ratio, ""
    if means.max() == 0:
        return 0.0, ""
    return float(means.max()), signals.variables(history)[int(kernels[int(np.argmax(means))])].name


def _learning_rate(history: History) -> signals.Float:
    """Returns `[T]` the learning rate as last known."""
    return signals.latest_known(signals.run_column(history, "learning_rate"))


def _crawling(history: History, ratio: signals.Float, rows: int, patience: int) -> signals.Bool:
    """Returns `[T]` whether the weights move, but too slowly for the loss to change."""
    trend, learning_rate = signals.loss_trend(history), _learning_rate(history)
    small = learning_rate < 0.1 * signals.usual_learning_rate(history)
    decayed = learning_rate < 0.5 * signals.running_max(learning_rate)
    no_progress = ((trend.relative_decrease < 0.05) | ~trend.decreased) & ~trend.low()
    enough_rows = (history.steps >= patience) & (trend.finite_rows >= rows)
    slow = (ratio > 0) & (_possible_decrease(history) < 1e-4)
    return np.asarray(enough_rows & small & no_progress & slow & ~decayed)


def _learning_rate_is_to_blame(history: History, learning_rate: signals.Float, ratio: signals.Float) -> signals.Bool:
    """Returns `[T]` whether a usual learning rate would make updates of typical size: else the gradient is to blame."""
    usual = signals.usual_learning_rate(history)
    if signals.is_normalized(history):
        return np.asarray(learning_rate < 0.03 * usual)
    needed = np.where(ratio > 0, learning_rate * 1e-3 / np.where(ratio > 0, ratio, 1), usual)
    far_below = (learning_rate < 0.1 * usual) | (needed < 10 * usual)
    return np.asarray((needed < 1000 * usual) & (learning_rate < usual) & far_below)


def _lost_to_precision(history: History) -> signals.Bool:
    """Returns `[T]` whether nothing moves although the update rule asks for updates that would matter."""
    negligible = signals.expected_update_negligible(history)
    never_moved = ~signals.ever(_any_moved(history))
    return np.asarray(never_moved) if negligible is None else np.asarray(never_moved & ~negligible)


@signals.incremental
def _any_moved(rows: History, carry: signals.Carry) -> signals.Bool:
    """Returns `[T]` whether a trainable variable moved in that row, even if it became infinite."""
    update = signals.column(rows, "update_norm")
    assert update is not None
    return np.asarray(((update != 0) & ~np.isnan(update) & signals.trainable(rows)).any(axis=1))


def _has_learned(history: History) -> signals.Bool:
    """Returns `[T]` whether the loss is so far below that of a constant prediction that little is left to learn."""
    trend = signals.loss_trend(history)
    return np.asarray((trend.recent <= 0.2 * trend.constant_loss) | (trend.recent == 0))


def _possible_decrease(history: History) -> signals.Float:
    """Returns `[T]` the share by which one step can lower the loss at most, to first order: sum of ‖g‖ ‖Δw‖ / loss."""
    decrease = _first_order_decrease(history)
    if decrease is None or not history.has("loss"):
        return np.zeros(len(history))
    return signals.running_mean(decrease) / np.maximum(np.abs(signals.loss_trend(history).recent), 1e-30)


@signals.incremental
def _first_order_decrease(rows: History, carry: signals.Carry) -> signals.Float | None:
    """Returns `[T]` the sum of ‖g‖ ‖Δw‖ over the trainable variables; None if it is not known."""
    norm, update = signals.column(rows, "gradient_norm"), signals.column(rows, "update_norm")
    if norm is None or update is None:
        return None
    return np.asarray(np.nansum(np.where(signals.trainable(rows), norm * update, 0), axis=1))
