"""The symptom of weights that move so little that nothing can come of it."""

from __future__ import annotations

from ...history import History
from ...verdict import Symptom
from .. import signals
from ..wording import add_up_to, plural

_PATH = 0.02  # length of the path of all updates, in multiples of the weight's own size
_CERTAIN_PATH = 1e-4  # weights are the same in four digits as at first, whatever the loss does
_STEPS = 40


def weights_barely_move(history: History) -> Symptom | None:
    """Returns the symptom if all updates so far add up to a small part of the weights, and the loss stands still.

    The path is the sum of the update ratios, and so at least as long as the way from where a weight started.
    """
    distance, trend = float(signals.distance_moved(history)[-1]), signals.loss_trend(history)
    enough = int(history.steps[-1]) >= _STEPS and len(history) >= _STEPS // 2
    if not enough or not 0 < distance < _PATH or _rising_rate(history) or _may_be_done(history):
        return None
    loss_stands_still = bool(trend.enough_rows[-1]) and not _fell(history)
    if not loss_stands_still and distance >= _CERTAIN_PATH:
        return None
    course = (
        f", and the loss does not fall beyond its noise ({signals.loss_course(history, len(history) - 1)})"
        if loss_stands_still
        else ""
    )
    return Symptom(
        name="weights-barely-move",
        link="update",
        severity="error",
        message=f"The weights barely move: the updates of {plural(int(history.steps[-1]), 'step')} "
        f"{add_up_to(distance)}{course}",
        variables=signals.trainable_names(history),
        first_step=1,
        last_step=int(history.steps[-1]),
    )


def _rising_rate(history: History) -> bool:
    """Whether the learning rate still rises, as it does during warm-up, and will matter before long.

    A warm-up that at its present slope would not reach a hundredth of the usual learning rate in ten times the steps
    so far is as good as a learning rate that is too small.
    """
    rate = signals.run_column(history, "learning_rate")
    first, last = float(signals.first_known(rate)[-1]), float(signals.latest_known(rate)[-1])
    return last > 1.02 * first and 10 * last > 0.01 * signals.usual_learning_rate(history)


def _may_be_done(history: History) -> bool:
    """Whether the loss was low from the start, as when a trained model is fine-tuned."""
    trend = signals.loss_trend(history)
    return bool(trend.low(0.5)[-1])


def _fell(history: History) -> bool:
    trend = signals.loss_trend(history)
    return bool(trend.decreased[-1] and trend.relative_decrease[-1] > 0.05)
