"""The leaky backward pass."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from ...verdict import TestedCause, factor, number
from ..activations import FULL_SLOPE, SLOPE, activation_name, replacement, shortcut_layers
from ..comparison import SLOW
from ..experiment import Lab, Result, experiment, telling
from ..program import CannotRun, layers_of
from ..slopes import dense
from ..state import replaced

_DEAD = ("relu", "relu6")
_SATURATING = ("sigmoid", "tanh", "softsign", "hard_sigmoid", "hard_tanh")
_RETURNED = 0.5  # share of a layer's units whose gradient returns
_VANISHED = 1e-3  # first over last gradient, as in the rule vanishing-gradient


class LayerGradient(NamedTuple):
    """The gradients of one kernel, as they are and with the leaky slope.

    Attributes:
        name: of the kernel.
        norm: norm of the gradient.
        leaky_norm: norm with the leaky slope.
        returned: share of the units (last axis) whose gradient is 0, and is not with the slope.
    """

    name: str
    norm: float
    leaky_norm: float
    returned: float


@experiment(
    name="leaky-activation",
    tests=("dead-relu", "saturated-activation", "vanishing-gradient"),
    steps=16,
    traces=3,
    compares_losses=False,
)
def leaky_activation(lab: Lab) -> Result:
    """Gives activations a slope of at least 0.1 in the backward pass and looks whether the gradient returns.

    What it does:
        It replaces the backward pass of relu, sigmoid, tanh and like activations by one whose slope is at least 0.1
        everywhere; the forward pass stays as it is. It compares the gradients of all kernels with and without it, over
        all batches. Then it does the same with a slope of at least 1 at sigmoid, tanh and like activations.

    What it confirms:
        Dead units, if the gradient is 0 for more than half of the units of a layer and returns with the slope.
        Saturation, if the gradient of a kernel is less than a tenth of what it is with the slope. A vanishing
        gradient, if the slopes below 1 make one kernel's gradient a thousand times smaller than another's.

    What it refutes:
        Dead units and saturation, if the slope makes no such difference.

    What it cannot tell:
        Why units died or are saturated, and whether a gradient vanishes because of small kernels. Activations that a
        call uses without keeping them as an attribute are not replaced.

    Confirming example:
        model = keras.Sequential([keras.Input((8,)), layers.Dense(16, "relu", bias_initializer="ones"),
                                  layers.Dense(16, "relu", bias_initializer=keras.initializers.Constant(-50)),
                                  layers.Dense(1)])
        model.compile("sgd", "mse")
        report = ww.probe(model, x, number, experiments=["leaky-activation"])

    Refuting example:
        model = net(1)
        model.compile("sgd", "mse")
        report = ww.probe(model, x, number, experiments=["leaky-activation"])
    """
    layers = [(layer, activation_name(layer)) for layer in layers_of(lab.program)]
    relu = [(layer, name) for layer, name in layers if name in _DEAD]
    every = [(layer, name) for layer, name in layers if name in _SATURATING]
    hidden = shortcut_layers(lab.program)
    saturating = [(layer, name) for layer, name in every if layer not in hidden]
    if not relu and not every:
        raise CannotRun("no layer has a relu, sigmoid or tanh that can be replaced")
    as_is = _kernel_gradients(lab)
    causes: list[TestedCause] = []
    if relu:
        rows = _with_slope(lab, relu, as_is)
        causes.append(_about_dead_units(rows))
    if saturating:
        rows = _with_slope(lab, saturating, as_is)
        causes.append(_about_saturation(rows))
        causes.append(_about_vanishing(_with_slope(lab, saturating, as_is, FULL_SLOPE)))
    elif every:
        message = "the slope of an output activation is unknown, since the loss may be computed from its input"
        causes.append(TestedCause("saturated-activation", "open", message))
    elif relu:
        causes.append(TestedCause("saturated-activation", "refuted", "no layer has an activation that saturates"))
    return telling(causes, causes[0].message)


class _Sizes(NamedTuple):
    """The size of a kernel's gradient over all batches: its squared norm, and the largest element of each unit."""

    squared_norm: float
    units: Any


