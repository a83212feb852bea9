"""504 optimizer-misconfigured."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, SimpleFinding, earliest, rule
from ...signals import (
    Carry,
    Float,
    barely_moving,
    column,
    ever,
    first_optimizer,
    incremental,
    is_normalized,
    latest_known,
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
)
from ...wording import evidence


@rule(
    code=504,
    name="optimizer-misconfigured",
    link="optimizer",
    explains=(
        "learning-rate-too-small", "learning-rate-too-large", "update-below-precision", "nonfinite-weight",
        "updates-not-applied", "update-undone", "nonfinite-loss", "no-learning-signal", "dead-relu",
        "saturated-activation", "constant-output", "zero-gradient", "nonfinite-gradient", "exploding-gradient",
        "vanishing-gradient",
    ),
)  # fmt: skip
def optimizer_misconfigured(
    history: History, *, epsilon: float = 10.0, decay: float = 0.5, memory: float = 0.9995, rows: int = 20
) -> Finding[Any] | CannotTell | None:
    """A setting of the optimizer that undoes its work, other than the learning rate's size.

    What it sees:
        A negative learning rate; beta, rho or momentum at 1; and, with an effect and no progress: an epsilon (or first
        accumulator) far above the gradient's size, a momentum that never forgets, a weight decay that
        moves the weights more than the gradient does.

    Why it matters:
        Adam divides the gradient by its size plus epsilon: an epsilon far above makes tiny steps of it. With beta_2 = 1
        that size is never learned, with momentum = 1 no gradient is ever forgotten, and a weight decay of 1 takes
        the learning rate's share off every weight in each step, whatever the data say.

    When it is a false alarm:
        A large epsilon beside a large learning rate is used on purpose (Inception); only an effect counts, and none is
        reported while the loss falls.

    What to try:
        The defaults of keras.optimizers, which are right for nearly every model.

    Sick example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(1e-3, beta_2=1.0))

    Healthy example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(1e-3, beta_2=0.999))

    References:
        https://keras.io/api/optimizers/

    Args:
        history: what was recorded.
        epsilon: how many times an element of the gradient epsilon must be.
        decay: share of the step that weight decay must make up.
        memory: momentum from which it counts as never forgetting.
        rows: recorded steps before an effect is judged.
    """
    if not first_optimizer(history):
        return CannotTell("the optimizer is not known (pass optimizer= to ww.Watch)")
    return earliest(
        _impossible(history),
        _epsilon(history, epsilon, rows),
        _momentum(history, memory, rows),
        _decay(history, decay, rows),
    )


def _advice(history: History, *settings: str) -> str:
    name = optimizer_class(history) or "Adam"
    return f"Use the default:\n    optimizer = keras.optimizers.{name}({', '.join(settings)})"


def _impossible(history: History) -> SimpleFinding | None:
    """Settings at a value at which the optimizer's law makes no sense, whatever the data."""
    every = np.ones(len(history), bool)
    rate = run_column(history, "learning_rate")
    if (rate < 0).any():
        now = float(rate[rate < 0][0])
        return SimpleFinding(
            ever(rate < 0),
            f"The learning rate is negative ({literal(now)}), so every step climbs the loss instead of descending it",
            f"Turn its sign round:\n    optimizer.learning_rate = {literal(-now)}",
            (evidence("learning rate", now, "must be above 0", quantity="learning_rate"),),
        )
    effect = {
        "beta_1": "the mean of the gradients is never learned",
        "beta_2": "the size of the gradients is never learned",
        "rho": "the size of the gradients is never learned",
        "momentum": "no gradient is ever forgotten, and steps grow without end",
    }
    for name, what in effect.items():
        value = optimizer_setting(history, name, 0.0)
        if value >= 1 and not (name == "momentum" and optimizer_class(history) not in ("SGD", "RMSprop")):
            usual = {"beta_1": "0.9", "beta_2": "0.999", "rho": "0.9", "momentum": "0.9"}[name]
            return SimpleFinding(
                every,
                f"The optimizer's {name} is {literal(value)}: {what}",
                _advice(history, f"{name}={usual}"),
                (evidence(name, value, f"{usual} is usual, and it must be below 1"),),
            )
    return None


