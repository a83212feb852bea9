"""The kernels from input to output, with their first gradients and weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...history import History
from .carry import Carry
from .columns import column, root_sizes, select_columns, usual_weight_scale, variables
from .incremental import settling
from .memo import from_records
from .model_structure import trainable_kernels
from .scans import Float


class KernelProfile(NamedTuple):
    """The trainable matrices from input to output, in the order in which the layers created them.

    Attributes:
        places: `[K]` their positions among the variables.
        pull: `[T, K]` relative gradient ‖g‖ / ‖w‖ of the first row at which it is known.
        start: `[T, K]` norm of the weight before the first recorded step, a lower bound; NaN if unknown.
        scale: `[K]` usual size of an element of such a matrix.
    """

    places: NDArray[np.intp]
    pull: Float
    start: Float
    scale: Float


def kernel_profile(history: History) -> KernelProfile:
    """Returns the trainable matrices as they were at the start of training."""
    positions = trainable_matrices(history)
    relative_gradient, initial_norm = _initial_norms(history)
    return KernelProfile(
        places=positions,
        pull=relative_gradient,
        start=initial_norm,
        scale=usual_weight_scale(history)[positions],
    )


@from_records
def trainable_matrices(history: History) -> NDArray[np.intp]:
    """Returns `[K]` the positions of the trainable matrices among the variables."""
    return np.flatnonzero(trainable_kernels(history) & np.array([len(v.shape) > 1 for v in variables(history)], bool))


@settling
def _initial_norms(span: History, carry: Carry) -> tuple[Float, Float]:
    """Returns `[T, K]` the relative gradients and the weight norms of `KernelProfile`."""
    positions = trainable_matrices(span)
    unknown = np.full((len(span), len(positions)), np.nan)
    gradient, weight, update = (column(span, name) for name in ("gradient_norm", "weight_norm", "update_norm"))
    initial_norm = unknown
    if weight is not None:
        moved = np.zeros_like(unknown) if update is None else carry.first_known(select_columns(update, positions))
        first_norm = carry.first_known(select_columns(weight, positions))
        initial_norm = np.maximum(first_norm - np.where(np.isfinite(moved), moved, 0), 0)
    if gradient is None:
        return unknown, initial_norm
    usual_norm = usual_weight_scale(span)[positions] * root_sizes(span)[positions]
    with np.errstate(invalid="ignore", divide="ignore"):
        # The gradient of a matrix that starts at zero is compared with the usual norm for its shape.
        reference = np.where(initial_norm > 0.01 * usual_norm, initial_norm, usual_norm)
        return carry.first_known(select_columns(gradient, positions)) / reference, initial_norm
