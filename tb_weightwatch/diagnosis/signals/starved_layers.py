"""ReLU layers whose input must be zero: they were dead before any update could have killed them."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import column, root_sizes, usual_weight_scale, variables
from .incremental import RowSpan
from .layer_outputs import recorded_layers, relu_layers
from .memo import memoized
from .model_structure import layer_of
from .scans import Bool

_UNITS = 6  # that all of so many random units are below zero for every sample is no chance


@memoized
def starved_layers(history: History) -> Bool:
    """Returns `[L]` which ReLU layers output nothing but zeros from the first step because their input is zero.

    All units of such a layer were zero for every sample of the first recorded batch, its kernel was of usual size, and
    its bias was zero. The pre-activation of a random kernel is positive for about half of the units, unless its input
    is zero. So the layer is a consequence of what is before it.
    """
    starved = np.zeros(len(recorded_layers(history)), bool)
    if not len(history) or int(history.steps[0]) != 1:
        return starved
    first = RowSpan(history, 0, 1)
    zero, weight, update = (column(first, name) for name in ("zero_share", "weight_norm", "update_norm"))
    if zero is None or weight is None:
        return starved
    start = np.maximum(weight[0] - (0 if update is None else np.nan_to_num(update[0])), 0)
    usual = usual_weight_scale(history) * root_sizes(history)
    for i, layer in enumerate(recorded_layers(history)):
        if not relu_layers(history)[i] or zero[0, i] != 1:
            continue
        own = np.flatnonzero(layer_of(history, layer.name))
        kernels = [k for k in own if len(variables(history)[k].shape) > 1]
        biases = [k for k in own if len(variables(history)[k].shape) == 1]
        random = bool(kernels) and all(start[k] > 0.2 * usual[k] for k in kernels)
        units = variables(history)[kernels[0]].shape[-1] if kernels else 0
        starved[i] = random and units >= _UNITS and all(start[k] <= 1e-3 * usual[k] for k in biases)
    return starved
