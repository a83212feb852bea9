"""503 learning-rate-too-large."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    Float,
    anything_nonfinite,
    column,
    dead_layers,
    ever,
    incremental,
    is_normalized,
    largest_relative_update,
    latest_known,
    literal,
    loss_trend,
    root_sizes,
    run_column,
    running_max,
    running_mean,
    select_columns,
    set_learning_rate_code,
    streak,
    trainable,
    trainable_kernels,
    update_rounded_away,
    usual_learning_rate,
    usual_weight_scale,
    variables,
)
from ...wording import evidence


class _Effects(NamedTuple):
    """What steps that are too large do, each `[T]`."""

    lost: Bool  # NaN after growth
    rose: Bool  # the loss is far above where it began
    burst: Bool  # an enormous beginning, and no better than at first since
    grown: Bool  # weights many times their first size, and a loss that is not better
    killed: Bool  # a ReLU layer that was alive at first is dead, after steps as large as the weights
    reverse: Bool  # the gradient turns round from step to step, and the loss is not better


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
) -> Finding[Any] | CannotTell | None:
    """Steps so large that the loss jumps about, stays at a useless level, or ends in NaN.

    What it sees:
        Steps of a tenth of the weight and more, together with an effect: the loss rises far above where it began, or
        made an enormous jump and is no better than at first; weights many times their first size or a gradient that
        turns round from step to step, and no fall of the loss; NaN after such growth.

    Why it matters:
        The gradient is right only near the weights at which it was taken. Beyond that the step lands higher than
        it left. Most such trainings do not end in NaN: the first steps throw the weights into a flat region (dead or
        saturated units), and then everything looks calm. Look at the beginning.

    When it is a false alarm:
        Large steps at the start and noisy losses are healthy as long as the loss falls: then it stays silent. A loss
        that rises with small steps (a GAN's, a reinforcement learner's) is not taken for it.

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
        step: update ratio of one step from which it counts as large.
        rise: how many times its start the loss must be to count as risen.
        growth: how many times their first size the weights must be to count as blown up.
        rows: recorded steps before anything but NaN is judged.
    """
    large = running_max(largest_relative_update(history)) >= step
    if not large.any():
        return None
    effects = _effects(history, rise, growth, rows)
    firing = large & np.logical_or.reduce(effects)
    if not firing.any():
        return None
    trend, biggest = loss_trend(history), running_max(largest_relative_update(history))

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        rate = latest_known(run_column(history, "learning_rate"))[row]
        size = _growth(history)[row]
        start, peak, late = (number(float(x[row])) for x in (trend.start, trend.peak, trend.recent))
        if effects.lost[row]:
            effect = f"the loss grew from {start} to {peak} and then became NaN or infinite"
        elif effects.rose[row]:
            effect = f"the loss rose from {number(float(min(trend.first[row], trend.start[row])))} to {late}"
        elif effects.burst[row]:
            effect = f"the loss jumped from {start} to {peak} and is no better than at first since ({late})"
        elif effects.grown[row]:
            effect = f"the weights grew {number(float(size))}-fold and the loss does not fall ({start} -> {late})"
        elif effects.killed[row]:
            effect = f"a ReLU layer that was alive at first has died, and the loss does not fall ({start} -> {late})"
        else:
            effect = f"the gradient turns round from step to step and the loss does not fall ({start} -> {late})"
        lower = _lower(history, float(rate), float(biggest[row]))
        now = f" from {literal(float(rate))}" if rate > 0 else ""
        named = f"The learning rate of {literal(float(rate))} is too large" if rate > 0 else "The steps are too large"
        return VerdictText(
            message=f"{named}: a step moved weights by {number(float(biggest[row]))} of their size (1e-3 is usual), "
            f"and {effect}",
            fix=f"Lower the learning rate{now} to about {literal(lower)} "
            f"and start again from fresh weights (clipping helps: global_clipnorm=1.0):\n"
            f"{set_learning_rate_code(history, lower)}",
            evidence=(
                evidence("largest update ratio", biggest[row], "of one step; 1e-3 is usual", quantity="update_ratio"),
                evidence("loss at first", trend.start[row], "before training", quantity="loss"),
                evidence("largest loss", trend.peak[row], "so far", quantity="loss"),
                evidence("loss now", trend.recent[row], "mean over the last rows", quantity="loss"),
            ),
            severity="error",
            certainty="likely",
            variables=tuple(v.name for v, able in zip(variables(history), trainable(history), strict=True) if able),
        )

    return Finding(firing, tell)


def _effects(history: History, rise: float, growth: float, rows: int) -> _Effects:
    trend = loss_trend(history)
    enough = trend.finite_rows >= rows
    scale = np.maximum(np.abs(trend.start), np.where(np.isfinite(trend.constant_loss), trend.constant_loss, 0))
    worse = trend.recent - trend.start > (rise - 1) * scale + trend.noise
    flat = (~trend.decreased | trend.near_constant_loss(0.95)) & (
        trend.recent > 0.9 * np.minimum(trend.start, np.fmax(trend.constant_loss, trend.start))
    )
    # In tiny batches the start is a mean of several losses, among which the jump may be: the very first tells.
    began = np.fmax(trend.first, trend.constant_loss)
    worse |= (trend.recent - trend.recent_margin > 1.5 * began) & (began > 0) & trend.loss_is_known
    worse |= trend.diverged
    burst = (trend.peak - trend.start > 9 * scale) & (trend.recent > 0.8 * trend.start) & (trend.start > 0)
    # Of tiny batches the last few may be bad by chance, unless they are worse by far.
    burst &= (trend.recent - trend.recent_margin > 0.8 * trend.start) | (trend.recent > 10 * trend.start)
    size = _growth(history)
    cosine = _turning(history)
    harm = ever(anything_nonfinite(history))
    before = ever(_finite_growth(history))
    usual = np.fmax.reduce([size > growth, np.zeros(len(history), bool)], axis=0)
    persistent = streak(flat & enough) >= rows
    return _Effects(
        lost=harm & before,
        rose=enough & worse & (streak(worse) >= rows // 2) & ~harm,
        burst=enough & burst & ~harm,
        grown=usual & persistent & ~harm,
        killed=_killed(history) & (~trend.decreased | trend.near_constant_loss(0.9)) & ~trend.low() & ~harm,
        reverse=(cosine < -0.5) & persistent & (trend.finite_rows >= 2 * rows) & ~harm,
    )


@incremental
def _growth(rows: History, carry: Carry) -> Float:
    """Returns `[T]` how many times their first size the trainable matrices are by now (the most of them)."""
    weight, update = column(rows, "weight_norm"), column(rows, "update_norm")
    assert weight is not None and update is not None
    weight = select_columns(weight, trainable_kernels(rows))
    usual = (usual_weight_scale(rows) * root_sizes(rows))[trainable_kernels(rows)]
    if not weight.shape[1]:
        return np.full(len(rows), np.nan)
    # The first row holds the weight after its step; the step itself bounds what was there before.
    first, step = carry.first_known(weight), carry.first_known(select_columns(update, trainable_kernels(rows)))
    origin = np.maximum(np.maximum(first - np.where(np.isfinite(step), step, 0), 0), 0.1 * first)
    # What starts at zero (a bias of several axes, an adapter) has not blown up when it is of usual size.
    ratio = np.where(origin > 0, weight / np.maximum(origin, 0.3 * usual), np.nan)
    return np.asarray(np.fmax.reduce(np.where(np.isfinite(ratio), ratio, np.nan), axis=1))


def _turning(history: History) -> Float:
    """Returns `[T]` the mean cosine of a step's gradient with the one before, over matrices and rows so far."""
    return running_mean(_cosine(history))


