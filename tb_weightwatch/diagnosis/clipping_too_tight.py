"""505 clipping-too-tight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..verdict import number
from ._causal import causal, recorded
from ._loss import trend
from ._optimizer import config, kind, literal
from ._past import Past
from ._rule import Fault, Finding, Lacks, Telling, rule
from ._signals import (
    Bool,
    Float,
    chosen,
    column,
    idle,
    lengths,
    run_column,
    running_mean,
    trainable,
    variables,
    weight_scale,
)
from ._structure import kernels
from ._words import by_hand, evidence, lacks


@rule(
    code=505,
    name="clipping-too-tight",
    link="optimizer",
    needs=("update_norm",),
    explains=("learning-rate-too-small", "update-below-precision", "no-learning-signal", "vanishing-gradient"),
)
def clipping_too_tight(
    history: History, *, often: float = 0.5, kept: float = 0.1, rows: int = 10
) -> Finding | Lacks | None:
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
    if not recorded(history, "gradient_norm"):
        return _by_settings(history, rows)
    able = trainable(history)
    after, before = _total(history, "gradient_norm"), _total(history, "raw_gradient_norm")
    # What the clip takes shows after the fact; by hand only the constant norm that is left of every gradient.
    ratio = np.where((before > 0) & (after > 0), after / np.where(before > 0, before, 1), np.nan)
    tight = (running_mean(np.where(np.isfinite(ratio), ratio < 0.99, np.nan)) > often) & (running_mean(ratio) < kept)
    constant = _constant(after) & (after > 0)
    shown = np.cumsum(np.isfinite(after) & (after > 0)) >= rows
    firing = (tight | constant) & shown & idle(history) & _sane(history)
    if not firing.any():
        return None
    seen = trend(history)

    def tell(row: int, _: NDArray[np.intp]) -> Telling:
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
            if by_hand(history) and not setting
            else f"    keras.optimizers.{kind(history) or 'Adam'}(..., global_clipnorm={literal(better)})"
        )
        return Telling(
            message=f"Gradients are clipped too tightly ({setting or 'bound'} {number(bound)}): {what}, so the weights "
            f"hardly move ({seen.words(row)})",
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


@causal
def _total(rows: History, past: Past, name: str) -> Float:
    """Returns `[T]` the norm over all trainable variables; NaN where it is not known."""
    norm = column(rows, name)
    if norm is None or not trainable(rows).any():
        return np.full(len(rows), np.nan)
    able = chosen(norm, trainable(rows))
    known = np.isfinite(able).any(axis=1)
    return np.where(known, np.sqrt(np.sum(np.where(np.isfinite(able), able, 0) ** 2, axis=1)), np.nan)


def _constant(norm: Float) -> Bool:
    """Returns `[T]` whether the norm has been the same in every step so far, to what an encoding keeps."""
    low, high = np.fmin.accumulate(norm), np.fmax.accumulate(norm)
    return np.asarray(high - low <= 0.01 * high)


def _bound(history: History, norm: float) -> tuple[float, str]:
    for name in ("global_clipnorm", "clipnorm", "clipvalue"):
        value = config(history, name, 0.0)
        if value > 0:
            return value, name
    return norm, ""


def _sane(history: History) -> Bool:
    """Returns `[T]` whether the bound, not the learning rate, is to blame: unclipped steps would be of usual size."""
    from ._optimizer import usual_rate

    return np.asarray(run_column(history, "learning_rate") >= 0.1 * usual_rate(history))


def _by_settings(history: History, rows: int) -> Finding | Lacks:
    """Where no gradient was seen: gradient descent moves a variable by learning rate times bound at most."""
    bound, setting = _bound(history, 0.0)
    if not (kind(history) == "SGD" and setting in ("clipnorm", "global_clipnorm")):
        return lacks(history, "gradient_norm")
    rate = run_column(history, "learning_rate")
    most = rate * bound / max(1e-3, 1 - config(history, "momentum", 0.0))
    usual = (weight_scale(history) * lengths(history))[kernels(history)]
    firing = (most < 1e-6 * np.min(usual, initial=np.inf)) & idle(history) & _sane(history)
    firing &= np.arange(len(history)) >= rows - 1
    fault = Fault(
        firing,
        f"Gradients are clipped too tightly ({setting} {number(bound)}): with a learning rate of "
        f"{number(float(np.nanmax(rate, initial=0)))} no step can move a variable by more than "
        f"{number(float(np.nanmax(most, initial=0)))}, under a millionth of its size",
        f"Raise the bound from {literal(bound)} to about 1:\n"
        f"    keras.optimizers.{kind(history)}(..., global_clipnorm=1.0)",
        (evidence("largest possible step", float(np.nanmax(most, initial=0)), "learning rate times the bound"),),
        certainty="certain",
    )
    return fault.finding() or lacks(history, "gradient_norm")