def _epsilon(history: History, times: float, rows: int) -> SimpleFinding | None:
    tops = _usual(history)
    if tops is None:
        return None
    top = running_mean(tops)
    name, value = "epsilon", optimizer_setting(history, "epsilon", 1e-7)
    against = top
    if optimizer_class(history) == "Adagrad":
        name, value = "initial_accumulator_value", optimizer_setting(history, "initial_accumulator_value", 0.1)
        against = top**2 * np.arange(1, len(history) + 1)
    elif optimizer_class(history) == "RMSprop":
        value, against = np.sqrt(value), top  # Keras adds it below the root
    elif not is_normalized(history):
        return None
    # An epsilon as the library sets it is not to blame: then it is the gradient that is small.
    usual = {"epsilon": 1e-5, "initial_accumulator_value": 1.0}[name]
    if optimizer_setting(history, name, 0.0) <= usual:
        return None
    firing = (value > times * against) & barely_moving(history) & (np.arange(len(history)) >= rows - 1)
    if not firing.any():
        return None
    seen, row = float(against[firing][-1]), float(optimizer_setting(history, name, value))
    return SimpleFinding(
        firing,
        f"The optimizer's {name} of {literal(row)} is {number(value / seen)} times the gradients it is compared with "
        f"(about {number(float(top[firing][-1]))}), so its steps shrink by that factor "
        f"({loss_trend(history).describe(int(np.flatnonzero(firing)[-1]))})",
        _advice(history, f"{name}={'1e-7' if name == 'epsilon' else '0.1'}"),
        (
            evidence(name, row, "1e-7 is usual" if name == "epsilon" else "0.1 is usual"),
            evidence("gradient", float(top[firing][-1]), "of an element, over the steps", quantity="gradient_norm"),
        ),
        certainty="likely",
    )


@incremental
def _usual(rows: History, carry: Carry) -> Float | None:
    """Returns `[T]` a usual element of the gradient, in the variable where they are largest; None if not known.

    Each step shrinks by its own element's.
    """
    norm = column(rows, "gradient_norm")
    if norm is None or not norm.size:
        return None
    return np.asarray(np.fmax.reduce(np.where(trainable(rows), norm / root_sizes(rows), np.nan), axis=1))


def _momentum(history: History, memory: float, rows: int) -> SimpleFinding | None:
    name = "momentum" if optimizer_class(history) in ("SGD", "RMSprop") else "beta_1"
    value = optimizer_setting(history, name, 0.0)
    trend = loss_trend(history)
    worse = trend.enough_rows & ~trend.decreased & ~trend.low() & (trend.finite_rows >= rows)
    if value < memory or not worse.any():
        return None
    span = number(1 / max(1e-9, 1 - value))
    return SimpleFinding(
        worse,
        f"The optimizer's {name} of {value:.6g} adds up the gradients of about {span} steps, so the weights run on "
        f"past every minimum ({trend.describe(int(np.flatnonzero(worse)[-1]))})",
        _advice(history, f"{name}=0.9"),
        (evidence(name, value, "0.9 is usual"),),
        certainty="likely",
    )


def _decay(history: History, share: float, rows: int) -> SimpleFinding | None:
    value = optimizer_setting(history, "weight_decay", 0.0)
    if not value > 0 or not history.has("weight_norm", "update_norm") or not trainable_kernels(history).any():
        return None
    rate = latest_known(run_column(history, "learning_rate"))
    weight, step, first = _norms(history)
    # Keras takes lr * weight_decay off each weight, beside the gradient's step.
    part = np.where(np.isfinite(rate), rate, 0) * value * weight / np.maximum(step, 1e-30)
    shrunk = weight < 0.5 * first
    trend = loss_trend(history)
    gone = weight < 0.01 * first  # whatever the loss says: nothing is left of the model
    bad = (
        trend.enough_rows
        & (trend.near_constant_loss(0.8) | ~trend.decreased | gone)
        & ~trend.low()
        & (trend.finite_rows >= rows)
    )
    firing = (running_mean(part) > share) & (shrunk | (rate * value > 0.1)) & bad
    if not firing.any():
        return None
    row = int(np.flatnonzero(firing)[-1])
    return SimpleFinding(
        firing,
        f"The weight decay of {literal(value)} outweighs the gradient: it makes "
        f"{number(100 * running_mean(part)[row], 2)} % of each step, so the weights shrink whatever the "
        f"data say ({trend.describe(row)})",
        _advice(history, "weight_decay=4e-3" if value > 0.04 else "weight_decay=None"),
        (evidence("share of the step", float(running_mean(part)[row]), "that weight decay makes"),),
        certainty="likely",
    )


@incremental
def _norms(rows: History, carry: Carry) -> tuple[Float, Float, Float]:
    """Returns `[T]` the norm over all matrices: of the weights, of the step, and of the weights at first."""
    weight, update = column(rows, "weight_norm"), column(rows, "update_norm")
    assert weight is not None and update is not None
    weight, update = select_columns(weight, trainable_kernels(rows)), select_columns(update, trainable_kernels(rows))
    return _most(weight), _most(update), _most(carry.first_known(weight))


def _most(values: Float) -> Float:
    """Returns `[T]` the norm over all matrices."""
    return np.asarray(np.sqrt(np.sum(np.where(np.isfinite(values), values, 0) ** 2, axis=1)))
