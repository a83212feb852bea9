"""701 frozen-weights."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Certainty, Evidence, Finding, History, Severity, VerdictText, rule
from ...wording import is_custom_loop, number, quote_list

_NEARLY_ALL = 0.9  # share of the elements that are frozen
_STEPS = 100  # training steps before what is left to train is judged


@rule(
    code=701,
    name="frozen-weights",
    link="weight",
    explains=("learning-rate-too-small", "no-gradient", "no-learning-signal"),
)
def frozen_weights(history: History) -> Finding[Details] | CannotTell | None:
    """Weights that are set not to train: trainable=False.

    What it sees:
        The `trainable` flags: whether all weights, or those of the layer nearest to the loss, are frozen. A frozen base
        under a trainable head is reported as a remark only, unless the head alone does not bring the loss below that of
        a constant prediction.

    Why it matters:
        A frozen weight gets no update, whatever the loss, the gradient and the learning rate are; Keras does not warn.

    When it is a false alarm:
        Transfer learning freezes the base on purpose, and a GAN trains its generator through a frozen discriminator:
        both are remarks. Statistics such as those of BatchNormalization are never trainable and do not count.

    What to try:
        Set `layer.trainable = True` for the layers that should train, then compile again: otherwise the change has no
        effect.

    Sick example:
        model = net(1)
        model.trainable = False
        watch = fit(model, x, number, "mse")

    Healthy example:
        model = net(1)
        model.trainable = True
        watch = fit(model, x, number, "mse")

    References:
        https://keras.io/guides/transfer_learning/

    Args:
        history: what was recorded.
    """
    if not signals.variables(history):
        return CannotTell("no variable was described")
    firing = _frozen(history) & signals.weight_variables(history)
    return Finding(firing, partial(measure, history), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        names: names of the frozen weights.
        elements: number of their elements.
        weights: number of weight variables, frozen or not.
        everything: whether all weights are frozen and none has ever changed.
        last_layer: name of the layer nearest to the loss, if that layer is frozen and others train; "" otherwise.
        layer: the layer of the first frozen weight.
        custom_loop: whether the training loop is hand-written.
        share: share of the elements of all weights that are frozen.
        constant_loss: the loss of a constant prediction if nearly all is frozen and what trains does not beat it
            clearly; NaN otherwise.
    """

    names: tuple[str, ...]
    elements: int
    weights: int
    everything: bool
    last_layer: str
    layer: str
    custom_loop: bool
    share: float = 0.0
    constant_loss: float = np.nan


