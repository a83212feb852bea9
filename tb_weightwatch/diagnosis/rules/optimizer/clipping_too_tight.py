"""505 clipping-too-tight."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, SimpleFinding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    Float,
    barely_moving,
    column,
    incremental,
    is_recorded,
    literal,
    loss_trend,
    optimizer_class,
    optimizer_setting,
    root_sizes,
    run_column,
    running_mean,
    select_columns,
    trainable,
    trainable_kernels,
    usual_weight_scale,
    variables,
)
from ...wording import evidence, is_custom_loop, not_recorded


@rule(
    code=505,
    name="clipping-too-tight",
    link="optimizer",
    needs=("update_norm",),
    explains=("learning-rate-too-small", "update-below-precision", "no-learning-signal", "vanishing-gradient"),
)
def clipping_too_tight(
    history: History, *, often: float = 0.5, kept: float = 0.1, rows: int = 10
) -> Finding[Any] | CannotTell | None:
    """Gradient clipping so tight that it takes away nearly all of every step.

    What it sees:
        More than half of the steps clipped to under a tenth of the gradient's norm, or, where it is done by hand, a
        gradient norm that is the same tiny number in every step; **and** steps that are tiny as a result, with a loss
        that does not get ahead. Where gradients are not seen: a bound that by itself, times the learning rate of plain
        gradient descent, allows no step above a millionth of the weights.

    Why it matters:
        Clipping is there for the rare spike. If every gradient is above the bound, the bound is the gradient: the
        learning rate is then multiplied by a tiny number of its own.

    When it is a false alarm:
        Clipping most steps by a little is common with transformers, and Adam makes up for the scale of what it gets. It
        is silent unless the weights hardly move.

    What to try:
        Set the bound at about the ninetieth percentile of this run's own gradient norms.

    Sick example:
        watch = fit(net(1), x, number, "mse", optimizers.SGD(0.01, global_clipnorm=1e-5))

    Healthy example:
        watch = fit(net(1), x, number, "mse", optimizers.SGD(0.01, global_clipnorm=10.0))

    References:
        https://www.tensorflow.org/api_docs/python/tf/clip_by_global_norm

    Args:
        history: what was recorded.
        often: share of the steps that must be clipped.
        kept: mean ratio of the norm after to that before clipping, below which it counts.
        rows: recorded steps before it is reported.
    """
    if not is_recorded(history, "gradient_norm"):
        return _by_settings(history, rows)
    able = trainable(history)
    after, before = _total(history, "gradient_norm"), _total(history, "raw_gradient_norm")
    # What the clip takes shows after the fact; by hand only the constant norm that is left of every gradient.
    ratio = np.where((before > 0) & (after > 0), after / np.where(before > 0, before, 1), np.nan)
    tight = (running_mean(np.where(np.isfinite(ratio), ratio < 0.99, np.nan)) > often) & (running_mean(ratio) < kept)
    constant = _constant(after) & (after > 0)
    shown = np.cumsum(np.isfinite(after) & (after > 0)) >= rows
    firing = (tight | constant) & shown & barely_moving(history) & _sane(history)
    if not firing.any():
        return None
    trend = loss_trend(history)

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        bound, setting = _bound(history, float(after[row]))
        usual = before[: row + 1][np.isfinite(before[: row + 1])] if tight[row] else np.ones(1)
        better = float(f"{np.quantile(usual, 0.9):.1g}") if len(usual) else 1.0
        what = (
            f"{number(100 * float(running_mean(ratio < 0.99)[row]), 2)} % of the steps are clipped, to "
            f"{number(float(running_mean(ratio)[row]))} of their gradient's norm on average"
            if tight[row]
            else f"the gradient's norm is {number(float(after[row]))} in every step"
        )
        code = (
            f"    gradients, _ = tf.clip_by_global_norm(gradients, {literal(better)})"
            if is_custom_loop(history) and not setting
            else f"    keras.optimizers.{optimizer_class(history) or 'Adam'}(..., global_clipnorm={literal(better)})"
        )
        return VerdictText(
            message=f"Gradients are clipped too tightly ({setting or 'bound'} {number(bound)}): {what}, so the weights "
            f"hardly move ({trend.describe(row)})",
            fix=f"Raise the bound from {literal(bound)} to about {literal(better)}, which one gradient of ten "
            f"exceeds:\n{code}",
            evidence=(
                evidence("norm after clipping", after[row], "over all variables", quantity="gradient_norm"),
                evidence("norm before clipping", before[row], "over all variables", quantity="raw_gradient_norm"),
            ),
            severity="error",
            certainty="certain" if tight[row] else "likely",
            variables=tuple(v.name for v, a in zip(variables(history), able, strict=True) if a),
        )

    return Finding(np.asarray(firing), tell)


@incremental
def _total(rows: History, carry: Carry, name: str) -> Float:
    """Returns `[T]` the norm over all trainable variables; NaN where it is not known."""
    norm = column(rows, name)
    if norm is None or not trainable(rows).any():
        return np.full(len(rows), np.nan)
    able = select_columns(norm, trainable(rows))
    known = np.isfinite(able).any(axis=1)
    return np.where(known, np.sqrt(np.sum(np.where(np.isfinite(able), able, 0) ** 2, axis=1)), np.nan)


def _constant(norm: Float) -> Bool:
    """Returns `[T]` whether the norm has been the same in every step so far, to what an encoding keeps."""
    low, high = np.fmin.accumulate(norm), np.fmax.accumulate(norm)
    return np.asarray(high - low <= 0.01 * high)


def _bound(history: History, norm: float) -> tuple[float, str]:
    for name in ("global_clipnorm", "clipnorm", "clipvalue"):
        value = optimizer_setting(history, name, 0.0)
        if value > 0:
            return value, name
    return norm, ""


def _sane(history: History) -> Bool:
    """Returns `[T]` whether the bound, not the learning rate, is to blame: unclipped steps would be of usual size."""
    from ...signals import usual_learning_rate

    return np.asarray(run_column(history, "learning_rate") >= 0.1 * usual_learning_rate(history))


def _by_settings(history: History, rows: int) -> Finding[Any] | CannotTell:
    """Where no gradient was seen: gradient descent moves a variable by learning rate times bound at most."""
    bound, setting = _bound(history, 0.0)
    if not (optimizer_class(history) == "SGD" and setting in ("clipnorm", "global_clipnorm")):
        return not_recorded(history, "gradient_norm")
    rate = run_column(history, "learning_rate")
    most = rate * bound / max(1e-3, 1 - optimizer_setting(history, "momentum", 0.0))
    usual = (usual_weight_scale(history) * root_sizes(history))[trainable_kernels(history)]
    firing = (most < 1e-6 * np.min(usual, initial=np.inf)) & barely_moving(history) & _sane(history)
    firing &= np.arange(len(history)) >= rows - 1
    fault = SimpleFinding(
        firing,
        f"Gradients are clipped too tightly ({setting} {number(bound)}): with a learning rate of "
        f"{number(float(np.nanmax(rate, initial=0)))} no step can move a variable by more than "
        f"{number(float(np.nanmax(most, initial=0)))}, under a millionth of its size",
        f"Raise the bound from {literal(bound)} to about 1:\n"
        f"    keras.optimizers.{optimizer_class(history)}(..., global_clipnorm=1.0)",
        (evidence("largest possible step", float(np.nanmax(most, initial=0)), "learning rate times the bound"),),
        certainty="certain",
    )
    return fault.finding() or not_recorded(history, "gradient_norm")
