"""201 dead-relu."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...fixes import layer_code
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...statements import Onset, Streak, onset, streak
from ...wording import not_recorded, number, quote_list


@rule(
    code=201,
    name="dead-relu",
    link="activations",
    explains=("constant-output", "zero-gradient", "vanishing-gradient", "no-learning-signal"),
)
def dead_relu(history: History, *, share: float = 0.5, rows: int = 20) -> Finding[Any] | CannotTell | None:
    """ReLU units that are zero for every sample and so never learn again.

    What it sees:
        A ReLU layer all of whose units are zero for every sample of several recorded batches, or one with more than
        half of its units zero in every batch so far, while the loss does not decrease. Where layer outputs were not
        recorded: a layer after a ReLU whose kernel has a gradient of exactly zero while its bias has a non-zero one.

    Why it matters:
        The derivative of a ReLU is exactly 0 for negative inputs. A unit that is zero for every sample gets no
        gradient, so its weights never change again. A layer that is dead as a whole cuts off all layers before it.

    When it is a false alarm:
        Many zeros are healthy (60 to 80 % of the outputs), and so are some dead units in a network whose loss
        decreases; neither is reported. A layer after a gate that starts at zero wakes up within a few steps.

    What to try:
        Lower the learning rate (units usually die in one update that is too large), scale the inputs, start from He
        initialisation and a bias of 0, or use LeakyReLU or GELU.

    Sick example:
        model = net(1, bias_initializer=keras.initializers.Constant(-20.0))
        watch = fit(model, x, number, "mse")

    Healthy example:
        watch = fit(net(1), x, number, "mse")

    References:
        Lu et al., Dying ReLU and Initialization, https://arxiv.org/abs/1903.06733

    Args:
        history: what was recorded.
        share: share of dead units of a layer above which it counts, if the loss does not decrease.
        rows: recorded steps before a partly dead layer is judged.
    """
    if not signals.is_recorded(history, "dead_share"):
        firing = np.asarray(signals.dead_relu_by_gradient(history).any(axis=1))
        if not firing.any():
            return not_recorded(history, "dead_share")
        return Finding(firing, partial(measure_gradient, history), gradient_text, gradient_evidence, gradient_claims)
    if not signals.relu_layers(history).any():
        return None
    entirely, partly = signals.any_dead(history, share)
    starved = signals.starved_layers(history)
    if starved.any():  # what is before them is at fault
        entirely = (signals.dead_layers(history) & ~starved).any(axis=1)
        partly = partly & entirely
    judged = _judged(history, rows)
    firing = np.asarray(entirely | partly & judged)
    if not firing.any():
        return None
    return Finding(firing, partial(measure, history, share=share), text, evidence)


class Repair(NamedTuple):
    """What to change: the learning rate, from `current` (NaN if it is not known) to `lower`, and the dead `layer`."""

    current: float
    lower: float
    code: str
    layer: str = "keras.layers.Dense(units, activation='leaky_relu', kernel_initializer='he_normal')"


class Details(NamedTuple):
    """What the verdict states where layer outputs were recorded.

    Attributes:
        layers: names of the dead layers; of the partly dead ones, if none is dead as a whole.
        entirely: whether they are dead as a whole.
        since: when the last of them died, or the recorded batches for which the partly dead ones have been so.
        zero_shares: share of each layer's units that are zero for a whole batch.
        dead_share: the least share of units that were zero for every sample, over these layers and the last batches.
        loss: the course of the loss.
        improving: whether the loss decreases all the same.
        repair: the learning rate to use.
        variables: names of the variables of these layers.
    """

    layers: tuple[str, ...]
    entirely: bool
    since: Onset | Streak
    zero_shares: tuple[float, ...]
    dead_share: float
    loss: signals.LossCourse
    improving: bool
    repair: Repair
    variables: tuple[str, ...]


def measure(history: History, row: int, _: NDArray[np.intp], *, share: float) -> Details:
    """Returns the numbers and names of one row."""
    dead, units = signals.dead_layers(history), signals.dead_units(history)
    entirely = bool(dead[row].any())
    positions = np.flatnonzero(dead[row] if entirely else units[row] > share)
    layers = tuple(signals.recorded_layers(history)[i].name for i in positions)
    zero = history.column("dead_share")[: row + 1, positions]
    recent = zero[-signals.DEAD_ROWS :]
    dead_share = float(np.nanmin(recent)) if np.isfinite(recent).any() else 0.0
    return Details(
        layers=layers,
        entirely=entirely,
        since=_death(history, row, layers, zero)
        if entirely
        else streak(history, row, len(recent), Claim("at least", "dead_share", dead_share, variables=layers)),
        zero_shares=tuple(float(value) for value in zero[row]),
        dead_share=dead_share,
        loss=signals.loss_course(history, row),
        improving=_improving(history, row),
        repair=_repair(history, row, layers[0]),
        variables=tuple(signals.variables(history)[i].name for i in signals.variables_of_layers(history, positions)),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    layers = quote_list(details.layers)
    several = len(details.layers) > 1
    message = (
        f"ReLU units are dead: {'at least ' * several}{number(100 * details.dead_share, 2)} % of those of "
        f"{'layers' if several else 'layer'} {layers} were zero for every sample in each of the last {details.since}, "
        f"and {details.loss.standstill}"
    )
    if isinstance(details.since, Onset):
        message = (
            f"The ReLU {'layers are' if several else 'layer is'} dead: every unit of {layers} has been zero for every "
            f"recorded sample {details.since.since}, so no gradient passes to the weights before "
            f"{'them' if several else 'it'}"
        )
    return VerdictText(
        message=message,
        fix=_fix(details.repair),
        severity="warning" if details.improving else "error",
        certainty="certain" if details.entirely else "likely",
        variables=details.variables,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return tuple(
        Evidence(f"dead units of {layer}", share, "share zero for a whole batch", quantity="dead_share")
        for layer, share in list(zip(details.layers, details.zero_shares, strict=True))[:3]
    )


def _death(history: History, row: int, layers: tuple[str, ...], zero: signals.Float) -> Onset:
    """Returns since when all units of these layers have been zero in each recorded batch."""
    begun, last = onset(history, (zero == 1).all(axis=1), row), int(history.steps[row])
    dead = Claim("is", "dead_share", 1.0, begun.step, last, layers, recorded_only=True)
    return begun._replace(became=(dead,))


class GradientDetails(NamedTuple):
    """What the verdict states where layer outputs were not recorded.

    Attributes:
        relus: names of the dead layers.
        quantity: what was recorded of the next layer's variables, "gradient" or "update".
        kernel, bias: names of the kernel and the bias of the layer after the last one of them.
        improving: whether the loss decreases all the same.
        repair: the learning rate to use.
        variables: names of the variables of the dead layers.
        step: the step of this row.
    """

    relus: tuple[str, ...]
    quantity: str
    kernel: str
    bias: str
    improving: bool
    repair: Repair
    variables: tuple[str, ...]
    step: int = 0


def measure_gradient(history: History, row: int, _: NDArray[np.intp]) -> GradientDetails:
    """Returns the names of one row, where layer outputs were not recorded."""
    dead = signals.dead_relu_by_gradient(history)[row]
    pairs = [pair for pair, is_dead in zip(signals.relu_pairs(history), dead, strict=True) if is_dead]
    variables = signals.variables(history)
    return GradientDetails(
        relus=tuple(pair.relu for pair in pairs),
        step=int(history.steps[row]),
        quantity="gradient" if signals.is_recorded(history, "gradient_norm") else "update",
        kernel=variables[pairs[-1].kernel].name,
        bias=variables[pairs[-1].bias].name,
        improving=_improving(history, row),
        repair=_repair(history, row, pairs[0].relu),
        variables=tuple(variables[i].name for pair in pairs for i in pair.own),
    )


def gradient_text(details: GradientDetails) -> VerdictText:
    """Words the verdict where layer outputs were not recorded."""
    several = len(details.relus) > 1
    return VerdictText(
        message=f"The ReLU {'layers are' if several else 'layer is'} dead: {quote_list(details.relus)} "
        f"{'output' if several else 'outputs'} only zeros, since in the next layer the {details.quantity} of "
        f"'{details.kernel}' is exactly zero while that of '{details.bias}' is not, so the weights before "
        f"{'them' if several else 'it'} cannot change",
        fix=_fix(details.repair),
        severity="warning" if details.improving else "error",
        certainty="certain",
        variables=details.variables,
    )


def gradient_evidence(details: GradientDetails) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on, where layer outputs were not recorded."""
    name, quantity = f"{details.quantity} of the next layer's kernel", f"{details.quantity}_norm"
    return (Evidence(name, 0.0, "exactly", quantity=quantity),)


