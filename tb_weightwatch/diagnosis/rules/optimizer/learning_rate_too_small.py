"""502 learning-rate-too-small."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    Float,
    accumulation_steps,
    any_nonzero_gradient,
    column,
    ever,
    expected_update_negligible,
    first_known,
    incremental,
    is_normalized,
    largest_mean_relative_update,
    latest_known,
    literal,
    loss_trend,
    run_column,
    running_max,
    running_mean,
    set_learning_rate_code,
    suggested_learning_rate,
    trainable,
    usual_learning_rate,
    variables,
)
from ...wording import evidence, plural


@rule(
    code=502,
    name="learning-rate-too-small",
    link="optimizer",
    needs=("learning_rate", "update_norm", "weight_norm"),
    explains=("update-below-precision",),
)
def learning_rate_too_small(
    history: History,
    *,
    still: float = 1e-6,
    slow: float = 1e-4,
    rows: int = 5,
    patience: int = 50,
) -> Finding[Any] | CannotTell | None:
    """A learning rate so small that the weights practically stand still.

    What it sees:
        Gradients are alive, but the mean step of every trainable variable is under a millionth of the weight's size; or
        it is under 1e-4 with a learning rate far under the optimizer's usual one, and the loss has hardly moved.

    Why it matters:
        The step is the learning rate times the gradient (for Adam and its kin: about the learning rate itself). At a
        millionth a step, training takes a million steps to change a weight by its own size; below about 6e-8 of the
        weight float32 does not even store the change.

    When it is a false alarm:
        Warm-up (the learning rate rises), the end of a decay (the mean over the run is usual), fine-tuning and long
        trainings that get ahead (the loss falls), converged models (the loss is low).

    What to try:
        Raise it until the update ratio is about 1e-3; 1e-3 for Adam and 1e-2 for SGD are good beginnings.

    Sick example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(1e-10))

    Healthy example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(1e-3))

    References:
        https://cs231n.github.io/neural-networks-3/#ratio

    Args:
        history: what was recorded.
        still: mean update ratio under which weights stand still whatever the loss does.
        slow: mean update ratio under which training is slow, if the loss agrees.
        rows: recorded steps before weights that stand still are reported.
        patience: training steps before a slow training is reported.
    """
    rate = latest_known(run_column(history, "learning_rate"))
    ratio = largest_mean_relative_update(history)
    candidates = (rate > 0) & (ratio < slow)
    if not candidates.any():
        return None
    living = any_nonzero_gradient(history)
    if living is None and not history.has("loss"):
        return CannotTell("neither gradients nor the loss were recorded (watch.step(loss, gradients=...))")
    trend = loss_trend(history)
    active = np.ones(len(history), bool) if living is None else living
    # As seen from the rates recorded so far: warm-up rises, and a decayed rate was once larger.
    rising = rate > 1.02 * first_known(run_column(history, "learning_rate"))
    decayed = rate < 0.5 * running_max(rate)
    enough = np.arange(1, len(history) + 1) >= max(rows, 2 * accumulation_steps(history))
    to_blame = _to_blame(history, rate, ratio)
    firing = candidates & active & enough & ~rising & to_blame
    motionless = (ratio < still) & ~_lost(history) & ~_learned(history)
    crawling = (
        (history.steps >= patience)
        & (rate < 0.1 * usual_learning_rate(history))
        & ((trend.relative_decrease < 0.05) | ~trend.decreased)
        & (_speed(history) < 1e-4)
        & ~trend.low()
        & ~decayed
        & (trend.finite_rows >= rows)
        & (ratio > 0)
    )
    firing &= motionless | crawling
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        step, lr, now = int(history.steps[row]), float(rate[row]), float(ratio[row])
        better = suggested_learning_rate(history, lr, now)
        words = trend.describe(row)
        seen_so = f"{words} in {plural(step, 'step')}" if words else f"in {plural(step, 'step')}"
        moved = (
            "the weights do not move at all"
            if now == 0
            else f"a step moves the weights by {number(now)} of their size at most"
        )
        far = (
            f", {number(usual_learning_rate(history) / lr)} times less than usual"
            if usual_learning_rate(history) / lr > 5
            else ""
        )
        return VerdictText(
            message=f"The learning rate of {literal(lr)} is too small{far}: {moved} (1e-3 is usual), {seen_so}",
            fix=f"Raise the learning rate from {literal(lr)} to about {literal(better)} "
            f"(update ratio {number(now)} now, 1e-3 is usual):\n{set_learning_rate_code(history, better)}",
            evidence=(
                evidence("learning rate", lr, f"{literal(usual_learning_rate(history))} is usual",
                         quantity="learning_rate"),
                evidence("update ratio", now, "mean over the steps, largest over variables; 1e-3 is usual",
                         step=step, quantity="update_ratio"),
            ),
            severity="error",
            certainty="certain" if motionless[row] and is_normalized(history) and lr <= 1e-6 else "likely",
            variables=tuple(v.name for v, able in zip(variables(history), trainable(history), strict=True) if able),
        )  # fmt: skip

    return Finding(firing, tell)


def _to_blame(history: History, rate: Float, ratio: Float) -> Bool:
    """Returns `[T]` whether a sane learning rate would make steps of a usual size: else it is the gradient's fault."""
    usual = usual_learning_rate(history)
    if is_normalized(history):
        return np.asarray(rate < 0.03 * usual)
    needed = np.where(ratio > 0, rate * 1e-3 / np.where(ratio > 0, ratio, 1), usual)
    return np.asarray((needed < 1000 * usual) & (rate < usual) & ((rate < 0.1 * usual) | (needed < 10 * usual)))


def _lost(history: History) -> Bool:
    """Returns `[T]` whether nothing moves though the law asks for steps that would matter: precision's fault, say."""
    law = expected_update_negligible(history)
    nothing = ~ever(_moved(history))
    if law is None:
        return np.asarray(nothing)
    return np.asarray(nothing & ~law)


@incremental
def _moved(rows: History, carry: Carry) -> Bool:
    """Returns `[T]` whether a trainable variable moved, be it to infinity, in that row."""
    update = column(rows, "update_norm")
    assert update is not None
    return np.asarray(((update != 0) & ~np.isnan(update) & trainable(rows)).any(axis=1))


def _learned(history: History) -> Bool:
    """Returns `[T]` whether the loss is so low, against what takes no skill, that little is left to learn."""
    trend = loss_trend(history)
    return np.asarray((trend.recent <= 0.2 * trend.constant_loss) | (trend.recent == 0))


def _speed(history: History) -> Float:
    """Returns `[T]` the share of the loss that a step can take off at most, to first order: sum |g| |step| / loss."""
    gain = _first_order(history)
    if gain is None or not history.has("loss"):
        return np.zeros(len(history))
    return running_mean(gain) / np.maximum(np.abs(loss_trend(history).recent), 1e-30)


@incremental
def _first_order(rows: History, carry: Carry) -> Float | None:
    norm, update = column(rows, "gradient_norm"), column(rows, "update_norm")
    if norm is None or update is None:
        return None
    return np.asarray(np.nansum(np.where(trainable(rows), norm * update, 0), axis=1))
