"""403 vanishing-gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..verdict import number
from ._causal import causal
from ._depth import ladder
from ._layers import activation, layers, squashing
from ._loss import trend
from ._optimizer import config, normalised
from ._past import Past
from ._rule import Finding, Lacks, Telling, rule
from ._signals import Bool, lone, running_mean, variables
from ._words import evidence


@rule(
    code=403,
    name="vanishing-gradient",
    link="gradient",
    needs=("gradient_norm", "weight_norm"),
    explains=("constant-output", "learning-rate-too-small", "update-below-precision", "no-learning-signal"),
)
def vanishing_gradient(
    history: History, *, fall: float = 1e-3, layers_least: int = 4, rows: int = 16
) -> Finding | Lacks | None:
    """Gradients that shrink from layer to layer towards the input, until the first layers hardly learn.

    What it sees:
        In a network of several layers, gradients (against their weights) that fall by a constant factor or more per
        layer from the output back, to a thousandth and less at the input, while the loss stays where it was.

    Why it matters:
        Each layer multiplies the gradient by its slope and its weights. A sigmoid's slope is 0.25 at most: after ten of
        them a millionth is left. The last layers fit what passes through layers that never learned.

    When it is a false alarm:
        A network whose loss falls has no problem with it, however small its first gradients are: then it is silent. So
        it is with gradients that are exactly zero, which have other causes.

    What to try:
        ReLU with He initialisation, residual connections, BatchNormalization or LayerNormalization between layers.

    Sick example:
        stack = [layers.Dense(16, "sigmoid") for _ in range(12)]
        model = keras.Sequential([keras.Input((8,)), *stack, layers.Dense(3, "softmax")])
        watch = fit(model, x, kind, "sparse_categorical_crossentropy", optimizers.SGD(0.1))

    Healthy example:
        stack = [layers.Dense(16, "relu", kernel_initializer="he_normal") for _ in range(6)]
        model = keras.Sequential([keras.Input((8,)), *stack, layers.Dense(3, "softmax")])
        watch = fit(model, x, kind, "sparse_categorical_crossentropy", optimizers.SGD(0.1))

    References:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010)

    Args:
        history: what was recorded.
        fall: ratio of the first to the last layer's relative gradient below which it counts.
        layers_least: how many matrices in a row there must be.
        rows: recorded steps before it is reported.
    """
    steps = ladder(history)
    if len(steps.places) < layers_least or not len(history):
        return None
    pull, norm = steps.pull, lone(history, "gradient_norm", steps.places[0])
    ratio = pull[:, 0] / pull[:, -1]
    geometric = _falls(history)
    seen = trend(history)
    stuck = seen.known & seen.stuck(0.95) & ~seen.low() & (seen.rows >= rows)
    alive = (pull[:, 0] > 0) & (norm > 0)
    firing = (ratio < fall) & geometric & stuck & alive & _slight(history)
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> Telling:
        first, last = variables(history)[steps.places[0]], variables(history)[steps.places[-1]]
        factor = float(ratio[row] ** (1 / (len(steps.places) - 1)))
        kinds = sorted({activation(x) for x, s in zip(layers(history), squashing(history), strict=True) if s})
        why = f" ({' and '.join(kinds)} layers)" if kinds else ""
        count = int(np.searchsorted(pull[row], 0.1 * pull[row, -1])) or 1
        concerned = steps.places[: max(1, min(count, len(steps.places) - 1))]
        return Telling(
            message=f"The gradient vanishes towards the input: from '{last.name}' to '{first.name}' it falls to "
            f"{number(float(ratio[row]))} of its size against the weights, a factor of {number(factor, 2)} per layer "
            f"over {len(steps.places)} layers{why}, and the loss does not fall ({seen.words(row)})",
            fix="Use layers that pass the gradient on:\n"
            "    keras.layers.Dense(units, activation='relu', kernel_initializer='he_normal')\n"
            "    x = keras.layers.Add()([x, block(x)])   # residual connections, and\n"
            "    keras.layers.BatchNormalization()   # or LayerNormalization between layers",
            evidence=(
                evidence("first over last gradient", ratio[row], "each against its weights", quantity="gradient_norm"),
                evidence("factor per layer", factor, f"over {len(steps.places)} layers", quantity="gradient_norm"),
            ),
            severity="error",
            certainty="likely",
            variables=tuple(variables(history)[i].name for i in concerned),
        )

    return Finding(np.asarray(firing), tell)


@causal
def _falls(rows: History, past: Past) -> Bool:
    """Returns `[T]` whether the fall towards the input is spread over the layers and not one single drop."""
    pull = ladder(rows).pull
    logs = np.log10(np.where(pull > 0, pull, np.nan))
    drops = np.diff(logs, axis=1)
    whole = logs[:, -1] - logs[:, 0]
    shrinking = np.nanmean(drops > 0.1, axis=1) if drops.shape[1] else np.zeros(len(pull))
    return np.asarray((shrinking >= 0.6) & (np.fmax.reduce(drops, axis=1) < 0.8 * whole))


def _slight(history: History) -> Bool:
    """Returns `[T]` whether the first matrix hardly moves, or moves by gradients too small to hold a direction."""
    place = ladder(history).places[0]
    if not history.has("update_norm"):
        return np.ones(len(history), bool)
    update, weight, norm = (lone(history, n, place) for n in ("update_norm", "weight_norm", "gradient_norm"))
    slow = running_mean(update / weight) < 1e-4
    if not normalised(history):
        return np.asarray(slow)
    # Adam makes steps of usual size from the smallest gradient; they follow noise once epsilon is near.
    element = running_mean(norm) / np.sqrt(max(1, variables(history)[place].size))
    return np.asarray(slow | (element < 10 * config(history, "epsilon", 1e-7)) | (ladder(history).pull[:, 0] < 1e-4))
