"""402 zero-gradient."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...fixes import layer_code
from ...rule import CannotTell, Claim, Evidence, Finding, History, Severity, SimpleFinding, VerdictText, rule
from ...statements import Streak, streak
from ...wording import not_recorded, quote_list


@rule(code=402, name="zero-gradient", link="gradient", explains=("no-learning-signal",))
def zero_gradient(history: History, *, rows: int = 3, part: int = 5) -> Finding[Any] | CannotTell | None:
    """Gradients that are exactly zero, step after step.

    What it sees:
        Trainable variables whose gradient has been exactly 0 in several recorded steps in a row while the loss is not
        low, and the depth at which this begins.

    Why it matters:
        A gradient of exactly zero, not just a small one, means that some factor between the variable and the loss is
        0: a flat activation, a clipped value, a mask, a following kernel of zeros. No learning rate helps.

    When it is a false alarm:
        The gradients of a model that fits its data perfectly (a hinge loss at 0) are rightly zero. So are those of a
        part of the model whose turn has not come, or whose loss has a weight of 0: while the loss falls, such a part
        is reported as a remark.

    What to try:
        Examine the layer named and those after it: outputs that are all equal, tf.clip_by_value, tf.sign,
        multiplication by a mask, weights that are all initialized to zero.

    Sick example:
        stack = [layers.Dense(16), layers.Lambda(tf.sign), layers.Dense(1)]   # flat everywhere
        model = keras.Sequential([keras.Input((8,)), *stack])
        watch = loop(model, x, number, mse, optimizers.Adam(0.01))

    Healthy example:
        stack = [layers.Dense(16), layers.Activation("tanh"), layers.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *stack])
        watch = loop(model, x, number, mse, optimizers.Adam(0.01))

    References:
        https://www.tensorflow.org/guide/autodiff

    Args:
        history: what was recorded.
        rows: recorded steps in a row, if no trainable variable has a non-zero gradient.
        part: recorded steps in a row, if only some of them have a gradient of zero.
    """
    if not signals.is_recorded(history, "gradient_norm"):
        return _by_optimizer_slots(history, rows)
    any_zero, any_nonzero = _any_zero_and_nonzero(history)
    if not any_zero.any():
        return None
    zero_rows, nonzero_before = _zero_rows(history)
    trend = signals.loss_trend(history)
    # A bias alone (before BatchNormalization, say) is no break in the chain: a matrix must have no gradient either.
    some = zero_rows >= part
    some = some & some[:, signals.trainable_kernels(history)].any(axis=1, keepdims=True)
    some &= ~(nonzero_before & _loss_falls(history)[:, None])
    # After non-zero gradients all may be zero for a while (momentum moves on, another part has its turn).
    wait = np.where(nonzero_before.any(axis=1), 4 * part, rows)[:, None]
    everything = (zero_rows >= wait) & ~any_nonzero[:, None]
    # A low loss excuses gradients that have become zero, but not a part that none has ever reached.
    excused = trend.low()[:, None] & (nonzero_before | ~any_nonzero[:, None])
    firing = (everything | some) & ~excused
    return Finding(firing, partial(measure, history), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        names: names of the variables whose gradient is exactly zero.
        trainable: number of trainable variables.
        rows: for how many recorded steps in a row their gradients have all been zero.
        duration: these recorded steps.
        region: where these variables are: "all", "input side", "output side" or "inside".
        layer: the layer of the last of them (its own name, if it has no layer).
        learning: whether the loss falls or is low.
        code: the call that makes that layer with another initializer.
        loss: the course of the loss.
    """

    names: tuple[str, ...]
    trainable: int
    rows: int
    duration: Streak
    region: str
    layer: str
    learning: bool
    loss: signals.LossCourse
    code: str = "keras.layers.Dense(units, kernel_initializer='glorot_uniform')"


