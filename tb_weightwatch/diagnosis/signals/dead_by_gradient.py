"""Dead ReLU layers, deduced from the gradients of the next layer, where layer outputs are not recorded.

Inside tf.function no output can be read. The gradient of a kernel is the layer's input times the gradient of the
layer's output; the gradient of its bias is the gradient of the output alone. So if a kernel's gradient is exactly zero
while its bias has a non-zero one, the layer before it outputs only zeros.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, trainable, variables
from .incremental import incremental
from .layer_outputs import RELUS
from .memo import from_records
from .model_structure import PLAIN, TRANSPARENT, layer_of, model_layers
from .scans import Bool


class ReluAndNext(NamedTuple):
    """A ReLU layer and the layer that follows it.

    Attributes:
        relu: name of the ReLU layer.
        own: positions of its trainable variables.
        kernel: position of the next layer's kernel.
        bias: position of the next layer's bias.
    """

    relu: str
    own: tuple[int, ...]
    kernel: int
    bias: int


@from_records
def relu_pairs(history: History) -> tuple[ReluAndNext, ...]:
    """Returns each ReLU layer that is followed by a layer with kernel and bias, as far as the model is a chain."""
    pairs: list[ReluAndNext] = []
    previous, followed_by_relu = "", False  # the last layer with weights, and whether a ReLU follows it
    previous_variables: tuple[int, ...] = ()
    for layer in model_layers(history):
        name, kind = str(layer.get("name") or ""), str(layer.get("class") or "")
        is_relu = str(layer.get("activation")) in RELUS
        if kind == "ReLU" or (kind == "Activation" and is_relu):
            followed_by_relu = True
        elif kind in PLAIN:
            own = tuple(int(i) for i in np.flatnonzero(layer_of(history, name) & trainable(history)))
            kernels = [i for i in own if len(variables(history)[i].shape) > 1]
            biases = [i for i in own if len(variables(history)[i].shape) == 1]
            if followed_by_relu and previous_variables and len(kernels) == 1 and len(biases) == 1:
                pairs.append(ReluAndNext(relu=previous, own=previous_variables, kernel=kernels[0], bias=biases[0]))
            previous, previous_variables, followed_by_relu = name, own, is_relu
        elif kind not in TRANSPARENT or layer.get("weights"):
            previous_variables, followed_by_relu = (), False
    return tuple(pairs)


@incremental
def dead_relu_by_gradient(span: History, carry: Carry) -> Bool:
    """Returns `[T, P]`, for each of `relu_pairs`, whether its ReLU layer has been dead for five recorded rows."""
    gradient = column(span, "gradient_norm")
    norm = column(span, "update_norm") if gradient is None else gradient
    dead = np.zeros((len(span), len(relu_pairs(span))), bool)
    if norm is None:
        return dead
    for i, pair in enumerate(relu_pairs(span)):
        # A dead layer has a gradient of zero itself; one that is only left out of training need not.
        zero = np.logical_and.reduce(norm[:, [*pair.own, pair.kernel]] == 0, axis=1)
        dead[:, i] = zero & (norm[:, pair.bias] > 0)
    return carry.streak(dead) >= 5
