"""The gradient check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...capture.observe import has_own_train_step, layer_by_variable
from ...verdict import Outcome, TestedCause, factor, number
from ..experiment import Lab, Result, experiment, telling
from ..program import CannotRun, layers_of
from ..slopes import Slope, along_gradient, along_random, dense

MOST_LAYERS = 10
_WRONG = 0.2  # relative difference of measured and predicted slope
_SMALL, _LARGE = 2e-3, 0.2  # steps along random directions, relative to the weights


class Group(NamedTuple):
    """The variables of one layer, with their gradients."""

    layer: str
    variables: list[Any]
    gradients: list[Any]  # arrays; None where backpropagation finds no path

    @property
    def is_cut(self) -> bool:
        """Whether there is no gradient at all."""
        return all(gradient is None for gradient in self.gradients)

    @property
    def is_zero(self) -> bool:
        """Whether there is no gradient other than 0."""
        return all(gradient is None or not np.any(gradient) for gradient in self.gradients)


@experiment(
    name="gradient-check",
    tests=("wrong-gradient", "no-gradient", "zero-gradient", "loss-disconnected"),
    steps=45,
)
def gradient_check(lab: Lab) -> Result:
    """Compares the gradient with directional finite differences of the loss, layer by layer.

    What it does:
        It moves the weights of one layer along their gradient, forth and back, over a step that should change the
        loss by 0.4 % and over a quarter of it, and compares the slope of the loss with the norm of the gradient.
        A layer without gradient is moved along a random direction. Random numbers of the model (dropout) are the same
        each time. Of more than ten layers, ten at even distances are checked.

    What it confirms:
        A wrong custom gradient, if the two slopes differ by more than 20 % at one layer and agree at another, or
        differ in sign. A cut path, if the loss depends on a layer that gets no gradient. A gradient that is zero
        although the loss has a slope. A loss that does not change when the predictions are changed.

    What it refutes:
        All of these, if the slopes agree and every layer gets a gradient.

    What it cannot tell:
        Whether a gradient differs on purpose: straight-through estimators and gradient reversal do. A step of one's
        own may return another loss than the one that it differentiates; then a difference stays open.

    Confirming example:
        @tf.custom_gradient
        def square(z):
            return z * z, lambda g: g * z * z     # must be g * 2 * z
        inputs = keras.Input((8,))
        hidden = layers.Lambda(square)(layers.Dense(16)(inputs))
        model = keras.Model(inputs, layers.Dense(1)(hidden))
        model.compile(optimizers.SGD(1e-2), "mse")
        report = ww.probe(model, x, number, experiments=["gradient-check"])

    Refuting example:
        model = net(1)
        model.compile(optimizers.SGD(1e-2), "mse")
        report = ww.probe(model, x, number, experiments=["gradient-check"])
    """
    if any("16" in str(variable.dtype) for variable in lab.program.variables) or _computes_in_16_bits(lab):
        raise CannotRun("the model computes in 16 bits, which is too coarse for finite differences")
    batch = lab.batches[0]
    with lab.state.restored():
        lab.trials.spending.add_step()
        loss, gradients, variables = lab.program.gradients(batch)
    groups = _groups(lab, gradients, variables)
    slopes = {group.layer: along_gradient(lab, batch, loss, group.variables, group.gradients)
              for group in _at_even_distances(_with_gradient(groups))}  # fmt: skip
    causes = _about_missing_gradients(lab, loss, groups)
    if lab.program.loss_follows_predictions(batch) is False:  # gradients of a regularization may hide it
        ignored = f"the loss stays at {number(loss)} when the predictions are changed"
        causes = [TestedCause("loss-disconnected", "confirmed", ignored)]
    wrong, message = _comparison(lab, slopes, len(groups))
    return telling([*causes, TestedCause("wrong-gradient", wrong, message)], message)


def _computes_in_16_bits(lab: Lab) -> bool:
    return any("16" in str(getattr(layer, "compute_dtype", "")) for layer in layers_of(lab.program))


def _groups(lab: Lab, gradients: Sequence[Any], variables: Sequence[Any]) -> list[Group]:
    """Returns the variables by layer."""
    owners = layer_by_variable(layers_of(lab.program))
    groups: dict[str, Group] = {}
    for gradient, variable in zip(gradients, variables, strict=True):
        layer = getattr(owners.get(id(variable)), "name", None) or str(variable.name)
        group = groups.setdefault(layer, Group(layer, [], []))
        group.variables.append(variable)
        group.gradients.append(None if gradient is None else dense(gradient))
    return list(groups.values())


def _at_even_distances(groups: Sequence[Group]) -> list[Group]:
    """Returns at most `MOST_LAYERS` layers, the first and the last among them."""
    chosen = np.linspace(0, len(groups) - 1, min(MOST_LAYERS, len(groups))).round().astype(int)
    return [groups[i] for i in dict.fromkeys(chosen)]


def _with_gradient(groups: Sequence[Group]) -> list[Group]:
    """Returns the groups that have a gradient, without variables that have none."""
    result = []
    for group in groups:
        pairs = [(v, g) for v, g in zip(group.variables, group.gradients, strict=True) if g is not None]
        if not group.is_zero and all(np.isfinite(g).all() for _, g in pairs):
            result.append(Group(group.layer, [v for v, _ in pairs], [g for _, g in pairs]))
    return result


def _comparison(lab: Lab, slopes: dict[str, Slope], layers: int) -> tuple[Outcome, str]:
    """Returns what the slopes say of a wrong gradient, with the message."""
    ratios = {layer: slope.ratio for layer, slope in slopes.items() if np.isfinite(slope.ratio)}
    wrong = {layer: ratio for layer, ratio in ratios.items() if abs(ratio - 1) > _WRONG}
    if not ratios:
        return "open", "the slope of the loss is too small, or too rough, to be compared with the gradient"
    if not wrong:
        compared = "all layers" if len(ratios) == layers else f"{len(ratios)} of {layers} layers"
        # What could not be compared may be wrong.
        return "refuted" if len(ratios) == len(
            slopes
        ) else "open", f"gradient and finite differences agree at {compared}"
    worst = max(wrong, key=lambda layer: abs(np.log(abs(wrong[layer]) + 1e-6)))
    difference = (
        f"at {worst} the loss changes by {factor(wrong[worst], 2)} times what the gradient says "
        f"({len(wrong)} of {len(ratios)} layers disagree)"
    )
    if not _returns_the_differentiated_loss(lab):
        return "open", f"{difference}; or the step returns another loss than the one that it differentiates"
    spread = max(ratios.values()) - min(ratios.values())
    if len(wrong) == len(ratios) and spread < _WRONG * abs(wrong[worst]) and wrong[worst] > 0:
        return "open", f"{difference}: the gradient is scaled or clipped before it is used"
    return "confirmed", difference


def _returns_the_differentiated_loss(lab: Lab) -> bool:
    return lab.program.kind == "by hand" or (lab.program.kind == "fit" and not has_own_train_step(lab.program.model))


def _about_missing_gradients(lab: Lab, loss: float, groups: Sequence[Group]) -> list[TestedCause]:
    """Returns what is known of layers without gradient, and of a loss that depends on nothing."""
    without = [group for group in groups if group.is_zero]
    if not without:
        message = "every layer gets a gradient"
        return [TestedCause(name, "refuted", message) for name in ("no-gradient", "zero-gradient", "loss-disconnected")]
    causes = []
    if len(without) == len(groups):
        causes.append(_about_a_loss_without_slope(lab, loss, groups))
    else:
        causes.append(TestedCause("loss-disconnected", "refuted", "some layers get a gradient"))
    for name, chosen in (
        ("no-gradient", [group for group in without if group.is_cut]),
        ("zero-gradient", [group for group in without if not group.is_cut]),
    ):
        causes.append(_about_layers_without(lab, loss, name, chosen))
    return causes


def _about_a_loss_without_slope(lab: Lab, loss: float, groups: Sequence[Group]) -> TestedCause:
    """Returns whether the loss depends on the weights, where no layer has a gradient."""
    name, variables = "loss-disconnected", [variable for group in groups for variable in group.variables]
    slope = along_random(lab, lab.batches[0], loss, variables, _LARGE)
    if abs(slope.measured_finer) > 5 * slope.resolution:
        return TestedCause(name, "refuted", "the loss changes when the weights are changed")
    if lab.program.loss_follows_predictions(lab.batches[0]):
        return TestedCause(name, "refuted", "the loss changes when the predictions are changed")
    return TestedCause(name, "open", f"the loss stays at {number(loss)} when the weights are changed")


def _about_layers_without(lab: Lab, loss: float, name: str, groups: Sequence[Group]) -> TestedCause:
    """Returns whether the loss depends on layers that get no gradient ("no-gradient"), or one of 0."""
    kind = "no gradient" if name == "no-gradient" else "a gradient of 0"
    if not groups:
        return TestedCause(name, "refuted", f"no layer gets {kind}")
    for group in reversed(_at_even_distances(groups)):  # the one nearest to the loss is where the path is cut
        small = along_random(lab, lab.batches[0], loss, group.variables, _SMALL)
        large = along_random(lab, lab.batches[0], loss, group.variables, _LARGE)
        changes = abs(large.measured_finer) > 5 * large.resolution
        if small.is_seen or (name == "no-gradient" and changes):
            return TestedCause(name, "confirmed", f"the loss changes when {group.layer} is changed, which gets {kind}")
    names = ", ".join(group.layer for group in groups[:3])
    return TestedCause(
        name, "open", f"the loss does not change when {names} is changed by {100 * _SMALL:g} % of its size"
    )
