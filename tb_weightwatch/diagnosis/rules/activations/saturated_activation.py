"""202 saturated-activation."""

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
    code=202,
    name="saturated-activation",
    link="activations",
    explains=("constant-output", "zero-gradient", "vanishing-gradient", "no-learning-signal"),
)
def saturated_activation(
    history: History, *, share: float = 0.9, rows: int = 3
) -> Finding[Details] | CannotTell | None:
    """Sigmoid or tanh outputs in the flat ends of the curve, where the gradient is lost.

    What it sees:
        A sigmoid or tanh layer nearly all of whose outputs lie where the derivative is below 1 % of its maximum (or
        exactly 0), from the start or more and more, while the loss does not decrease and is not low.

    Why it matters:
        The gradient of everything before the layer is multiplied by that derivative. In float32 a sigmoid is exactly 1
        for inputs above about 17; y (1 - y) is then exactly 0, and so is the gradient of every weight before it.

    When it is a false alarm:
        A trained classifier is sure of its answers: its outputs are saturated at a low loss, which is not reported.
        Gates of recurrent layers are not checked.

    What to try:
        Scale the inputs, start from smaller weights, use ReLU in hidden layers, and compute the loss from logits
        (from_logits=True), which keeps the gradient where the sigmoid is flat.

    Sick example:
        model = net(1, hidden="sigmoid", bias_initializer=keras.initializers.Constant(30.0))
        watch = fit(model, x, number, "mse")

    Healthy example:
        watch = fit(net(1, hidden="sigmoid"), x, number, "mse", optimizers.Adam(0.02))

    References:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010)

    Args:
        history: what was recorded.
        share: share of a layer's outputs in the flat ends from which it counts as saturated.
        rows: recorded steps before a layer is judged.
    """
    if not history.has("saturated_share"):
        if history.columns("layer") and not signals.squashing_layers(history).any():
            return None  # layers were recorded, and none of them can saturate
        return CannotTell(
            "the outputs of sigmoid and tanh layers were not recorded: train with ww.WeightWatch, or make "
            "ww.Watch(model=...) before an eager loop"
        )
    if not signals.squashing_layers(history).any():
        return None
    saturated, blocked = _any_saturated(history, share)
    enough = np.arange(len(history)) >= rows - 1
    firing = np.asarray((saturated & _stuck(history) | blocked & _no_gradient_matters(history)) & enough)
    return Finding(firing, partial(measure, history, share=share), text, evidence, claims) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        layers: names of the saturated layers.
        activations: their activations, sorted.
        shares: share of saturated outputs of each of them.
        mean_share: mean of these shares.
        blocked: whether the derivative is exactly 0 and no variable gets a gradient.
        loss: the course of the loss.
        is_output: whether one of them is the output layer.
        variables: names of the variables of these layers; of all trainable ones, where theirs are not known.
        step: the step of this row.
        code: the call that makes the first of them with another activation, or without one.
    """

    layers: tuple[str, ...]
    activations: tuple[str, ...]
    shares: tuple[float, ...]
    mean_share: float
    blocked: bool
    loss: signals.LossCourse
    is_output: bool
    variables: tuple[str, ...]
    step: int = 0
    code: str = "keras.layers.Dense(units, activation='relu', kernel_initializer='he_normal')"


def measure(history: History, row: int, _: NDArray[np.intp], *, share: float) -> Details:
    """Returns the numbers and names of one row."""
    saturated, blocked = signals.saturated_layers(history, share)[row], _blocked_layers(history, share)[row]
    positions = np.flatnonzero(
        saturated & bool(_stuck(history)[row]) | blocked & bool(_no_gradient_matters(history)[row])
    )
    layers = [signals.recorded_layers(history)[i] for i in positions]
    earlier = history.column("saturated_share")[: row + 1, positions]
    measured = int(np.flatnonzero(np.isfinite(earlier).any(axis=1))[-1])  # a row may lack the layers' outputs
    shares = earlier[measured]
    own = signals.variables_of_layers(history, positions)
    concerned = own if len(own) else np.flatnonzero(signals.trainable(history))
    names = tuple(layer.name for layer in layers)
    is_output = _include_output(history, names)
    options = "" if is_output else "activation='relu', kernel_initializer='he_normal'"
    return Details(
        layers=names,
        activations=tuple(sorted({signals.layer_activation(layer) for layer in layers})),
        shares=tuple(float(value) for value in shares),
        mean_share=float(np.nanmean(shares)),
        blocked=bool(blocked[positions].any()) and bool(_no_gradient(history)[row]),
        loss=signals.loss_course(history, row),
        is_output=is_output,
        variables=tuple(signals.variables(history)[i].name for i in concerned),
        step=int(history.steps[measured]),
        code=f"{layer_code(history, names[-1], options)}   # '{names[-1]}'",
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    loss = f" ({details.loss})" if details.loss else ""
    effect = (
        "the derivative there is exactly 0, so no gradient reaches the weights before them"
        if details.blocked
        else "the derivative there is below 1 % of its maximum, so the gradient is lost"
    )
    fix = (
        "Compute the loss from logits, and scale the inputs so that outputs start near 0:\n"
        f"    {details.code}: no sigmoid\n"
        "    loss = keras.losses.BinaryCrossentropy(from_logits=True)"
        if details.is_output and "sigmoid" in details.activations
        else "Scale the inputs (x = (x - mean) / std) and use an activation that is not flat at both ends:\n"
        f"    {details.code}"
    )
    return VerdictText(
        message=f"The {' and '.join(details.activations)} outputs are saturated: "
        f"{number(100 * details.mean_share)} % of those of {quote_list(details.layers)} at step {details.step:,}; "
        f"{effect}{loss}",
        fix=fix,
        certainty="certain" if details.blocked else "likely",
        variables=details.variables,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return tuple(
        Evidence(
            f"saturated outputs of {layer}", share, "share with a derivative below 1 %", quantity="saturated_share"
        )
        for layer, share in list(zip(details.layers, details.shares, strict=True))[:3]
    )


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns the mean share that the message states."""
    return (Claim("mean", "saturated_share", details.mean_share, details.step, details.step, details.layers),)


