"""404 exploding-gradient."""

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
    anything_nonfinite,
    column,
    ever,
    incremental,
    is_normalized,
    kernel_profile,
    largest_relative_update,
    latest_known,
    literal,
    loss_trend,
    optimizer_class,
    run_column,
    running_max,
    trainable,
    usual_learning_rate,
    variables,
)
from ...wording import evidence, is_custom_loop


@rule(
    code=404,
    name="exploding-gradient",
    link="gradient",
    needs=("gradient_norm", "weight_norm"),
    explains=(
        "learning-rate-too-large", "nonfinite-loss", "nonfinite-gradient", "nonfinite-weight", "zero-gradient",
        "update-below-precision",
    ),
)  # fmt: skip
def exploding_gradient(
    history: History, *, pull: float = 100.0, growth: float = 1000.0, rows: int = 8
) -> Finding[Any] | CannotTell | None:
    """Gradients that are enormous, or grow by orders of magnitude, and wreck the training.

    What it sees:
        Gradients a hundred times the size of their weights from the first step on, with a learning rate that is
        none too large by itself; or gradients that grow a thousandfold over the run while steps are small; **and** a
        training that suffers: NaN, a loss that jumped far above its start and stays there, or one that does not fall.

    Why it matters:
        Repeated multiplication by the same weights (long sequences, deep stacks) makes the gradient grow with every
        factor above 1. One such step throws the weights far away.

    When it is a false alarm:
        A sum instead of a mean in the loss makes every gradient large without harm under Adam: while the loss falls it
        is silent. Where the learning rate is far above the usual one, that is named instead.

    What to try:
        Clip by global norm (at about the usual norm of this run), lower the learning rate, normalise between layers,
        shorten the sequences.

    Sick example:
        def loss(y, p):
            return 1e6 * mse(y, p)

        watch = loop(net(1), x, number, loss, optimizers.SGD(0.01))

    Healthy example:
        watch = loop(net(1), x, number, mse, optimizers.SGD(0.01))

    References:
        Pascanu et al., On the difficulty of training recurrent neural networks, https://arxiv.org/abs/1211.5063

    Args:
        history: what was recorded.
        pull: gradient against weight in the first step from which it counts.
        growth: how many times its first size the gradient must have become.
        rows: recorded steps before anything but NaN is judged.
    """
    rate = latest_known(run_column(history, "learning_rate"))
    whole = _whole(history)
    began = np.median(whole[:5][whole[:5] > 0]) if (whole[:5] > 0).any() else np.nan
    steps = kernel_profile(history)
    first = _first(history)
    sane = ~(rate > 3 * usual_learning_rate(history))
    enormous = (first > pull) & ~is_normalized(history)
    # The first rows stand for what is usual; small steps, so that it is not the learning rate that drives it up.
    small = ~(running_max(largest_relative_update(history)) > 0.1)
    grown = (running_max(whole) > growth * began) & small & (np.arange(len(history)) >= 5)
    firing = (enormous | grown) & sane & _suffers(history, rows)
    if not firing.any():
        return None
    trend = loss_trend(history)

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        top = float(running_max(whole)[row])
        worst = steps.places[int(np.nanargmax(steps.pull[row]))] if np.isfinite(first[row]) else 0
        name = variables(history)[int(worst)].name
        what = (
            f"that of '{name}' was {number(float(first[row]))} times its weights in the first step (under 30 is usual)"
            if enormous[row]
            else f"its norm grew from {number(float(began))} to {number(top)}"
        )
        lost = bool(ever(anything_nonfinite(history))[row])
        effect = "then NaN came" if lost else f"the loss does not get ahead ({trend.describe(row)})"
        clip = float(f"{began:.1g}") if np.isfinite(began) and not enormous[row] else 1.0
        lr = float(rate[row]) if rate[row] > 0 else usual_learning_rate(history)
        code = (
            f"    gradients, _ = tf.clip_by_global_norm(gradients, {literal(clip)})"
            if is_custom_loop(history)
            else f"    keras.optimizers.{optimizer_class(history) or 'Adam'}({literal(lr)}, "
            f"global_clipnorm={literal(clip)})"
        )
        return VerdictText(
            message=f"The gradient explodes: {what}, and {effect}",
            fix=f"Clip it by its global norm, from fresh weights:\n{code}\nand look at what multiplies it: the scale "
            "of the loss, deep stacks without normalisation, long sequences.",
            evidence=(
                evidence("gradient over weight", first[row], "in the first step", quantity="gradient_norm"),
                evidence("largest gradient", top, f"of all variables; {number(float(began))} at first",
                         quantity="gradient_norm"),
            ),
            severity="error",
            certainty="likely",
            variables=tuple(variables(history)[i].name for i in steps.places),
        )  # fmt: skip

    return Finding(np.asarray(firing), tell)


@incremental
def _whole(rows: History, carry: Carry) -> Float:
    """Returns `[T]` the norm of the gradient over all trainable variables, as far as it is finite."""
    norm = column(rows, "gradient_norm")
    assert norm is not None
    return np.asarray(np.sqrt(np.sum(np.where(trainable(rows) & np.isfinite(norm), norm, 0) ** 2, axis=1)))


@incremental
def _first(rows: History, carry: Carry) -> Float:
    """Returns `[T]` the largest gradient over weight of the first step; NaN if it is not known."""
    pull = kernel_profile(rows).pull
    return np.asarray(np.fmax.reduce(pull, axis=1)) if pull.shape[1] else np.full(len(rows), np.nan)


def _suffers(history: History, rows: int) -> Bool:
    """Returns `[T]` whether the training is wrecked: NaN, or a loss that jumped and is not below its start."""
    trend = loss_trend(history)
    jumped = (trend.peak > 10 * np.maximum(np.abs(trend.start), 1e-12)) & (trend.recent > 0.8 * trend.start)
    rose = trend.recent - trend.recent_margin > 2 * np.abs(trend.start)
    worse = (jumped | rose) & (trend.finite_rows >= rows) & ~trend.low()
    return np.asarray(ever(anything_nonfinite(history)) | worse)
