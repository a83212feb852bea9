"""How the kernels started: the size of their elements, and whether these were equal."""

from __future__ import annotations

import numpy as np

from ...history import History
from .carry import Carry
from .columns import column, element_counts, root_sizes, select_columns
from .incremental import incremental, settling
from .kernels_by_depth import kernel_profile, trainable_matrices
from .scans import Bool, Float


@incremental
def initial_scale_ratio(rows: History, carry: Carry) -> Float:
    """Returns `[T, K]` the initial size of a kernel's elements, relative to the typical one for its shape."""
    profile = kernel_profile(rows)
    return np.asarray(profile.start / root_sizes(rows)[profile.places] / profile.scale)


@settling
def elements_start_equal(rows: History, carry: Carry) -> Bool:
    """Returns `[T, K]` which kernels started with all elements equal: only the first update can have changed that.

    A kernel that has not moved must be constant still; of one that has, the spread is at most that of the update.
    """
    kernels = trainable_matrices(rows)
    weight, update, std = (column(rows, n) for n in ("weight_norm", "update_norm", "weight_std"))
    assert weight is not None
    weight = carry.first_known(select_columns(weight, kernels))
    # Before the first step there is no update that could have made the elements differ.
    unknown = np.full_like(weight, np.nan)
    change = unknown if update is None else carry.first_known(select_columns(update, kernels))
    sizes = element_counts(rows)[kernels]
    # A first update as large as a weight hides what was there before.
    small_change = change < 0.3 * kernel_profile(rows).scale * np.sqrt(sizes)
    zero = (weight == 0) | (change > 0) & (np.abs(weight - change) <= 0.01 * change) & small_change
    if std is None:
        return np.asarray(zero)
    spread = carry.first_known(select_columns(std, kernels)) * np.sqrt(sizes)
    constant = (spread <= 1.05 * change) & (change < 0.3 * weight) | (spread <= 1e-6 * weight)
    return np.asarray((zero | constant) & (sizes > 3) & np.isfinite(weight))