@signals.incremental
def _blocked_layers(rows: History, carry: signals.Carry, share: float) -> signals.Bool:
    """Returns `[T, L]` whether a layer is saturated to the last bit: its derivative is exactly 0."""
    blocked, saturated = signals.column(rows, "blocked_share"), signals.saturated_layers(rows, share)
    if blocked is None:
        return np.zeros(saturated.shape, bool)
    return np.asarray((carry.trailing_mean(blocked, 5) > 0.99) & saturated)


@signals.incremental
def _any_saturated(rows: History, carry: signals.Carry, share: float) -> tuple[signals.Bool, signals.Bool]:
    """Returns `[T]` whether any layer is saturated, and whether any is to the last bit."""
    saturated, blocked = signals.saturated_layers(rows, share), _blocked_layers(rows, share)
    return np.asarray(saturated.any(axis=1)), np.asarray(blocked.any(axis=1))


def _no_gradient(history: History) -> signals.Bool:
    """Returns `[T]` whether no variable gets a gradient; False where gradients were not recorded."""
    nonzero = signals.any_nonzero_gradient(history)
    return np.zeros(len(history), bool) if nonzero is None else np.asarray(~nonzero)


def _no_gradient_matters(history: History) -> signals.Bool:
    """Returns `[T]` whether no variable gets a gradient although the loss is not low."""
    return np.asarray(_no_gradient(history) & ~signals.loss_trend(history).low())


def _stuck(history: History) -> signals.Bool:
    """Returns `[T]` whether the loss does not decrease and is not low; without a loss, whether nothing has a gradient.

    A loss computed from logits bypasses a flat output: while it decreases by much, the gradient is not lost.
    """
    trend = signals.loss_trend(history)
    learns = trend.decreased & (~trend.near_constant_loss(0.9) | (trend.relative_decrease > 0.3))
    stuck = ~(trend.low() | learns) & trend.not_improving(0.9)
    return np.asarray(np.where(trend.finite_rows > 0, stuck, _no_gradient(history)), bool)


def _include_output(history: History, names: tuple[str, ...]) -> bool:
    """Whether one of these layers is the last one of the model."""
    model_layers = [str(layer.get("name")) for layer in signals.model_layers(history)]
    all_layers = model_layers or [layer.name for layer in signals.recorded_layers(history)]
    return any(bool(all_layers[-1]) and name.startswith(all_layers[-1]) for name in names)
