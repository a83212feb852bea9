"""Dead units and saturation, from layer outputs."""

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
RECURRENT = ("LSTM", "GRU", "SimpleRNN", "Bidirectional", "MultiHeadAttention")
LARGE_BATCH = 32  # samples
LEAST_SAMPLES = 200  # before a unit can be called dead
DEAD_ROWS = 8  # rows in all of which a unit must be dead


@from_records
def recorded_layers(history: History) -> tuple[Layer, ...]:
    """Returns the layer uses whose output is recorded."""
    return history.layers


def layer_activation(layer: Layer) -> str:
    """Returns a layer's activation in lower case, taken from its class if it is an activation layer."""
    activation = layer.activation.lower()
    return activation or {"ReLU": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh"}.get(layer.kind, "")


@from_records
def relu_layers(history: History) -> Bool:
    """Returns `[L]` which layers are ReLUs; leaky ones are not, since their units cannot die."""
    return np.array([layer_activation(layer) in RELUS for layer in recorded_layers(history)], bool)


@from_records
def squashing_layers(history: History) -> Bool:
    """Returns `[L]` which layers squash their output; recurrent ones do not expose theirs."""
    return np.array(
        [layer_activation(layer) in SQUASHING and layer.kind not in RECURRENT for layer in recorded_layers(history)],
        bool,
    )


@incremental
def saturated_layers(span: History, carry: Carry, share: float = 0.9) -> Bool:
    """Returns `[T, L]` whether nearly all outputs of a squashing layer are saturated, or were and most still are."""
    saturated = column(span, "saturated_share")
    if saturated is None:
        return np.zeros((len(span), 0), bool)
    recent = carry.trailing_mean(saturated, 5)
    return (recent > 0.6 * share) & carry.ever(recent > share) & squashing_layers(span)


@incremental
def any_saturated(span: History, carry: Carry) -> Bool:
    """Returns `[T]` whether any layer is one of `saturated_layers`."""
    return np.logical_or.reduce(saturated_layers(span), axis=1)


@incremental
def dead_layers(span: History, carry: Carry) -> Bool:
    """Returns `[T, L]` where all units of a ReLU layer were zero in three recorded batches in a row."""
    dead = column(span, "dead_share")
    if dead is None:
        return np.zeros((len(span), 0), bool)
    return (carry.streak(dead == 1) >= 3) & relu_layers(span)


@incremental
def dead_units(span: History, carry: Carry) -> Float:
    """Returns `[T, L]` the share of a layer's units that are dead; NaN where the layer is no ReLU.

    Dead are units that were zero in all batches, or in the last large ones.
    """
    always_dead, dead = column(span, "always_dead_share"), column(span, "dead_share")
    if dead is None and always_dead is None:
        return np.full((len(span), 0), np.nan)
    if always_dead is None:
        share = np.zeros((len(span), len(recorded_layers(span))))
    else:
        share = np.where(np.isfinite(always_dead), always_dead, 0.0)
    batch_size = run_column(span, "batch_size")
    batch_size = np.where(np.isfinite(batch_size), batch_size, 16)
    share[carry.total(batch_size) < LEAST_SAMPLES] = 0  # fewer samples prove nothing about a unit
    if dead is not None:
        share = np.fmax(share, _dead_recently(carry, dead, batch_size))
    return np.where(relu_layers(span), share, np.nan)


def _dead_recently(carry: Carry, dead: Float, batch_size: Float) -> Float:
    """Returns `[T, L]` the least share of dead units over the last rows: a unit that wakes up at times is not dead."""
    dead_in_large = np.where(batch_size[:, None] >= LARGE_BATCH, np.where(np.isfinite(dead), dead, 0), 0)
    extended = carry.window(dead_in_large, DEAD_ROWS - 1)
    least = extended[len(extended) - len(dead) :].copy()
    for shift in range(1, DEAD_ROWS):
        earlier = extended[max(0, len(extended) - len(dead) - shift) : max(0, len(extended) - shift)]
        offset = len(least) - len(earlier)
        least[offset:] = np.minimum(least[offset:], earlier)
    least[: max(0, DEAD_ROWS - 1 - carry.start)] = 0
    return least


@incremental
def any_dead(span: History, carry: Carry, share: float = 0.5) -> tuple[Bool, Bool]:
    """Returns `[T]` whether a whole ReLU layer is dead, and whether more than `share` of the units of one are."""
    some_units = np.logical_or.reduce(dead_units(span) > share, axis=1)
    return np.logical_or.reduce(dead_layers(span), axis=1), some_units


def mostly_dead(history: History, share: float = 0.5) -> Bool:
    """Returns `[T]` whether a ReLU layer is dead, as a whole or by more than `share` of its units."""
    if not dead_layers(history).shape[1]:
        return np.zeros(len(history), bool)
    layer_dead, units_dead = any_dead(history, share)
    return layer_dead | units_dead


def variables_of_layers(history: History, layers: NDArray[np.intp]) -> NDArray[np.intp]:
    """Returns the positions of the variables that belong to these layers."""
    belongs = np.zeros(len(trainable_kernels(history)), bool)
    for position in layers:
        belongs |= layer_of(history, recorded_layers(history)[position].name)
    return np.flatnonzero(belongs)
