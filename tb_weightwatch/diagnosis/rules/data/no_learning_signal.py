"""106 no-learning-signal."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import Evidence, Finding, History, VerdictText, rule
from ...statements import StepCount, steps_made
from ...wording import add_up_to, against_constant


@rule(code=106, name="no-learning-signal", link="data", needs=("loss", "update_norm", "weight_norm"))
def no_learning_signal(
    history: History, *, steps: int = 100, travel: float = 0.5, level: float = 0.97
) -> Finding[Details] | None:
    """Weights that move as they should, and a loss that stays at that of a constant prediction.

    What it sees:
        A loss that stays at the level of a constant prediction (ln k for k classes, the variance of the targets) for a
        long time, while the weights have moved as far as their own size and no other rule found a cause. Or batches
        that are sorted, each of one class alone.

    Why it matters:
        When labels do not belong to their inputs (one of the two was shuffled, or joined by the wrong key), every batch
        pulls in a different direction and the pulls cancel. In sorted batches each one undoes what the previous one
        taught.

    When it is a false alarm:
        Data that hold hardly any signal look the same. With a squared error or a binary cross-entropy even a small gain
        is distinguished from chance, batch by batch. The two sides of a GAN never gain, so programs with several
        optimizers are not judged.

    What to try:
        Look at ten pairs (x, y) as the model gets them. Shuffle inputs and targets together. Try to overfit 32 samples.

    Sick example:
        def loss(y, p):
            return tf.reduce_mean(keras.losses.binary_crossentropy(y, p))

        order = np.argsort(label[:, 0])   # sorted by class, and never shuffled
        watch = loop(net(1, "sigmoid"), x[order], label[order], loss, optimizers.Adam(0.01))

    Healthy example:
        def loss(y, p):
            return tf.reduce_mean(keras.losses.binary_crossentropy(y, p))

        watch = loop(net(1, "sigmoid"), x, label, loss, optimizers.Adam(0.01))

    References:
        Zhang et al., Understanding deep learning requires rethinking generalization, https://arxiv.org/abs/1611.03530

    Args:
        history: what was recorded.
        steps: training steps before it is reported.
        travel: how many times their own size the weights must have moved.
        level: share of the loss of a constant prediction below which something has been learned.
    """
    if len(signals.optimizers(history)) > 1:
        return None
    trend, distance = signals.loss_trend(history), signals.distance_moved(history)
    enough = (history.steps >= steps) & (trend.finite_rows >= 50) & (distance > travel)
    stuck = _never_learned(history, level) & trend.baseline_reliable & _could_learn(history) & enough
    firing = np.asarray(_sorted_by_class(history) | stuck)
    return Finding(firing, partial(measure, history), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        sorted_by_class: whether nearly every batch holds a single class.
        steps: training steps so far.
        loss: the course of the loss.
        constant_loss: the loss of a constant prediction.
        distance: what the updates add up to, in multiples of the weights' own size.
    """

    sorted_by_class: bool
    steps: StepCount
    loss: signals.LossCourse
    constant_loss: float
    distance: float


def measure(history: History, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers of one row."""
    trend = signals.loss_trend(history)
    return Details(
        sorted_by_class=bool(_sorted_by_class(history)[row]),
        steps=steps_made(history, row),
        loss=signals.loss_course(history, row),
        constant_loss=float(trend.constant_loss[row]),
        distance=float(signals.distance_moved(history)[row]),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    steps = details.steps
    if details.sorted_by_class:
        return VerdictText(
            message=f"The batches are sorted by class: nearly every recorded one holds a single class "
            f"({details.loss.over(str(steps))}), so each undoes what the previous one taught",
            fix="Shuffle before batching, inputs and targets together:\n"
            "    dataset = dataset.shuffle(len(x)).batch(32)   # or: model.fit(..., shuffle=True)",
            variables=(),
        )
    level = against_constant(details.loss.recent, details.constant_loss)
    return VerdictText(
        message=f"There is no learning signal: the updates of {steps} {add_up_to(details.distance)}, "
        f"but the loss is {level} ({details.loss})",
        fix="Check that inputs and targets belong together, and shuffle them together:\n"
        "    order = np.random.permutation(len(x)); x, y = x[order], y[order]\n"
        "A healthy program can overfit a few samples:\n    model.fit(x[:32], y[:32], epochs=200)",
        variables=(),
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    if details.sorted_by_class:
        return (Evidence("target spread", 0.0, "in most batches", quantity="target_std"),)
    return (
        Evidence("baseline loss", details.constant_loss, "of a constant prediction", quantity="loss"),
        Evidence("distance moved", details.distance, "sum of update ratios", quantity="update_ratio"),
    )


def _never_learned(history: History, level: float) -> signals.Bool:
    """Returns `[T]` whether the loss is at that of a constant prediction and was never below it beyond chance."""
    trend = signals.loss_trend(history)
    below = trend.recent + 1.75 * trend.recent_margin < level * trend.constant_loss
    learned = below & (trend.finite_rows >= 30) | signals.beats_constant(history)
    near = trend.recent < 1.3 * trend.constant_loss
    return np.asarray(~signals.ever(learned) & near & (trend.recent + trend.recent_margin > trend.constant_loss))


def _could_learn(history: History) -> signals.Bool:
    """Returns `[T]` whether neither the learning rate nor NaN nor an unreliable level accounts for the loss."""
    rate = signals.latest_known(signals.run_column(history, "learning_rate"))
    able = ~(rate > 30 * signals.usual_learning_rate(history)) & ~signals.ever(signals.anything_nonfinite(history))
    # The level of absolute errors assumes normally distributed targets.
    return np.asarray(able & ~(signals.loss_trend(history).decreased & ("absolute" in signals.loss_name(history))))


def _sorted_by_class(history: History) -> signals.Bool:
    """Returns `[T]` whether most batches hold one class, not all the same one, and the loss keeps coming back up."""
    std, mean = signals.run_column(history, "target_std"), signals.run_column(history, "target_mean")
    integers = ~signals.ever(signals.run_column(history, "target_fraction_share") > 0)
    large = np.isfinite(std) & (signals.run_column(history, "batch_size") >= 4)
    single_class = np.where(large, std == 0, np.nan)
    class_id = np.where(single_class == 1, mean, np.nan)
    several = np.fmax.accumulate(class_id) > np.fmin.accumulate(class_id)
    sorted_batches = (signals.running_mean(single_class) > 0.8) & several & integers & (np.cumsum(large) >= 10)
    peak = _recent_peak(signals.run_column(history, "loss"))
    return np.asarray(sorted_batches & (peak >= signals.loss_trend(history).constant_loss))


def _recent_peak(loss: signals.Float, rows: int = 32) -> signals.Float:
    """Returns `[T]` the largest of the last `rows` losses."""
    padded = np.r_[np.full(rows - 1, -np.inf), np.where(np.isfinite(loss), loss, -np.inf)]
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, rows).max(axis=1))
