"""How gradients and weights stand from layer to layer: the kernels in order, and their sizes at the beginning."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ._signals import Float, column, first_known, shared, variables, weight_scale
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


@shared
def ladder(history: History) -> Ladder:
    """Returns the trainable matrices, as they began; with variables in the order in which layers made them."""
    places = np.flatnonzero(kernels(history) & np.array([len(v.shape) > 1 for v in variables(history)], bool))
    blank = np.full((len(history), len(places)), np.nan)
    norm, weight, update = (column(history, n) for n in ("gradient_norm", "weight_norm", "update_norm"))
    start = blank
    if weight is not None:
        moved = np.zeros_like(blank) if update is None else first_known(update[:, places])
        start = np.maximum(first_known(weight[:, places]) - np.where(np.isfinite(moved), moved, 0), 0)
    pull = blank
    if norm is not None:
        usual = weight_scale(history)[places] * np.sqrt([variables(history)[i].size for i in places])
        with np.errstate(invalid="ignore", divide="ignore"):
            # A matrix that starts at zero is held against what is usual for its shape.
            pull = first_known(norm[:, places]) / np.where(start > 0.01 * usual, start, usual)
    return Ladder(places, pull, start, weight_scale(history)[places])
