"""601 update-below-precision."""

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
    RowSpan,
    accumulation_steps,
    column,
    expected_update,
    expected_update_negligible,
    full_history,
    half_ulp,
    incremental,
    latest_run_value,
    literal,
    loss_trend,
    nonzero_gradient,
    restrict,
    root_sizes,
    trainable,
    variables,
)
from ...wording import evidence, variable_names


@rule(
    code=601,
    name="update-below-precision",
    link="update",
    needs=("update_norm", "weight_norm", "gradient_norm", "learning_rate"),
)
def update_below_precision(history: History, *, rows: int = 5, stuck: float = 0.9) -> Finding[Any] | CannotTell | None:
    """Steps that are made and rounded away: too small for the weight's number type.

    What it sees:
        Gradient and learning rate are not zero and the optimizer counts its steps, yet the stored weight does not
        change, because the step is under half a unit in the last place of the weight, though it would matter for a
        weight of usual size in float32.

    Why it matters:
        bfloat16 keeps 8 bits: 1 + 0.001 is 1. float32 keeps 24: 100 + 0.000001 is 100. The optimizer does its work, the
        gradient is fine, and nothing moves; no loss curve tells why.

    When it is a false alarm:
        A few variables (scales that start at 1) that stand still in a training whose loss falls are only mentioned.

    What to try:
        Keep the weights in float32 (mixed_bfloat16 or mixed_float16 instead of a pure type), scale huge weights
        down, or take a larger learning rate.

    Sick example:
        one = keras.initializers.RandomUniform(0.9, 1.1)
        model = net(1, dtype="bfloat16", kernel_initializer=one, bias_initializer="ones")
        watch = loop(model, x, number, mse, optimizers.Adam(1e-4))

    Healthy example:
        watch = loop(net(1, dtype="mixed_bfloat16"), x, number, mse, optimizers.SGD(0.03))

    References:
        https://keras.io/api/mixed_precision/policy/

    Args:
        history: what was recorded.
        rows: recorded steps without any change before it is reported.
        stuck: mean share of elements that do not follow their gradient, from which a variable counts as stuck.
    """
    lost = _lost(history, rows, stuck)
    nothing = expected_update_negligible(history)
    rate = latest_run_value(history, "learning_rate")
    if lost is None or nothing is None or not np.isfinite(rate).any():
        return CannotTell("the optimizer's step is not known (pass one Keras optimizer= to ww.Watch)")
    still, mostly = lost
    if not still.any() and not mostly.any():
        return None
    trend = loss_trend(history)
    # Where the step is negligible at any precision, that is the learning rate's doing, and 502 explains this.
    partly = mostly & (~(trend.decreased | trend.low()) & ~nothing)[:, None]
    firing = (still | partly) & (rate > 0)[:, None]
    if not firing.any():
        return None

    def tell(row: int, concerned: NDArray[np.intp]) -> VerdictText:
        step, weight = expected_update(RowSpan(history, row, row + 1)), _element(RowSpan(history, row, row + 1))
        assert step is not None
        items = [variables(history)[i] for i in concerned]
        big = max(range(len(items)), key=lambda i: items[i].size)
        place = int(concerned[big])
        item = items[big]
        asked, held = float(step[0, place]), float(weight[0, place])
        ulp = 2 * float(half_ulp(history)[place]) * held
        elements = sum(v.size for v, able in zip(variables(history), trainable(history), strict=True) if able)
        share = sum(v.size for v in items) / max(1, elements)
        minor = share < 0.5 and bool(trend.decreased[row] or trend.low()[row])
        coarse = item.dtype in ("float16", "bfloat16")
        inside = coarse and asked > ulp
        message = (
            f"The optimizer's own arithmetic is lost in {item.dtype}: it should step by {number(asked)} but gets 0 "
            f"(in bfloat16 Adam's beta_2 of 0.999 is 1), so {variable_names(history, concerned)} "
            f"{'do' if len(items) > 1 else 'does'} not change although the gradient is alive"
            if inside
            else f"The steps are lost in rounding: {item.dtype} weights of about {number(held)} can only change by "
            f"{number(ulp)}, the optimizer's step is {number(asked)} at most, so {variable_names(history, concerned)} "
            f"{'do' if len(items) > 1 else 'does'} not change although the gradient is alive"
        )
        better = float(min(10 * rate[row] * ulp / asked, 1e-1)) if asked > 0 else 1e-3
        fix = (
            "Keep the weights in float32 and compute in the short type:\n"
            f"    keras.mixed_precision.set_global_policy('mixed_{item.dtype}')   # before the model is made"
            if coarse
            else "Raise the learning rate: in no number type would such a step matter."
            if nothing[row]
            else f"Start from weights of usual size (here about {number(held)}), or scale the layer's output instead:\n"
            "    keras.layers.Dense(units, kernel_initializer='glorot_uniform')\n"
            f"or raise the learning rate from {literal(float(rate[row]))} to about {literal(better)}."
        )
        return VerdictText(
            message=message,
            fix=fix,
            evidence=(
                evidence("step asked for", asked, "largest of an element", quantity="update_max"),
                evidence("smallest change held", ulp, f"one last place of {item.dtype}", quantity="weight_max"),
            ),
            severity="info" if minor and share < 0.1 else "warning" if minor else "error",
            certainty="certain" if still[row, concerned].any() else "likely",
        )  # fmt: skip

    return Finding(firing, tell)


@incremental
def _lost(history: History, carry: Carry, rows: int, stuck: float) -> tuple[Bool, Bool] | None:
    """Returns `[T, V]` where a variable has never changed, and where most of it is stuck, by steps as small as that."""
    step, living = expected_update(history), nonzero_gradient(history)
    if step is None or living is None:
        return None
    still, mostly = _still(history, carry, living, rows, stuck)
    weight = half_ulp(history) * _element(history)
    # In a short type Adam's own numbers are rounded as well (0.999 is 1 in bfloat16), and the step with them to 0.
    return still & ((step < weight) | _short(history)), mostly & (step < 4 * weight)


def _still(history: History, carry: Carry, living: Bool, rows: int, stuck: float) -> tuple[Bool, Bool]:
    """Returns `[n, V]` where a variable has never changed in enough steps, and where most of it is stuck."""
    update, share = column(history, "update_norm"), column(history, "stuck_share")
    assert update is not None
    count = latest_run_value(full_history(history), "iterations")
    steps = carry.total(living)
    # Accumulation moves nothing in most steps: wait for several of its rounds, and for the optimizer to have counted.
    wait = max(rows, 4 * accumulation_steps(history) if accumulation_steps(history) > 1 else rows)
    counted = restrict(history, count - count[:1])
    acted = ~np.isfinite(counted) | (counted >= min(rows, max(1, rows - 1)))
    still = ~carry.ever(update > 0) & (steps >= wait) & trainable(history) & acted[:, None]
    if share is None:
        return still, np.zeros_like(still)
    zeros = column(history, "gradient_zero_share")
    alive_share = 1.0 if zeros is None else np.maximum(1 - zeros, 1e-9)
    behind = carry.running_mean(np.where(living, share / alive_share, np.nan)) >= stuck
    return still, behind & (steps >= 2 * wait) & acted[:, None]


def _short(history: History) -> Bool:
    return np.array([v.dtype in ("float16", "bfloat16") for v in variables(history)], bool)


def _element(history: History) -> Float:
    """Returns `[T, V]` how large an element of a weight is: root mean square."""
    weight = column(history, "weight_norm")
    assert weight is not None
    return np.asarray(weight / root_sizes(history))
