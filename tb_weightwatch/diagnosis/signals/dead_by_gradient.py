"""A dead layer told by its neighbours, where no layer output was seen (a step inside tf.function).

The gradient of a kernel is the layer's input times what comes back; that of its bias is what comes back alone. A kernel
with a gradient of exactly zero beside a bias that has one therefore gets nothing but zeros from the layer before it.
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
    """A ReLU layer and what follows it. `own`: places of its variables; `kernel`, `bias`: the next one's."""

    relu: str
    own: tuple[int, ...]
    kernel: int
    bias: int


@from_records
def relu_pairs(history: History) -> tuple[ReluAndNext, ...]:
    """Returns each ReLU layer that is followed by a layer with kernel and bias, as far as the model is a chain."""
    found: list[ReluAndNext] = []
    mine: tuple[int, ...] = ()
    before, relu = "", False  # the last layer with weights (`mine` are its variables), and whether a ReLU follows it
    for layer in model_layers(history):
        name, kind = str(layer.get("name") or ""), str(layer.get("class") or "")
        if kind == "ReLU" or (kind == "Activation" and str(layer.get("activation")) in RELUS):
            relu = True
        elif kind in PLAIN:
            own = tuple(int(i) for i in np.flatnonzero(layer_of(history, name) & trainable(history)))
            kernel = [i for i in own if len(variables(history)[i].shape) > 1]
            bias = [i for i in own if len(variables(history)[i].shape) == 1]
            if relu and mine and len(kernel) == 1 and len(bias) == 1:
                found.append(ReluAndNext(before, mine, kernel[0], bias[0]))
            before, relu, mine = name, str(layer.get("activation")) in RELUS, own
        elif kind not in TRANSPARENT or layer.get("weights"):
            relu, mine = False, ()
    return tuple(found)


@incremental
def dead_relu_by_gradient(rows: History, carry: Carry) -> Bool:
    """Returns `[T, P]` where, each of `relu_pairs` has shown its ReLU layer to be dead for five recorded steps."""
    seen = column(rows, "gradient_norm")
    moved = column(rows, "update_norm") if seen is None else seen
    if moved is None:
        return np.zeros((len(rows), len(relu_pairs(rows))), bool)
    held = np.zeros((len(rows), len(relu_pairs(rows))), bool)
    for place, pair in enumerate(relu_pairs(rows)):
        # A layer that is dead has a gradient of zero itself; one that is merely left out of training need not.
        still = (moved[:, [*pair.own, pair.kernel]] == 0).all(axis=1)
        held[:, place] = still & (moved[:, pair.bias] > 0)
    return np.asarray(carry.streak(held) >= 5)
