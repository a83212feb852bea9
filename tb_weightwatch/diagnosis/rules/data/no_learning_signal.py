"""106 no-learning-signal."""

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
    beats_constant,
    distance_moved,
    ever,
    latest_known,
    loss_name,
    loss_trend,
    optimizers,
    run_column,
    running_mean,
    usual_learning_rate,
)
from ...wording import evidence, plural


@rule(code=106, name="no-learning-signal", link="data", needs=("loss", "update_norm", "weight_norm"))
def no_learning_signal(
    history: History, *, steps: int = 100, travel: float = 0.3, level: float = 0.97
) -> Finding[Any] | CannotTell | None:
    """Weights that move as they should, and a loss that stays where a model without inputs would be.

    What it sees:
        A loss at the level that takes no skill (ln k for k classes, the variance of the targets) for all of a long
        stretch, while the weights have travelled as far as their own size and no other check found a cause. Or batches
        that are ordered, each of one class alone.

    Why it matters:
        When labels do not belong to their inputs (one of them shuffled, joined by the wrong key), every batch pulls
        in a direction of its own and the pulls cancel. In ordered batches each undoes what the last one taught.

    When it is a false alarm:
        Data that hold hardly any signal look alike: of a squared error and a binary cross-entropy even a small gain is
        told from chance, batch by batch. The two sides of a GAN never gain, so several optimizers are not judged.

    What to try:
        Look at ten pairs (x, y) as the model gets them; shuffle inputs and targets together; try to overfit 32 samples.

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
        level: share of the loss of no skill under which something has been learned.
    """
    if len(optimizers(history)) > 1:
        return None
    trend = loss_trend(history)
    ordered = _ordered(history) & (_recent_peak(run_column(history, "loss")) >= trend.constant_loss)
    learned = (trend.recent + 1.75 * trend.recent_margin < level * trend.constant_loss) & (
        trend.finite_rows >= 30
    ) | beats_constant(history)
    above = ~ever(learned) & (trend.recent < 1.3 * trend.constant_loss)
    above &= trend.recent + trend.recent_margin > trend.constant_loss
    rate = latest_known(run_column(history, "learning_rate"))
    able = ~(rate > 30 * usual_learning_rate(history)) & ~ever(anything_nonfinite(history))
    # Of absolute errors the level is that of a bell curve, which the targets need not follow.
    able &= ~(trend.decreased & ("absolute" in loss_name(history)))
    stuck = (
        above
        & trend.baseline_reliable
        & able
        & (history.steps >= steps)
        & (trend.finite_rows >= 50)
        & (distance_moved(history) > travel)
    )
    firing = ordered | stuck
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        far = float(distance_moved(history)[row])
        words, at = trend.describe(row), plural(int(history.steps[row]), "step")
        if ordered[row]:
            return VerdictText(
                message=f"The batches are ordered: nearly every one holds a single class ({words} over {at}), so each "
                "undoes what the one before has taught",
                fix="Shuffle before batching, inputs and targets together:\n"
                "    dataset = dataset.shuffle(len(x)).batch(32)   # or: model.fit(..., shuffle=True)",
                evidence=(evidence("target spread", 0.0, "in most batches", quantity="target_std"),),
                severity="error",
                certainty="likely",
                variables=(),
            )
        return VerdictText(
            message=f"There is no learning signal: the weights moved {number(far, 2)} times their own size in {at}, "
            f"but the loss stays at {number(float(trend.constant_loss[row]))}, which takes no skill ({words})",
            fix="Check that inputs and targets belong together, and shuffle them together:\n"
            "    order = np.random.permutation(len(x)); x, y = x[order], y[order]\n"
            "A healthy program can overfit a few samples:\n    model.fit(x[:32], y[:32], epochs=200)",
            evidence=(
                evidence("loss without skill", trend.constant_loss[row], "of a constant answer", quantity="loss"),
                evidence("distance moved", far, "sum of update ratios", quantity="update_ratio"),
            ),
            severity="error",
            certainty="likely",
            variables=(),
        )

    return Finding(np.asarray(firing), tell)


def _recent_peak(loss: NDArray[np.float64], rows: int = 32) -> NDArray[np.float64]:
    """Returns `[T]` the largest of the last losses."""
    padded = np.r_[np.full(rows - 1, -np.inf), np.where(np.isfinite(loss), loss, -np.inf)]
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, rows).max(axis=1))


def _ordered(history: History) -> Bool:
    """Returns `[T]` whether most batches hold one class, and not all the same."""
    spread, mean = run_column(history, "target_std"), run_column(history, "target_mean")
    whole = ~ever(run_column(history, "target_fraction_share") > 0)
    large = np.isfinite(spread) & (run_column(history, "batch_size") >= 4)
    single = np.where(large, spread == 0, np.nan)
    alone = np.where(single == 1, mean, np.nan)
    differ = np.fmax.accumulate(alone) > np.fmin.accumulate(alone)
    return np.asarray((running_mean(single) > 0.8) & differ & whole & (np.cumsum(large) >= 10))
