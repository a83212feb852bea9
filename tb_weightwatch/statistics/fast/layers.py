"""Statistics of layer outputs in one pass, piece by piece."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import reference
from ..change import Array, fits_float32
from ..saturation import bounds_of
from .exact_pieces import PIECE
from .running_norm import RunningNorm, count

NumbersAndMask = tuple[dict[str, float], NDArray[np.bool_] | None]


def layer_statistics(output: Array, activation: str = "", always_dead: Any = None) -> NumbersAndMask:
    """Returns the recorded quantities of one layer use and its mask (as `reference.layer_statistics`)."""
    if not fits_float32(output.dtype) or not output.size or output.ndim < 2:
        return _layer_by_reference(output, activation, always_dead)
    units = output.shape[-1]
    rows = output.reshape(-1, units)
    sums = _LayerSums(rows, activation)
    if not sums.norm.fits:
        return _layer_by_reference(output, activation, always_dead)
    dead = ~sums.nonzero_units
    mask = dead if always_dead is None else dead & np.asarray(always_dead, bool)
    numbers = {
        "zero_share": sums.zeros / output.size,
        "dead_share": count(dead) / units,
        "always_dead_share": count(mask) / units,
        "output_mean": sums.norm.total / output.size,
        "output_std": sums.norm.std(rows.reshape(-1)),
        "output_max": sums.norm.largest,
        "output_nonfinite": 0.0,
    }
    return numbers | {quantity: number / output.size for quantity, number in sums.flat.items()}, mask


class _LayerSums:
    """The sums over a layer's outputs `[rows, units]`, in one pass.

    Attributes:
        norm: of all outputs.
        zeros: number of outputs that are exactly zero.
        nonzero_units: `[units]` bool, which units have an output that is not zero.
        flat: quantity -> number of outputs at which the activation is flat.
    """

    def __init__(self, rows: Array, activation: str) -> None:
        units = rows.shape[1]
        self.norm, self.zeros, self.nonzero_units = RunningNorm(), 0, np.zeros(units, bool)
        bounds = {
            quantity: (_rounded(ends.low, rows), _rounded(ends.high, rows))
            for quantity, ends in bounds_of(activation).items()
        }
        self.flat = dict.fromkeys(bounds, 0)
        rows_in_piece = max(1, PIECE // units)
        for start in range(0, len(rows), rows_in_piece):
            piece = rows[start : start + rows_in_piece].astype(np.float32, copy=False)
            self.norm.add(piece.reshape(-1), mean=True)
            nonzero = piece != 0
            zeros = piece.size - count(nonzero)
            self.zeros += zeros
            if not self.nonzero_units.all():
                self.nonzero_units |= nonzero.any(axis=0)
            for quantity, (low, high) in bounds.items():
                is_relu = low == 0 <= self.norm.low and math.isnan(high)  # no output is below zero
                self.flat[quantity] += zeros if is_relu else count(_is_flat(piece, low, high))


def _layer_by_reference(output: Array, activation: str, always_dead: Any) -> NumbersAndMask:
    with np.errstate(all="ignore"):
        return reference.layer_statistics(output, activation, always_dead)


def _rounded(bound: float, output: Array) -> Any:
    """Returns the bound, rounded to the type of the outputs as they are."""
    return np.float32(np.asarray(bound).astype(output.dtype))


def _is_flat(piece: Array, low: Any, high: Any) -> Any:
    if math.isnan(high):
        return piece <= low
    return piece >= high if math.isnan(low) else (piece <= low) | (piece >= high)