@incremental
def _cosine(rows: History, carry: Carry) -> Float:
    """Returns `[T]` the mean over the matrices of one row."""
    cosine = column(rows, "gradient_cosine")
    if cosine is None:
        return np.full(len(rows), np.nan)
    cosine = select_columns(cosine, trainable_kernels(rows))
    known = np.isfinite(cosine)
    count = np.where(known.any(axis=1), known.sum(axis=1), np.nan)
    return np.asarray(np.where(known, cosine, 0).sum(axis=1) / count)


def _finite_growth(history: History) -> Bool:
    """Returns `[T]` whether loss or weights had grown beyond reason while all was still finite."""
    trend = loss_trend(history)
    fine = ~ever(anything_nonfinite(history))
    jumped = trend.peak > 10 * np.maximum(np.abs(trend.start), 1e-12)
    return np.asarray(fine & (jumped | (_growth(history) > 10) | (largest_relative_update(history) > 3)))


def _killed(history: History) -> Bool:
    """Returns `[T]` whether a ReLU layer is dead that was alive in the first row, after a step of a weight's size."""
    return np.asarray(_died(history) & (running_max(largest_relative_update(history)) > 0.3))


@incremental
def _died(rows: History, carry: Carry) -> Bool:
    dead = column(rows, "dead_share")
    if dead is None:
        return np.zeros(len(rows), bool)
    return np.asarray((dead_layers(rows) & (carry.first_known(dead) < 0.9)).any(axis=1))


def _lower(history: History, rate: float, ratio: float) -> float:
    usual = usual_learning_rate(history)
    if not rate > 0:
        return usual
    if is_normalized(history):
        return usual if rate > 3 * usual else update_rounded_away(rate / 10)
    return update_rounded_away(min(rate / 10, max(rate * 1e-2 / ratio, rate * 1e-4)))
