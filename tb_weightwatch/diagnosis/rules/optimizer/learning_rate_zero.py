"""501 learning-rate-zero."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...statements import AllSteps, Onset, all_steps, onset
from ...third_party import any_weight_moved, set_learning_rate_fix
from ...wording import is_preflight


@rule(
    code=501,
    name="learning-rate-zero",
    link="optimizer",
    needs=("learning_rate",),
    explains=("learning-rate-too-small", "updates-not-applied", "update-below-precision"),
)
def learning_rate_zero(
    history: History, *, rows: int = 3, floor: float = 0.01, wasted: float = 0.25
) -> Finding[Details] | CannotTell | None:
    """A learning rate that is 0, or has fallen to almost nothing before the model has learned.

    What it sees:
        A learning rate of exactly 0 for several steps with non-zero gradients, which was never above 0; or one that
        fell to less than 1 % of its peak and stayed there for a good part of the run, while the loss is still near its
        start.

    Why it matters:
        Every update is a multiple of the learning rate: with 0, no gradient changes any weight.

    When it is a false alarm:
        Warm-up begins at 0 and a cosine decay ends there. Both are intended and nothing is reported: the first because
        it rises, the second because by then the loss has fallen, or because the end of the run is near.

    What to try:
        Set a learning rate above 0; make the schedule as long as the training (its decay_steps count batches, not
        epochs); give ReduceLROnPlateau a min_lr.

    Sick example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(0.0))

    Healthy example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(0.001))

    References:
        https://keras.io/api/optimizers/learning_rate_schedules/

    Args:
        history: what was recorded.
        rows: recorded steps at exactly 0 before it is reported.
        floor: share of its peak below which the learning rate counts as spent.
        wasted: share of the steps so far that were trained below that floor before it is reported.
    """
    learning_rate = signals.latest_known(signals.run_column(history, "learning_rate"))
    zero, peak = learning_rate == 0, signals.running_max(learning_rate)
    spent = (learning_rate <= floor * peak) & (peak > 0)
    if not (zero | spent).any():
        return None
    trend, moves = signals.loss_trend(history), signals.any_moved(history)
    always_zero = zero & (peak == 0) & (signals.streak(zero) >= rows)
    steps = history.steps.astype(np.float64)
    long_spent = (steps - _last_useful_step(history, spent)) > np.maximum(10.0, wasted * steps)
    has_learned = trend.enough_rows & (trend.relative_decrease > 0.5) | trend.low(0.5)
    ended_too_soon = spent & long_spent & ~has_learned
    firing = always_zero & ~moves & ~any_weight_moved(history) | ended_too_soon & ~(zero & moves)
    firing &= ~signals.all_gradients_zero(history)
    return Finding(firing, partial(measure, history, floor, spent), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        learning_rate: the learning rate.
        peak: the largest learning rate so far; 0 if it was never above 0.
        new_learning_rate: the learning rate to set.
        code: the lines of code that set it.
        steps: training steps so far; each recorded one had a rate of 0 if it was never above 0.
        spent: when the learning rate fell below `floor` times its peak.
        floor: that share.
        nonzero_gradients: whether it was recorded that gradients are non-zero.
        before_training: whether no step has been made yet (`preflight`).
        scheduled: whether the learning rate comes from a schedule.
        third_party_fix: how to set it in the framework that wrote a third-party log; "" otherwise.
        loss: the course of the loss.
        names: names of the trainable variables.
    """

    learning_rate: float
    peak: float
    new_learning_rate: float
    code: str
    steps: AllSteps
    spent: Onset
    floor: float
    nonzero_gradients: bool
    before_training: bool
    scheduled: bool
    third_party_fix: str
    loss: signals.LossCourse
    names: tuple[str, ...]


def measure(history: History, floor: float, spent: signals.Bool, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    learning_rate = signals.latest_known(signals.run_column(history, "learning_rate"))
    peak = float(signals.running_max(learning_rate)[row])
    new_learning_rate = peak if peak > 0 else signals.usual_learning_rate(history)
    return Details(
        learning_rate=float(learning_rate[row]),
        peak=peak,
        new_learning_rate=new_learning_rate,
        code=signals.set_learning_rate_code(history, new_learning_rate),
        steps=_all_steps(history, row, peak),
        spent=onset(history, spent, row),
        floor=floor,
        nonzero_gradients=signals.any_nonzero_gradient(history) is not None,
        before_training=is_preflight(history),
        scheduled=signals.has_schedule(history),
        third_party_fix=set_learning_rate_fix(history, new_learning_rate),
        loss=signals.loss_course(history, row),
        names=tuple(signals.variables(history)[i].name for i in np.flatnonzero(signals.trainable(history))),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    fell = details.peak > 0
    return VerdictText(
        message=_message_of_fall(details) if fell else _message_of_zero(details),
        fix=details.third_party_fix or (_fix_of_fall(details) if fell else _fix_of_zero(details)),
        certainty="certain" if details.learning_rate == 0 else "likely",
        variables=details.names,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    peak = "largest of the recorded steps"
    return (
        Evidence("learning rate", details.learning_rate, "now", quantity="learning_rate"),
        Evidence("peak", details.peak, peak, quantity="learning_rate"),
    )


def _message_of_zero(details: Details) -> str:
    if details.before_training:
        return "The learning rate is exactly 0, so no weight can change"
    although = " although gradients are non-zero" if details.nonzero_gradients else ""
    return f"The learning rate is exactly 0: it has been so in {details.steps}, so no weight changes{although}"


def _fix_of_zero(details: Details) -> str:
    where = "Its schedule returns 0: check its values in the first steps, or set" if details.scheduled else "Set"
    return f"{where} a learning rate above 0, such as {signals.literal(details.new_learning_rate)}:\n{details.code}"


def _message_of_fall(details: Details) -> str:
    now, peak = details.learning_rate, signals.literal(details.peak)
    to = "exactly 0" if now == 0 else f"below {100 * details.floor:.0f} % of its peak"
    numbers = f"from {peak}" if now == 0 else f"from {peak} to {signals.literal(now)}"
    return (
        f"The learning rate fell to {to} before the model had learned: {numbers} {details.spent} of "
        f"{details.steps.steps.made:,}{f' ({details.loss})' if details.loss else ''}, so the weights have hardly "
        "changed since"
    )


def _fix_of_fall(details: Details) -> str:
    decay_steps = max(details.steps.steps.made, 10)
    peak = signals.literal(details.peak)
    return (
        "Make the schedule as long as the training (decay_steps counts batches: epochs * batches per epoch):\n"
        f"    schedule = keras.optimizers.schedules.CosineDecay({peak}, decay_steps={decay_steps})\n"
        f"or set a constant one:\n{details.code}"
    )


def _last_useful_step(history: History, spent: signals.Bool) -> signals.Float:
    """Returns `[T]` the last step so far at which the learning rate was not spent; 0 before there is one."""
    return np.asarray(np.maximum.accumulate(np.where(spent, 0.0, history.steps.astype(np.float64))))


def _all_steps(history: History, row: int, peak: float) -> AllSteps:
    """Returns all steps up to a row, with a rate of 0 in each of them if it was never above 0."""
    steps = all_steps(history, row, Claim("is", "learning_rate", 0.0))
    return steps if peak == 0 else steps._replace(claimed=())
