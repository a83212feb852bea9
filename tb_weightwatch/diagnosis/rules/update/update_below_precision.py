"""601 update-below-precision."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...fixes import layer_code
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...wording import number, quote_list


@rule(
    code=601,
    name="update-below-precision",
    link="update",
    needs=("update_norm", "weight_norm", "gradient_norm", "learning_rate"),
)
def update_below_precision(
    history: History, *, rows: int = 5, stuck: float = 0.9
) -> Finding[Details] | CannotTell | None:
    """Updates that are computed and rounded away: too small for the number type of the weights.

    What it sees:
        Gradient and learning rate are non-zero and the optimizer counts its steps, yet the stored weight does not
        change, because the update is less than half a rounding step: the distance from the weight to the next number
        that its type can hold. A weight of typical size in float32 would change by it.

    Why it matters:
        bfloat16 has 8 significant bits: 1 + 0.001 is 1. float32 has 24: 100 + 0.000001 is 100. The optimizer works,
        the gradient is fine, and nothing changes; no loss curve shows why.

    When it is a false alarm:
        A few variables (scales that start at 1) that do not change in a training whose loss falls are reported as a
        remark or a warning only.

    What to try:
        Keep the weights in float32 (mixed_bfloat16 or mixed_float16 instead of a pure type), scale huge weights
        down, or use a larger learning rate.

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
    rounded_away = _rounded_away(history, rows, stuck)
    negligible = signals.expected_update_negligible(history)
    learning_rate = signals.latest_run_value(history, "learning_rate")
    if rounded_away is None or negligible is None or not np.isfinite(learning_rate).any():
        return CannotTell("the optimizer's step is not known (pass one Keras optimizer= to ww.Watch)")
    never_changed, mostly_stuck = rounded_away
    if not never_changed.any() and not mostly_stuck.any():
        return None
    trend = signals.loss_trend(history)
    # An update that is negligible at any precision is due to the learning rate, and learning-rate-too-small reports it.
    no_progress = ~(trend.decreased | trend.low()) & ~negligible
    firing = (never_changed | mostly_stuck & no_progress[:, None]) & (learning_rate > 0)[:, None]
    return Finding(firing, partial(measure, history, never_changed), text, evidence, claims) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states; type, weight, spacing and update are those of the largest of the variables.

    Attributes:
        names: names of the variables that do not change.
        share: share of the trainable elements that they have.
        dtype: number type.
        weight: size of an element of the weight (root mean square).
        spacing: distance to the next number that the type can hold at that size.
        update: the largest update that the optimizer asks of an element.
        learning_rate: the learning rate.
        negligible: whether the update would matter in no number type.
        learning: whether the loss falls or is low.
        never_changed: whether one of them has never changed at all; otherwise most of their elements are stuck.
        motionless: names of those that have changed in no recorded step.
        span: first and last recorded step.
        code: the call that makes the layer of the largest one with an initializer of typical size.
    """

    names: tuple[str, ...]
    share: float
    dtype: str
    weight: float
    spacing: float
    update: float
    learning_rate: float
    negligible: bool
    learning: bool
    never_changed: bool
    motionless: tuple[str, ...] = ()
    span: tuple[int, int] = (0, 0)
    code: str = "keras.layers.Dense(units, kernel_initializer='glorot_uniform')"

    @property
    def is_16_bit(self) -> bool:
        """Whether the number type has 16 bits."""
        return self.dtype in _16_BIT


_16_BIT = ("float16", "bfloat16")


def measure(history: History, never_changed: signals.Bool, row: int, variables: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    span = signals.RowSpan(history, row, row + 1)
    update, negligible = signals.expected_update(span), signals.expected_update_negligible(history)
    assert update is not None and negligible is not None
    stuck = [signals.variables(history)[i] for i in variables]
    largest = int(variables[int(np.argmax([variable.size for variable in stuck]))])
    weight = float(_element(span)[0, largest])
    trainable = signals.trainable(history)
    elements = sum(v.size for v, trains in zip(signals.variables(history), trainable, strict=True) if trains)
    trend = signals.loss_trend(history)
    return Details(
        names=tuple(variable.name for variable in stuck),
        share=sum(variable.size for variable in stuck) / max(1, elements),
        dtype=signals.variables(history)[largest].dtype,
        weight=weight,
        spacing=2 * float(signals.half_ulp(history)[largest]) * weight,
        update=float(update[0, largest]),
        learning_rate=float(signals.latest_run_value(history, "learning_rate")[row]),
        negligible=bool(negligible[row]),
        learning=bool(trend.decreased[row] or trend.low()[row]),
        never_changed=bool(never_changed[row, variables].any()),
        motionless=tuple(signals.variables(history)[i].name for i in variables if never_changed[row, i]),
        span=(int(history.steps[0]), int(history.steps[row])),
        code=layer_code(history, signals.variables(history)[largest].layer, "kernel_initializer='glorot_uniform'"),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    # Larger than the spacing: then the update was lost before it could be added.
    inside_optimizer = details.is_16_bit and details.update > details.spacing
    minor = details.learning and details.share < 0.5
    return VerdictText(
        message=_message_of_optimizer(details) if inside_optimizer else _message_of_rounding(details),
        fix=_fix(details),
        severity="info" if minor and details.share < 0.1 else "warning" if minor else "error",
        certainty="certain" if details.never_changed else "likely",
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    rounding_step = f"one rounding step of {details.dtype} at the size of these weights"
    return (
        Evidence("expected update", details.update, "largest of an element", quantity="update_max"),
        Evidence("smallest possible change", details.spacing, rounding_step, quantity="weight_max"),
    )


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns which variables have changed in no recorded step."""
    names = details.motionless
    return (Claim("is", "update_norm", 0, *details.span, names, recorded_only=True),) if names else ()


