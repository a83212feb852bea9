"""Statistics of layer outputs in numpy and float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..change import measurable
from ..saturation import bounds_of
from .variables import largest, mean, nonfinite, share, std


def layer_statistics(
    output: Any, activation: str = "", always_dead: Any = None
) -> tuple[dict[str, float], NDArray[np.bool_] | None]:
    """Returns the recorded quantities of one layer use, and the mask of units that were dead in every batch so far.

    Args:
        output: `[batch, ..., units]`; a unit is a position on the last axis.
        activation: name of the layer's activation function.
        always_dead: `[units]` bool, the mask after the batch before; None for the first one.
    """
    output = np.asarray(output)
    if not measurable(output.dtype):
        return {}, None if always_dead is None else np.asarray(always_dead)
    y = output.astype(np.float64)
    numbers = {"zero_share": share(y == 0)}
    mask = None if always_dead is None else np.asarray(always_dead, bool)
    if y.ndim > 1:
        dead = (y == 0).all(axis=tuple(range(y.ndim - 1)))
        if y.size:
            mask = dead if mask is None else mask & dead
            numbers |= {"dead_share": share(dead), "always_dead_share": share(mask)}
    for quantity, bounds in bounds_of(activation).items():
        # Bounds are rounded to the type of the outputs, as the outputs themselves are.
        low, high = (np.asarray(bound).astype(output.dtype).astype(np.float64) for bound in bounds)
        numbers[quantity] = share((y <= low) | (y >= high))
    numbers |= {
        "output_mean": mean(y),
        "output_std": std(y),
        "output_max": largest(y),
        "output_nonfinite": nonfinite(y),
    }
    return numbers, mask
