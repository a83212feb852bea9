"""504 optimizer-misconfigured."""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...wording import factor, number


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
) -> Finding[Details] | CannotTell | None:
    """A setting of the optimizer that defeats it, other than the size of the learning rate.

    What it sees:
        A negative learning rate; beta, rho or momentum at 1. And, if they have an effect and the loss makes no
        progress: an epsilon (or initial accumulator) far above the size of the gradients, a momentum that never
        forgets, a weight decay that moves the weights more than the gradient does.

    Why it matters:
        Adam divides the gradient by its size plus epsilon: an epsilon far above that size makes the updates tiny. With
        beta_2 = 1 that size is never learned, with momentum = 1 no gradient is ever forgotten, and a weight decay of 1
        takes the learning rate's share off every weight in each step, regardless of the data.

    When it is a false alarm:
        A large epsilon beside a large learning rate is used on purpose (Inception). These settings are judged by their
        effect, and nothing is reported while the loss falls.

    What to try:
        The defaults of keras.optimizers, which suit nearly every model.

    Sick example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(1e-3, beta_2=1.0))

    Healthy example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(1e-3, beta_2=0.999))

    References:
        https://keras.io/api/optimizers/

    Args:
        history: what was recorded.
        epsilon: how many times as large as an element of the gradient epsilon must be.
        decay: share of the update that weight decay must make up.
        memory: momentum from which it never forgets.
        rows: recorded steps before an effect is judged.
    """
    if not signals.first_optimizer(history):
        return CannotTell("the optimizer is not known (pass optimizer= to ww.Watch)")
    findings = (
        _negative_learning_rate(history) or _setting_at_one(history),
        _large_epsilon(history, epsilon, rows),
        _long_memory(history, memory, rows),
        _strong_decay(history, decay, rows),
    )
    firing = [finding for finding in findings if finding is not None and finding.firing.any()]
    # The one that held first: it does not change as rows are added.
    return min(firing, key=lambda finding: int(np.argmax(finding.firing)), default=None)


