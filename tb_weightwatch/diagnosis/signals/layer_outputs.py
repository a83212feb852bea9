"""What layer outputs tell: dead units, saturation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...history import History, Layer
from .carry import Carry
from .columns import column, run_column
from .incremental import incremental
from .memo import from_records
from .model_structure import layer_of, trainable_kernels
from .scans import Bool, Float

RELUS = ("relu", "relu6", "relu_6")
SQUASHING = ("sigmoid", "tanh", "hard_sigmoid", "softsign", "hard_tanh")


@from_records
def recorded_layers(history: History) -> tuple[Layer, ...]:
    """Returns the layer uses whose output is read."""
    return history.layers


def layer_activation(layer: Layer) -> str:
    """Returns a layer's activation in small letters, taken from its class where it is an activation layer."""
    own = layer.activation.lower()
    return own or {"ReLU": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh"}.get(layer.kind, "")


@from_records
def relu_layers(history: History) -> Bool:
    """Returns `[L]` which layers are ReLUs (leaky ones are not: theirs never die)."""
    return np.array([layer_activation(layer) in RELUS for layer in recorded_layers(history)], bool)


@from_records
def squashing_layers(history: History) -> Bool:
    """Returns `[L]` which layers squash their output (recurrent ones do not show theirs)."""
    recurrent = ("LSTM", "GRU", "SimpleRNN", "Bidirectional", "MultiHeadAttention")
    return np.array(
        [layer_activation(x) in SQUASHING and x.kind not in recurrent for x in recorded_layers(history)], bool
    )


@incremental
def saturated_layers(rows: History, carry: Carry, share: float = 0.9) -> Bool:
    """Returns `[T, L]` whether nearly all of a squashing layer's outputs are flat, or were and most still are."""
    now = column(rows, "saturated_share")
    if now is None:
        return np.zeros((len(rows), 0), bool)
    lately = carry.trailing_mean(now, 5)
    return np.asarray((lately > 0.6 * share) & carry.ever(lately > share) & squashing_layers(rows))


@incremental
def any_saturated(rows: History, carry: Carry) -> Bool:
    """Returns `[T]` whether any layer is `saturated_layers`."""
    return np.asarray(saturated_layers(rows).any(axis=1))


@incremental
def dead_layers(rows: History, carry: Carry) -> Bool:
    """Returns `[T, L]` where all units of a ReLU layer have been zero for every sample of three recorded batches."""
    dead = column(rows, "dead_share")
    if dead is None:
        return np.zeros((len(rows), 0), bool)
    return np.asarray((carry.streak(dead == 1) >= 3) & relu_layers(rows))


@incremental
def dead_units(rows: History, carry: Carry) -> Float:
    """Returns `[T, L]` the share of units dead in all batches, or lately in large ones; NaN where no ReLU."""
    always, now = column(rows, "always_dead_share"), column(rows, "dead_share")
    if now is None and always is None:
        return np.full((len(rows), 0), np.nan)
    whole = (
        np.zeros((len(rows), len(recorded_layers(rows))))
        if always is None
        else np.where(np.isfinite(always), always, 0.0)
    )
    # So few samples say nothing of a unit: wait until 200 have been seen.
    batch = run_column(rows, "batch_size")
    size = np.where(np.isfinite(batch), batch, 16)
    whole[carry.total(size) < 200] = 0
    if now is not None:
        # The least over eight rows: a unit that wakes up now and then is not dead.
        longer = carry.window(np.where(size[:, None] >= 32, np.where(np.isfinite(now), now, 0), 0), 7)
        lately = longer[len(longer) - len(rows) :].copy()
        for shift in range(1, 8):
            before = longer[max(0, len(longer) - len(rows) - shift) : max(0, len(longer) - shift)]
            late = len(lately) - len(before)
            lately[late:] = np.minimum(lately[late:], before)
        lately[: max(0, 7 - carry.start)] = 0
        whole = np.fmax(whole, lately)
    return np.where(relu_layers(rows), whole, np.nan)


@incremental
def any_dead(rows: History, carry: Carry, share: float = 0.5) -> tuple[Bool, Bool]:
    """Returns `[T]` whether a ReLU layer is dead as a whole, and whether more than `share` of the units of one are."""
    return np.asarray(dead_layers(rows).any(axis=1)), np.asarray((dead_units(rows) > share).any(axis=1))


def mostly_dead(history: History, share: float = 0.5) -> Bool:
    """Returns `[T]` whether a ReLU layer is dead, wholly or for the most part."""
    if not dead_layers(history).shape[1]:
        return np.zeros(len(history), bool)
    whole, partly = any_dead(history, share)
    return np.asarray(whole | partly)


def variables_of_layers(history: History, which: NDArray[np.intp]) -> NDArray[np.intp]:
    """Returns the places of the variables that belong to these layers."""
    found = np.zeros(len(trainable_kernels(history)), bool)
    for place in which:
        found |= layer_of(history, recorded_layers(history)[place].name)
    return np.flatnonzero(found)