def measure(history: History, row: int, variables: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    trend, trainable = signals.loss_trend(history), signals.trainable(history)
    zero, last = np.isin(np.arange(len(trainable)), variables), signals.variables(history)[int(variables[-1])]
    count = int(_zero_rows(history)[0][row, variables].min())
    names = tuple(signals.variables(history)[i].name for i in variables)
    return Details(
        names=names,
        trainable=int(trainable.sum()),
        rows=count,
        duration=streak(history, row, count, Claim("is", "gradient_norm", 0.0, variables=names)),
        region=signals.disconnected_region(history, zero),
        layer=last.layer or last.name,
        learning=bool(_loss_falls(history)[row] or trend.low()[row]),
        loss=signals.loss_course(history, row),
        code=layer_code(history, last.layer, "kernel_initializer='glorot_uniform'"),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    count, trainable = len(details.names), details.trainable
    duration = f"in {details.duration} in a row{f' ({details.loss})' if details.loss else ''}"
    severity: Severity = "error"
    if details.region == "all":
        all_of = f"those of all {trainable} trainable variables" if trainable > 1 else "that of the trainable variable"
        message = f"All gradients are exactly zero: {all_of} {duration}, so no weight has any effect on the loss"
    else:
        if details.learning:
            severity = "warning" if details.region == "input side" or count > trainable / 2 else "info"
        consequence = {
            "input side": f"no layer from the input to '{details.layer}' is learning",
            "output side": "the loss sends no gradient to these last layers of the model",
            "inside": "a branch of the model is disconnected from the loss",
        }[details.region]
        message = (
            f"The gradient of {count} of {trainable} trainable variables is exactly zero: that of "
            f"{quote_list(details.names)} {duration}, so {consequence}"
        )
    return VerdictText(message=message, fix=_fix(details.region, details.code), severity=severity, certainty="certain")


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    count, trainable = float(len(details.names)), f"of {details.trainable} trainable"
    zero = "with a gradient of exactly 0"
    return (
        Evidence("variables with zero gradient", count, trainable, quantity="gradient_norm"),
        Evidence("recorded steps in a row", float(details.rows), zero, quantity="gradient_zero_share"),
    )


def _fix(region: str, code: str = "") -> str:
    if region == "all":
        return (
            "Examine what lies between the last layer and the loss: a single softmax unit, clipping, rounding, a mask "
            "or a weight of zero. Check that the loss depends on the predictions:\n"
            "    print(loss_function(y, y_pred), loss_function(y, y_pred + 0.1))   # must differ"
        )
    return (
        "Examine the layer after the last one named. Check whether its outputs are clipped or all zero, and whether "
        "kernels are initialized to zero (two such kernels in a row never change):\n"
        f"    {code}"
    )


def _by_optimizer_slots(history: History, rows: int) -> Finding[SimpleFinding] | CannotTell:
    """Where no gradient was recorded: averages that are exactly zero show that no gradient was ever another."""
    zero_averages = SimpleFinding(
        signals.unmoved_with_slots(history, "zero", rows),
        "All gradients are exactly zero: the optimizer counts its steps, but its averages of the gradients are still "
        "zero and no weight has ever changed, so no weight has any effect on the loss",
        _fix("all"),
        (Evidence("averages of the gradients", 0.0, "exactly, in the optimizer's own variables"),),
    )
    return zero_averages.finding() or not_recorded(history, "gradient_norm")


@signals.incremental
def _any_zero_and_nonzero(rows: History, carry: signals.Carry) -> tuple[signals.Bool, signals.Bool]:
    """Returns `[T]` whether any trainable variable's gradient is exactly 0, and whether any is above 0."""
    norm = signals.column(rows, "gradient_norm")
    assert norm is not None
    trainable = signals.trainable(rows)
    return np.asarray(((norm == 0) & trainable).any(axis=1)), np.asarray(((norm > 0) & trainable).any(axis=1))


@signals.incremental
def _zero_rows(rows: History, carry: signals.Carry) -> tuple[NDArray[np.int32], signals.Bool]:
    """Returns `[T, V]` for how many rows the gradient has been exactly 0, and whether it was ever above 0.

    Rows in which it is not known (between snapshots, or between uses of accumulated gradients) are left out.
    """
    norm = signals.column(rows, "gradient_norm")
    assert norm is not None
    zero = np.asarray((norm == 0) & signals.trainable(rows))
    return carry.streak(zero, ~rows.known("gradient_norm")), carry.ever(np.asarray(norm > 0))


def _loss_falls(history: History) -> signals.Bool:
    """Returns `[T]` whether the loss falls, to clearly below that of a constant prediction."""
    trend = signals.loss_trend(history)
    return np.asarray(trend.decreased & ~trend.near_constant_loss(0.95))