def _kernel_gradients(lab: Lab) -> dict[str, _Sizes]:
    """Returns name of a kernel -> the size of its gradient; without those that have none."""
    sizes: dict[str, _Sizes] = {}
    for batch in lab.batches:
        with lab.state.restored():
            lab.trials.spending.add_step()
            step = lab.program.gradients(batch)
        for gradient, variable in zip(step.gradients, step.variables, strict=True):
            if gradient is not None and len(variable.shape) > 1:
                name, array = getattr(variable, "path", variable.name), dense(gradient)
                units = np.abs(array).reshape(-1, array.shape[-1]).max(axis=0)
                earlier = sizes.get(name, _Sizes(0.0, np.zeros_like(units)))
                squared = float(np.sum(np.square(array, dtype=np.float64)))
                sizes[name] = _Sizes(earlier.squared_norm + squared, np.maximum(earlier.units, units))
    return sizes


def _with_slope(
    lab: Lab, layers: list[tuple[Any, str]], as_is: dict[str, _Sizes], slope: float = SLOPE
) -> list[LayerGradient]:
    """Returns the gradients with the slope at these layers, beside those without it."""
    program = lab.program
    with ExitStack() as stack:
        stack.callback(program.forget_traces)
        program.forget_traces()
        stack.enter_context(replaced([replacement(layer, slope) for layer, _ in layers]))
        leaky = _kernel_gradients(lab)
    rows = []
    for name, now in as_is.items():
        if name in leaky:
            returned = float(np.mean((now.units == 0) & (leaky[name].units > 0)))
            norms = float(np.sqrt(now.squared_norm)), float(np.sqrt(leaky[name].squared_norm))
            rows.append(LayerGradient(name, *norms, returned))
    return rows


def _about_dead_units(rows: list[LayerGradient]) -> TestedCause:
    worst = max(rows, key=lambda row: row.returned, default=None)
    if worst is None:
        return TestedCause("dead-relu", "open", "no kernel has a gradient")
    share = number(100 * worst.returned, 2)
    message = f"with a slope of {SLOPE} backwards the gradient returns at {share} % of the units of {worst.name}"
    if worst.returned > _RETURNED:
        return TestedCause("dead-relu", "confirmed", message)
    return TestedCause("dead-relu", "refuted" if worst.returned < 0.1 else "open", message)


def _about_saturation(rows: list[LayerGradient]) -> TestedCause:
    name = "saturated-activation"
    shares = {row.name: row.norm / row.leaky_norm for row in rows if row.leaky_norm > 0}
    if not shares:
        return TestedCause(name, "open", "no kernel has a gradient")
    weakest = min(shares, key=lambda kernel: shares[kernel])
    share = shares[weakest]
    times = f"is {factor(1 / share, 2)} times as large" if share else "returns, which is 0 now"
    message = f"with a slope of at least {SLOPE} in the backward pass the gradient of {weakest} {times}"
    if share < SLOW:
        return TestedCause(name, "confirmed", message)
    return TestedCause(name, "refuted" if share > 0.3 else "open", message)


def _about_vanishing(rows: list[LayerGradient]) -> TestedCause:
    """Returns whether slopes below 1 shrink one kernel's gradient far more than another's."""
    name = "vanishing-gradient"
    shares = {row.name: row.norm / row.leaky_norm for row in rows if row.norm > 0 and row.leaky_norm > 0}
    if len(shares) < 2:
        return TestedCause(name, "open", "fewer than two kernels have a gradient")
    first, last = min(shares, key=lambda kernel: shares[kernel]), max(shares, key=lambda kernel: shares[kernel])
    shrinks = shares[last] / shares[first]
    message = (
        f"the slopes of the activations make the gradient of {first} {factor(shrinks, 2)} times smaller, beside "
        f"that of {last}"
    )
    return TestedCause(name, "confirmed" if shrinks * _VANISHED > 1 else "open", message)
