"""How gradients and weights stand from layer to layer: the kernels in order, and their sizes at the beginning."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ._causal import causal
from ._past import Past
from ._signals import Float, chosen, column, described, lengths, variables, weight_scale
from ._structure import kernels


class Ladder(NamedTuple):
    """The trainable matrices from input to output.

    Attributes:
        places: `[K]` their places among the variables.
        pull: `[T, K]` gradient against weight, ‖g‖ / ‖w‖, of the first row at which it is known.
        start: `[T, K]` the weight's size before the first recorded step, a lower bound of it; NaN if not known.
        scale: `[K]` how large an element of such a matrix usually is.
    """

    places: NDArray[np.intp]
    pull: Float
    start: Float
    scale: Float


def ladder(history: History) -> Ladder:
    """Returns the trainable matrices, as they began; with variables in the order in which layers made them."""
    return Ladder(matrices(history), *_ladder(history), weight_scale(history)[matrices(history)])


@described
def matrices(history: History) -> NDArray[np.intp]:
    """Returns `[K]` the places of the trainable matrices among the variables."""
    return np.flatnonzero(kernels(history) & np.array([len(v.shape) > 1 for v in variables(history)], bool))


@causal
def _ladder(rows: History, past: Past) -> tuple[Float, Float]:
    places = matrices(rows)
    blank = np.full((len(rows), len(places)), np.nan)
    norm, weight, update = (column(rows, n) for n in ("gradient_norm", "weight_norm", "update_norm"))
    start = blank
    if weight is not None:
        moved = np.zeros_like(blank) if update is None else past.first(chosen(update, places))
        start = np.maximum(past.first(chosen(weight, places)) - np.where(np.isfinite(moved), moved, 0), 0)
    pull = blank
    if norm is not None:
        usual = weight_scale(rows)[places] * lengths(rows)[places]
        with np.errstate(invalid="ignore", divide="ignore"):
            # A matrix that starts at zero is held against what is usual for its shape.
            pull = past.first(chosen(norm, places)) / np.where(start > 0.01 * usual, start, usual)
    return pull, start