def gradient_claims(details: GradientDetails) -> tuple[Claim, ...]:
    """Returns what the message states of the next layer's variables."""
    quantity, step = f"{details.quantity}_norm", details.step
    return (
        Claim("is", quantity, 0, step, step, (details.kernel,)),
        Claim("above", quantity, 0, step, step, (details.bias,)),
    )


def _fix(repair: Repair) -> str:
    current = f" from {signals.literal(repair.current)}" if repair.current > 0 else ""
    return (
        "Start the training again with an activation that can recover, and lower the learning rate"
        f"{current} to {signals.literal(repair.lower)}:\n"
        f"    {repair.layer}\n"
        f"{repair.code}"
    )


def _repair(history: History, row: int, layer: str) -> Repair:
    """Returns a tenth of the learning rate, and the layer with an activation that can recover."""
    rate = float(signals.run_column(history, "learning_rate")[row])
    lower = signals.round_learning_rate(rate / 10) if rate > 0 else 1e-4
    options = "activation='leaky_relu', kernel_initializer='he_normal'"
    code = f"{layer_code(history, layer, options)}   # '{layer}'"
    return Repair(rate, lower, signals.set_learning_rate_code(history, lower), code)


def _improving(history: History, row: int) -> bool:
    """Whether the loss decreases and is clearly below that of a constant prediction."""
    trend = signals.loss_trend(history)
    return bool((trend.decreased & ~trend.near_constant_loss(0.8) & trend.enough_rows)[row])


def _judged(history: History, rows: int) -> signals.Bool:
    """Returns `[T]` whether enough rows were recorded and the loss does not decrease."""
    trend = signals.loss_trend(history)
    return np.asarray((np.arange(len(history)) >= rows - 1) & trend.enough_rows & trend.not_improving(0.95))
