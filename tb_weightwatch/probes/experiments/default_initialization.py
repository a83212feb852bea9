"""The default initial weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from ...capture.observe import total_iterations
from ...verdict import number
from ..experiment import Lab, Result, experiment, telling
from ..paired_trials import PairedTrials, Side, compared_by_loss
from ..program import CannotRun, layers_of
from ..state import tensor_variable

_KERNELS = {"kernel": "glorot_uniform", "recurrent_kernel": "orthogonal", "depthwise_kernel": "glorot_uniform",
            "pointwise_kernel": "glorot_uniform"}  # fmt: skip


@experiment(name="default-initialization", tests=("poor-initialization",), steps=60, traces=1)
def default_initialization(lab: Lab) -> Result:
    """Trains from the initial weights that Keras uses by default, instead of the model's own.

    What it does:
        It trains a few steps from new initial weights of the model's own initializers, and from the same where each
        kernel is drawn by Keras' default for its kind (Glorot uniform, orthogonal for recurrent kernels) and each bias
        is 0; three times as long if that does not tell. It compares the losses of both.

    What it confirms:
        Initial weights that keep the model from learning, if the loss falls with the default ones, and with its own
        ones stays above where the default ones begin, or stands still.

    What it refutes:
        The same, if the model learns from its own initial weights as well.

    What it cannot tell:
        Anything of a model that was trained and cannot be made anew, as one with loaded or frozen weights.

    Confirming example:
        tiny = keras.initializers.RandomNormal(stddev=1e-6)
        model = keras.Sequential([keras.Input((8,)), layers.Dense(16, "relu", kernel_initializer=tiny),
                                  layers.Dense(16, "relu", kernel_initializer=tiny),
                                  layers.Dense(1, kernel_initializer=tiny)])
        model.compile(optimizers.SGD(1e-2), "mse")
        report = ww.probe(model, x, x[:, :1], experiments=["default-initialization"])

    Refuting example:
        model = net(1)
        model.compile(optimizers.SGD(1e-2), "mse")
        report = ww.probe(model, x, number, experiments=["default-initialization"])
    """
    own, assignments = lab.new_weights, _default_weights(lab)
    if own is None and total_iterations(lab.program.optimizers):
        raise CannotRun("the model has been trained, and cannot be initialized anew")
    if not assignments:
        raise CannotRun("no layer has a kernel that is trained")

    def start() -> None:
        if own is not None:
            own()
        for variable, value in assignments:
            variable.assign(value)

    trials = PairedTrials(lab, Side(lab.batches, own))
    change = f"default initial weights in {number(len(assignments))} variables"
    cause = trials.outcome(compared_by_loss, "poor-initialization", Side(lab.batches, start), change)
    return telling([cause], cause.message)


def _default_weights(lab: Lab) -> list[tuple[Any, Any]]:
    """Returns variables of the layers with kernels, and their values by default."""
    initializers: list[tuple[Any, Callable[..., Any]]] = []
    for number_of_layer, layer in enumerate(layers_of(lab.program)):
        kernels = {name: getattr(layer, name, None) for name in _KERNELS}
        for name, kernel in kernels.items():
            if getattr(kernel, "trainable", False):
                new = {"class_name": _KERNELS[name], "config": {"seed": number_of_layer}}
                initializers.append((kernel, keras.initializers.get(new)))
        bias = getattr(layer, "bias", None)
        if any(kernel is not None for kernel in kernels.values()) and getattr(bias, "trainable", False):
            initializers.append((bias, keras.initializers.Zeros()))
    return [(tensor_variable(v), initialize(v.shape, dtype=v.dtype)) for v, initialize in initializers]
