"""401 no-gradient."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, Severity, SimpleFinding, VerdictText, rule
from ...wording import is_custom_loop, not_recorded, plural, quote_list


@rule(code=401, name="no-gradient", link="gradient", explains=("update-undone", "updates-not-applied"))
def no_gradient(history: History, *, rows: int = 3) -> Finding[Any] | CannotTell | None:
    """No gradient at all (None): backpropagation found no path from the loss to the variable.

    What it sees:
        Trainable variables whose gradient was None in every recorded step so far, and that never changed. Or tensors
        that `watch.step` is given in the place of variables, as `w = w - lr * g` makes them. Or the exception with
        which an optimizer refuses a step in which no variable has a gradient.

    Why it matters:
        None is not zero: the tape recorded no connection. If all gradients are None, the loss was not computed from
        the model's output under the tape. If those of all layers up to some depth are None, an operation after them
        blocks the gradient.

    When it is a false alarm:
        A variable that the loss does not need (the pooling head of a pretrained model, an unused branch) has no
        gradient by design; while the loss falls, this is reported as a remark only. In alternating training each part
        of the model has its turn.

    What to try:
        Compute model(x) and the loss inside `with tf.GradientTape()`, with TensorFlow functions only: numpy, float(),
        model.predict, tf.argmax, tf.round, casts to integers and tf.stop_gradient all block the gradient.

    Sick example:
        stack = [layers.Dense(16, "relu"), layers.Lambda(tf.stop_gradient), layers.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *stack])
        watch = loop(model, x, number, mse, optimizers.Adam(0.01))

    Healthy example:
        model = keras.Sequential([keras.Input((8,)), layers.Dense(16, "relu"), layers.Dense(1)])
        watch = loop(model, x, number, mse, optimizers.Adam(0.01))

    References:
        https://www.tensorflow.org/guide/autodiff#getting_a_gradient_of_none

    Args:
        history: what was recorded.
        rows: recorded steps without a gradient before this is reported for some of the variables.
    """
    replaced = _replaced_by_tensors(history)
    if replaced is not None:
        return replaced
    if not signals.is_recorded(history, "gradient_none"):
        return not_recorded(history, "gradient_none")
    firing = _never_a_gradient(history, rows)
    return Finding(firing, partial(measure, history), text, evidence, claims) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        names: names of the variables without a gradient.
        trainable: number of trainable variables.
        with_gradient: number of variables that have a non-zero gradient in the same step.
        region: where these variables are: "all", "input side", "output side" or "inside".
        loss_falls: whether the loss falls, or is not known after more than ten rows.
        custom_loop: whether the training loop is hand-written.
        layer: name of the layer of the first of these variables; "" if it belongs to none.
        span: first and last recorded step.
        rows: number of recorded steps.
    """

    names: tuple[str, ...]
    trainable: int
    with_gradient: int
    region: str
    loss_falls: bool
    custom_loop: bool
    layer: str = ""
    span: tuple[int, int] = (0, 0)
    rows: int = 0


