"""How gradients and weights stand from layer to layer: the kernels in order, and their sizes at the beginning."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...history import History
from .carry import Carry
from .columns import column, root_sizes, select_columns, usual_weight_scale, variables
from .incremental import incremental
from .memo import from_records
from .model_structure import trainable_kernels
from .scans import Float


class KernelProfile(NamedTuple):
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


def kernel_profile(history: History) -> KernelProfile:
    """Returns the trainable matrices, as they began; with variables in the order in which layers made them."""
    return KernelProfile(
        trainable_matrices(history), *_ladder(history), usual_weight_scale(history)[trainable_matrices(history)]
    )


@from_records
def trainable_matrices(history: History) -> NDArray[np.intp]:
    """Returns `[K]` the places of the trainable matrices among the variables."""
    return np.flatnonzero(trainable_kernels(history) & np.array([len(v.shape) > 1 for v in variables(history)], bool))


@incremental
def _ladder(rows: History, carry: Carry) -> tuple[Float, Float]:
    places = trainable_matrices(rows)
    blank = np.full((len(rows), len(places)), np.nan)
    norm, weight, update = (column(rows, n) for n in ("gradient_norm", "weight_norm", "update_norm"))
    start = blank
    if weight is not None:
        moved = np.zeros_like(blank) if update is None else carry.first_known(select_columns(update, places))
        start = np.maximum(
            carry.first_known(select_columns(weight, places)) - np.where(np.isfinite(moved), moved, 0), 0
        )
    pull = blank
    if norm is not None:
        usual = usual_weight_scale(rows)[places] * root_sizes(rows)[places]
        with np.errstate(invalid="ignore", divide="ignore"):
            # A matrix that starts at zero is held against what is usual for its shape.
            pull = carry.first_known(select_columns(norm, places)) / np.where(start > 0.01 * usual, start, usual)
    return pull, start