Problem = Literal["negative learning rate", "setting at one", "large epsilon", "long memory", "strong decay"]


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        problem: which of the problems it is.
        setting: name of the setting.
        value: its value.
        optimizer: class name of the optimizer.
        loss: the course of the loss.
        ratio: for a large epsilon, its ratio to the size that it is added to; for a strong decay, the share of the
            update that it makes up.
        gradient: for a large epsilon, a typical element of the gradient.
    """

    problem: Problem
    setting: str
    value: float
    optimizer: str = "Adam"
    loss: signals.LossCourse = signals.LossCourse()
    ratio: float = np.nan
    gradient: float = np.nan


def measure(
    history: History,
    setting: Details,
    row: int,
    _: NDArray[np.intp],
    *,
    ratio: signals.Float | None = None,
    gradient: signals.Float | None = None,
) -> Details:
    """Returns the details of a setting, with the numbers of one row; `ratio` and `gradient` are `[T]`."""
    return setting._replace(
        optimizer=signals.optimizer_class(history) or "Adam",
        loss=signals.loss_course(history, row),
        ratio=np.nan if ratio is None else float(ratio[row]),
        gradient=np.nan if gradient is None else float(gradient[row]),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    exact = details.problem in ("negative learning rate", "setting at one")
    return VerdictText(
        message=_message(details),
        fix=_fix(details),
        certainty="certain" if exact else "likely",
        variables=(),
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    if details.problem == "negative learning rate":
        return (Evidence("learning rate", details.value, "must be above 0", quantity="learning_rate"),)
    if details.problem == "strong decay":
        return (Evidence("share of the update", details.ratio, "that weight decay makes up"),)
    typical = f"{_TYPICAL[details.setting]} is typical"
    if details.problem == "setting at one":
        return (Evidence(details.setting, details.value, f"{typical}, and it must be below 1"),)
    setting = Evidence(details.setting, details.value, typical)
    if details.problem == "long memory":
        return (setting,)
    return (setting, Evidence("gradient", details.gradient, "of an element, over the steps", quantity="gradient_norm"))


_TYPICAL = {
    "beta_1": "0.9", "beta_2": "0.999", "rho": "0.9", "momentum": "0.9", "epsilon": "1e-7",
    "initial_accumulator_value": "0.1",
}  # fmt: skip
_EFFECT_AT_ONE = {
    "beta_1": "the mean of the gradients is never learned",
    "beta_2": "the size of the gradients is never learned",
    "rho": "the size of the gradients is never learned",
    "momentum": "no gradient is ever forgotten, and updates grow without limit",
}


def _message(details: Details) -> str:
    setting, value = details.setting, signals.literal(details.value)
    if details.problem == "negative learning rate":
        return f"The learning rate is negative: it is {value}, so every update increases the loss"
    if details.problem == "setting at one":
        return f"The optimizer's {setting} is {value}: {_EFFECT_AT_ONE[setting]}"
    if details.problem == "large epsilon":
        adagrad = setting == "initial_accumulator_value"
        root = "its square root, as RMSprop uses it," if details.optimizer == "RMSprop" else "it"
        size = "sum of squared gradients" if adagrad else "size of the gradients"
        return (
            f"The optimizer's {setting} of {value} is too large: {root} is {factor(details.ratio)} times the {size} to "
            f"which it is added (an element of the gradient is about {number(details.gradient)}), so the updates "
            f"shrink by {'the square root of ' if adagrad else ''}that factor ({details.loss})"
        )
    if details.problem == "long memory":
        return (
            f"The optimizer's {setting} of {details.value:.6g} is too large: it adds up the gradients of about "
            f"{number(1 / max(1e-9, 1 - details.value))} steps, so the weights overshoot every minimum ({details.loss})"
        )
    return (
        f"The weight decay of {value} outweighs the gradient: it makes up {number(100 * details.ratio, 2)} % of each "
        f"update, so the weights shrink regardless of the data ({details.loss})"
    )


def _fix(details: Details) -> str:
    if details.problem == "negative learning rate":
        return f"Use a positive learning rate:\n    optimizer.learning_rate = {signals.literal(-details.value)}"
    weight_decay = "4e-3" if details.value > 0.04 else "None"
    default = weight_decay if details.problem == "strong decay" else _TYPICAL[details.setting]
    return f"Use the default:\n    optimizer = keras.optimizers.{details.optimizer}({details.setting}={default})"


def _negative_learning_rate(history: History) -> Finding[Details] | None:
    learning_rate = signals.run_column(history, "learning_rate")
    negative = learning_rate < 0
    if not negative.any():
        return None
    setting = Details("negative learning rate", "learning_rate", float(learning_rate[negative][0]))
    return Finding(signals.ever(negative), partial(measure, history, setting), text, evidence)


def _setting_at_one(history: History) -> Finding[Details] | None:
    """A setting at a value with which the update rule makes no sense, whatever the data."""
    for name in _EFFECT_AT_ONE:
        value = signals.optimizer_setting(history, name, 0.0)
        if name == "momentum" and signals.optimizer_class(history) not in ("SGD", "RMSprop"):
            continue
        if value >= 1:
            setting = Details("setting at one", name, value)
            return Finding(np.ones(len(history), bool), partial(measure, history, setting), text, evidence)
    return None


def _large_epsilon(history: History, times: float, rows: int) -> Finding[Details] | None:
    """An epsilon, or an initial accumulator, far above the size of the gradients to which it is added."""
    effect = signals.epsilon_effect(history)
    if effect is None:
        return None
    firing = (effect.ratio > times) & signals.barely_moving(history) & (np.arange(len(history)) >= rows - 1)
    setting = Details("large epsilon", effect.setting, effect.value)
    measured = partial(measure, history, setting, ratio=effect.ratio, gradient=effect.gradient)
    return Finding(firing, measured, text, evidence)


def _long_memory(history: History, memory: float, rows: int) -> Finding[Details] | None:
    """A momentum so close to 1 that it adds up the gradients of thousands of steps."""
    name = "momentum" if signals.optimizer_class(history) in ("SGD", "RMSprop") else "beta_1"
    value = signals.optimizer_setting(history, name, 0.0)
    if value < memory:
        return None
    trend = signals.loss_trend(history)
    firing = trend.enough_rows & ~trend.decreased & ~trend.low() & (trend.finite_rows >= rows)
    return Finding(firing, partial(measure, history, Details("long memory", name, value)), text, evidence)


def _strong_decay(history: History, decay: float, rows: int) -> Finding[Details] | None:
    """A weight decay that moves the weights more than the gradient does."""
    effect = signals.decay_effect(history)
    if effect is None:
        return None
    trend = signals.loss_trend(history)
    # Whatever the loss is: of weights that have vanished nothing is left of the model.
    useless = (trend.near_constant_loss(0.8) | ~trend.decreased | effect.vanished) & ~trend.low()
    firing = (effect.share > decay) & effect.shrinks & useless & trend.enough_rows & (trend.finite_rows >= rows)
    setting = Details("strong decay", "weight_decay", effect.value)
    return Finding(firing, partial(measure, history, setting, ratio=effect.share), text, evidence)