def measure(history: History, row: int, variables: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    frozen, weights = _frozen(history), signals.weight_variables(history)
    last_layer_frozen, last_layer = _last_layer_frozen(history, frozen & weights, weights)
    any_trains = (weights & ~frozen[row]).any()
    return Details(
        names=tuple(signals.variables(history)[i].name for i in variables),
        elements=sum(signals.variables(history)[i].size for i in variables),
        weights=int(weights.sum()),
        everything=not any_trains and not signals.ever(_any_weight_moved(history))[row],
        last_layer=last_layer if last_layer_frozen[row] else "",
        layer=signals.variables(history)[int(variables[0])].layer,
        custom_loop=is_custom_loop(history),
        share=signals.share_of_elements(history, frozen[row] & weights, weights),
        constant_loss=_constant_loss_not_beaten(history, row),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    severity: Severity = "info"
    certainty: Certainty = "certain"
    fix = f"If they should train:\n    model.get_layer('{details.last_layer or details.layer}').trainable = True"
    if details.everything:
        severity = "error"
        weights = (
            f"all {details.weights} weight variables have" if details.weights > 1 else "the only weight variable has"
        )
        message = (
            f"Everything is frozen: {weights} trainable=False ({details.elements:,} elements), so nothing can learn"
        )
        fix = "Unfreeze the layers that should train:\n    model.trainable = True"
    elif details.last_layer:
        severity = "warning"
        message = (
            f"The layer nearest to the loss is frozen (trainable=False): it is '{details.last_layer}', and layers "
            f"before it are trainable; {quote_list(details.names)} cannot change"
        )
    elif details.share > _NEARLY_ALL and np.isfinite(details.constant_loss):
        severity, certainty = "error", "likely"
        message = (
            f"{number(100 * details.share)} % of the weights' elements are frozen (trainable=False): "
            f"{quote_list(details.names)} cannot change, and what is trainable does not bring the loss clearly below "
            f"{number(details.constant_loss)}, that of a constant prediction"
        )
    else:
        are = "are" if len(details.names) > 1 else "is"
        message = (
            f"{len(details.names)} of {details.weights} weight variables {are} frozen (trainable=False): "
            f"{quote_list(details.names)}; the others are trainable"
        )
    compile_again = "\n    model.compile(...)   # again: otherwise the change has no effect"
    fix = fix if details.custom_loop else f"{fix}{compile_again}"
    return VerdictText(message=message, fix=fix, severity=severity, certainty=certainty)


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    frozen = float(len(details.names))
    return (Evidence("frozen variables", frozen, f"of {details.weights}", quantity="update_norm"),)


def _constant_loss_not_beaten(history: History, row: int) -> float:
    """Returns the loss of a constant prediction if the loss has been near it for long; NaN otherwise."""
    trend = signals.loss_trend(history)
    long_enough = history.steps[row] >= _STEPS and trend.finite_rows[row] >= _STEPS // 2
    near = trend.baseline_reliable[row] and trend.near_constant_loss(0.95)[row]
    return float(trend.constant_loss[row]) if long_enough and near else float("nan")


def _frozen(history: History) -> signals.Bool:
    """Returns `[T, V]` which variables were frozen at each row: their flags may change during the training."""
    positions = {variable.name: i for i, variable in enumerate(signals.variables(history))}
    frozen = np.zeros((len(history), len(positions)), bool)
    for record in history.of_kind("variables"):
        row = int(np.searchsorted(history.steps, max(1, record.step)))
        for item in record.data.get("items", ()):
            if "trainable" in item:
                frozen[row:, positions[item["name"]]] = not item["trainable"]
    return frozen


@signals.incremental
def _any_weight_moved(rows: History, carry: signals.Carry) -> signals.Bool:
    """Returns `[T]` whether any weight moved in that row, trainable or not."""
    update = signals.column(rows, "update_norm")
    if update is None:
        return np.zeros(len(rows), bool)
    return np.asarray(((update > 0) & signals.weight_variables(rows)).any(axis=1))


def _last_layer_frozen(history: History, frozen: signals.Bool, weights: signals.Bool) -> tuple[signals.Bool, str]:
    """Returns `[T]` whether the layer nearest to the loss is frozen while others train, and its name.

    More than one frozen layer at the end (a discriminator, a perceptual network) is intended, unless the loss does not
    fall.
    """
    layers = _layers_by_depth(history, weights)
    if len(layers) < 2:
        return np.zeros(len(history), bool), ""
    frozen_layers = np.stack([frozen[:, positions].all(axis=1) for _, positions in layers], axis=1)
    last_only = np.argmax(~frozen_layers[:, ::-1], axis=1) == 1
    trend = signals.loss_trend(history)
    unchanged_loss = np.abs(trend.relative_decrease) < 0.02
    stalled = trend.enough_rows & (trend.finite_rows > 20) & unchanged_loss
    last_frozen = frozen_layers[:, -1] & ~frozen_layers.all(axis=1)
    return np.asarray(last_frozen & (last_only | stalled)), layers[-1][0]


def _layers_by_depth(history: History, weights: signals.Bool) -> list[tuple[str, list[int]]]:
    """Returns the layers with weights from input to output, each with the positions of its variables."""
    positions: dict[str, list[int]] = {}
    for i, variable in enumerate(signals.variables(history)):
        if weights[i]:
            positions.setdefault(variable.layer or variable.name, []).append(i)
    names = [str(layer.get("name")) for layer in signals.model_layers(history)]
    described = [name for name in names if name in positions]
    return [(name, positions[name]) for name in (described if len(described) == len(positions) else positions)]