def measure(history: History, row: int, variables: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    trend, trainable = signals.loss_trend(history), signals.trainable(history)
    without = np.isin(np.arange(len(trainable)), variables)
    nonzero = signals.nonzero_gradient(signals.RowSpan(history, row, row + 1))
    falls = bool(trend.decreased[row] and not trend.near_constant_loss(0.95)[row])
    return Details(
        names=tuple(signals.variables(history)[i].name for i in variables),
        trainable=int(trainable.sum()),
        with_gradient=0 if nonzero is None else int(nonzero.sum()),
        region=signals.disconnected_region(history, without),
        loss_falls=falls or (not trend.finite_rows[row] and row > 10),
        custom_loop=is_custom_loop(history),
        layer=signals.variables(history)[int(variables[0])].layer,
        span=(int(history.steps[0]), int(history.steps[row])),
        rows=row + 1,
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    return _text_for_all(details) if details.region == "all" else _text_for_some(details)


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    trainable = f"of {details.trainable} trainable"
    return (
        Evidence("variables without gradient", float(len(details.names)), trainable, quantity="gradient_none"),
        Evidence("variables with gradient", float(details.with_gradient), "in the same step", quantity="gradient_norm"),
    )


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns that these variables had no gradient in any recorded step."""
    return (
        Claim("above", "gradient_none", 0, details.span[1], details.span[1], details.names),
        Claim("is", "update_norm", 0, *details.span, details.names, recorded_only=True),
    )


def _text_for_all(details: Details) -> VerdictText:
    variables = f"all {details.trainable} trainable variables" if details.trainable > 1 else "the trainable variable"
    return VerdictText(
        message=f"No variable gets a gradient: the gradient of {variables} is None, because the tape recorded no path "
        "from the loss to the weights",
        fix="Call the model and compute the loss inside the tape, with TensorFlow functions only "
        "(no numpy, float(), model.predict, tf.argmax or tf.round in between):\n"
        "    with tf.GradientTape() as tape:\n        y_pred = model(x, training=True)\n"
        "        loss = loss_function(y, y_pred)\n"
        "    gradients = tape.gradient(loss, model.trainable_variables)",
        certainty="certain",
    )


def _text_for_some(details: Details) -> VerdictText:
    several = len(details.names) > 1
    them, their, get, change = ("them", "their", "get", "change") if several else ("it", "its", "gets", "changes")
    blocked = f"an operation after {them} blocks the gradient"
    cause = {
        "input side": f"{blocked} (stop_gradient, numpy, argmax, round or a cast to integers)",
        "output side": f"the loss is computed from an earlier layer, or does not use {their} output",
        "inside": f"the loss does not use {their} output, or {blocked}",
    }[details.region]
    harmless = details.loss_falls and details.region != "input side"
    severity: Severity = "info" if harmless else "warning" if details.loss_falls else "error"
    unused = f"{'these are' if several else 'this one is'} unused on purpose"
    note = f"; the other variables train, so this is harmless if {unused}" if harmless else ""
    return VerdictText(
        message=f"{len(details.names)} of {details.trainable} trainable variables {get} no gradient (None): "
        f"{quote_list(details.names)} {change} in none of {plural(details.rows, 'recorded step')}, because "
        f"{cause}{note}",
        fix=_fix_for_some(details, harmless),
        severity=severity,
        certainty="certain",
    )


def _replaced_by_tensors(history: History) -> Finding[SimpleFinding] | None:
    """Returns what is certain if the program trains tensors in the place of its variables; None if it does not."""
    tensors = signals.tensors_for_variables(history)
    if tensors is None:
        return None
    firing = np.asarray(history.steps >= tensors.first_step)
    are = "is a tensor" if tensors.tensors == 1 else "are tensors"
    return SimpleFinding(
        firing,
        message=f"The variables are gone: {tensors.tensors} of {tensors.of} of what the step trains {are} since step "
        f"{tensors.first_step:,}; an assignment such as w = w - learning_rate * gradient makes a new tensor, which the "
        "tape does not watch, so there is no gradient for it",
        fix="Change the variable in place:\n    w.assign_sub(learning_rate * gradient)   # not: w = w - ...",
        evidence=(Evidence("tensors", float(tensors.tensors), f"of {tensors.of} given as variables"),),
    ).finding()


def _fix_for_some(details: Details, harmless: bool) -> str:
    """Returns what to change; a path that is cut is never repaired by `trainable = False`."""
    path = f"Find what blocks the path from the loss to {'these' if len(details.names) > 1 else 'this'} variable"
    path += "s" if len(details.names) > 1 else ""
    if harmless:
        again = "" if details.custom_loop else "   # then compile again"
        layer = f"model.get_layer('{details.layer}')" if details.layer else "layer"
        return f"{path}, or, if this is intended, set trainable = False:\n    {layer}.trainable = False{again}"
    return (
        f"{path}: print the gradients of what lies between, from the loss back, and look at the first that is None:\n"
        "    with tf.GradientTape(persistent=True) as tape:\n        hidden = first_part(x); tape.watch(hidden)\n"
        "        loss = loss_function(y, second_part(hidden))\n    print(tape.gradient(loss, hidden))"
    )


@signals.incremental
def _never_a_gradient(history: History, carry: signals.Carry, rows: int) -> signals.Bool:
    """Returns `[T, V]` where a trainable variable has never had a gradient and has never changed."""
    none, norm, update = (signals.column(history, n) for n in ("gradient_none", "gradient_norm", "update_norm"))
    assert none is not None
    without = (none > 0) & signals.trainable(history)
    with_gradient = ((none == 0) & np.isfinite(none)) if norm is None else np.isfinite(norm) & ~without
    active = with_gradient | (update > 0) if update is not None else with_gradient
    firing = without & ~carry.ever(active)
    others = signals.trainable(history) & ~firing
    # All of them are reported in the first step; some of them only when their turn can no longer be about to come.
    return np.asarray(firing & ((carry.streak(without) >= rows) | ~others.any(axis=1, keepdims=True)))