def _consequence(details: Details) -> str:
    change, its = ("change", "their gradients are") if len(details.names) > 1 else ("changes", "its gradient is")
    how = "in no recorded step" if details.never_changed else "hardly"
    return f"so {quote_list(details.names)} {change} {how} although {its} non-zero"


def _message_of_optimizer(details: Details) -> str:
    return (
        f"Updates are lost in the optimizer's own {details.dtype} arithmetic: the update should be up to "
        f"{number(details.update)} but is 0 (in bfloat16, Adam's beta_2 of 0.999 is rounded to 1), "
        f"{_consequence(details)}"
    )


def _message_of_rounding(details: Details) -> str:
    return (
        f"Updates are rounded away: {details.dtype} weights of about {number(details.weight)} can only change in steps "
        f"of {number(details.spacing)}, but the update is at most about {number(details.update)}, "
        f"{_consequence(details)}"
    )


def _fix(details: Details) -> str:
    if details.is_16_bit:
        return (
            "Keep the weights in float32 and compute in the 16-bit type:\n"
            f"    keras.mixed_precision.set_global_policy('mixed_{details.dtype}')   # before the model is made"
        )
    if details.negligible:
        return "Raise the learning rate: such an update would not matter in any number type."
    learning_rate = 1e-3
    if details.update > 0:
        learning_rate = min(10 * details.learning_rate * details.spacing / details.update, 1e-1)
    return (
        f"Start from weights of typical size (they are about {number(details.weight)}), or scale the layer's output "
        f"instead:\n    {details.code}\n"
        f"or raise the learning rate from {signals.literal(details.learning_rate)} to about "
        f"{signals.literal(learning_rate)}."
    )


@signals.incremental
def _rounded_away(
    history: History, carry: signals.Carry, rows: int, stuck: float
) -> tuple[signals.Bool, signals.Bool] | None:
    """Returns `[T, V]` where a variable has never changed, and where most of it is stuck, because updates are small.

    None if the expected update or the gradient is not known.
    """
    update, nonzero = signals.expected_update(history), signals.nonzero_gradient(history)
    if update is None or nonzero is None:
        return None
    never_changed, mostly_stuck = _unchanged(history, carry, nonzero, rows, stuck)
    half_spacing = signals.half_ulp(history) * _element(history)
    # In a 16-bit type Adam's own numbers are rounded as well (0.999 is 1 in bfloat16), and the update with them to 0.
    is_16_bit = np.array([variable.dtype in _16_BIT for variable in signals.variables(history)], bool)
    return never_changed & ((update < half_spacing) | is_16_bit), mostly_stuck & (update < 4 * half_spacing)


def _unchanged(
    history: History, carry: signals.Carry, nonzero: signals.Bool, rows: int, stuck: float
) -> tuple[signals.Bool, signals.Bool]:
    """Returns `[n, V]` where a variable has never changed in enough steps, and where most of it is stuck."""
    update, stuck_share = signals.column(history, "update_norm"), signals.column(history, "stuck_share")
    assert update is not None
    count = signals.latest_run_value(signals.full_history(history), "iterations")
    nonzero_rows = carry.total(nonzero)
    # Accumulation changes nothing in most steps: several of its rounds must pass, and the optimizer must have counted.
    accumulation = signals.accumulation_steps(history)
    wait = max(rows, 4 * accumulation) if accumulation > 1 else rows
    counted = signals.restrict(history, count - count[:1])
    applied = ~np.isfinite(counted) | (counted >= min(rows, max(1, rows - 1)))
    enough_rows = (nonzero_rows >= wait) & signals.trainable(history)
    never_changed = ~carry.ever(update > 0) & enough_rows & applied[:, None]
    if stuck_share is None:
        return never_changed, np.zeros_like(never_changed)
    zero_share = signals.column(history, "gradient_zero_share")
    nonzero_share = 1.0 if zero_share is None else np.maximum(1 - zero_share, 1e-9)
    mostly_stuck = carry.running_mean(np.where(nonzero, stuck_share / nonzero_share, np.nan)) >= stuck
    return never_changed, mostly_stuck & (nonzero_rows >= 2 * wait) & applied[:, None]


def _element(history: History) -> signals.Float:
    """Returns `[T, V]` the size of an element of each weight (root mean square)."""
    weight = signals.column(history, "weight_norm")
    assert weight is not None
    return np.asarray(weight / signals.root_sizes(history))
