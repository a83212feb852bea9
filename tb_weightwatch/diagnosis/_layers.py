"""What layer outputs tell: dead units, saturation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..history import History, Layer
from ._signals import Bool, Float, column, ever, run_column, shared, streak, trailing_mean
from ._structure import kernels, layer_of

RELUS = ("relu", "relu6", "relu_6")
SQUASHING = ("sigmoid", "tanh", "hard_sigmoid", "softsign", "hard_tanh")


@shared
def layers(history: History) -> tuple[Layer, ...]:
    """Returns the layer uses whose output is read."""
    return history.layers


def activation(layer: Layer) -> str:
    """Returns a layer's activation in small letters, taken from its class where it is an activation layer."""
    own = layer.activation.lower()
    return own or {"ReLU": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh"}.get(layer.kind, "")


@shared
def relus(history: History) -> Bool:
    """Returns `[L]` which layers are ReLUs (leaky ones are not: theirs never die)."""
    return np.array([activation(layer) in RELUS for layer in layers(history)], bool)


@shared
def squashing(history: History) -> Bool:
    """Returns `[L]` which layers squash their output (recurrent ones do not show theirs)."""
    recurrent = ("LSTM", "GRU", "SimpleRNN", "Bidirectional", "MultiHeadAttention")
    return np.array([activation(x) in SQUASHING and x.kind not in recurrent for x in layers(history)], bool)


@shared
def saturated(history: History, share: float = 0.9) -> Bool:
    """Returns `[T, L]` whether nearly all of a squashing layer's outputs are flat, or were and most still are."""
    now = column(history, "saturated_share")
    if now is None:
        return np.zeros((len(history), 0), bool)
    lately = trailing_mean(now, 5)
    return np.asarray((lately > 0.6 * share) & ever(lately > share) & squashing(history))


@shared
def dead_layers(history: History) -> Bool:
    """Returns `[T, L]` where all units of a ReLU layer have been zero for every sample of three recorded batches."""
    dead = column(history, "dead_share")
    if dead is None:
        return np.zeros((len(history), 0), bool)
    return np.asarray((streak(dead == 1) >= 3) & relus(history))


@shared
def dead_units(history: History) -> Float:
    """Returns `[T, L]` the share of units dead in all batches, or lately in large ones; NaN where no ReLU."""
    always, now = column(history, "always_dead_share"), column(history, "dead_share")
    if now is None and always is None:
        return np.full((len(history), 0), np.nan)
    rows = len(history)
    whole = np.zeros((rows, len(layers(history)))) if always is None else np.where(np.isfinite(always), always, 0.0)
    # So few samples say nothing of a unit: wait until 200 have been seen.
    batch = run_column(history, "batch_size")
    size = np.where(np.isfinite(batch), batch, 16)
    whole[np.cumsum(size) < 200] = 0
    if now is not None:
        lately = np.where(size[:, None] >= 32, np.where(np.isfinite(now), now, 0), 0)
        for shift in range(1, 8):  # the least over eight rows: a unit that wakes up now and then is not dead
            lately[shift:] = np.minimum(lately[shift:], np.where(size[:-shift, None] >= 32, now[:-shift], 0))
        lately[:7] = 0
        whole = np.fmax(whole, lately)
    return np.where(relus(history), whole, np.nan)


@shared
def starved(history: History, share: float = 0.5) -> Bool:
    """Returns `[T]` whether a ReLU layer is dead, wholly or for the most part."""
    whole, units = dead_layers(history), dead_units(history)
    return (
        np.asarray(whole.any(axis=1) | (np.fmax.reduce(units, axis=1) > share))
        if whole.shape[1]
        else np.zeros(len(history), bool)
    )


def owned(history: History, which: NDArray[np.intp]) -> NDArray[np.intp]:
    """Returns the places of the variables that belong to these layers."""
    found = np.zeros(len(kernels(history)), bool)
    for place in which:
        found |= layer_of(history, layers(history)[place].name)
    return np.flatnonzero(found)


__all__ = ["activation", "dead_layers", "dead_units", "ever", "layers", "owned", "relus", "saturated", "starved"]
