"""Sums over the pieces of one array in float32, and the check that float32 was enough."""

from __future__ import annotations

import math

import numpy as np

from ..change import Array
from .exact_pieces import PIECE, exact_std

CANCELS = 1e-3  # a variance below this share of the mean square has lost its digits
_LOW, _HIGH = 1e-14, 1e14  # squares of numbers between these are well within float32
_ONES = np.ones(PIECE, np.float32)


class RunningNorm:
    """Adds up the pieces of one array: norm, largest and smallest element and, where asked for, the mean."""

    def __init__(self) -> None:
        self.square = self.total = 0.0
        self.high, self.low = -math.inf, math.inf

    def add(self, piece: Array, mean: bool = False) -> None:
        """Adds the next piece of the array, `[n]` float32; `mean`: its sum is needed as well."""
        self.square += float(np.dot(piece, piece))
        self.high, self.low = max(self.high, float(piece.max())), min(self.low, float(piece.min()))
        if mean:
            # A dot product is several times as fast as a sum. A piece may be longer than PIECE: one sample of a layer
            # with very many units.
            self.total += float(np.dot(piece, _ONES[: piece.size]) if piece.size <= PIECE else piece.sum())

    @property
    def largest(self) -> float:
        """The largest absolute element."""
        return max(self.high, -self.low)

    @property
    def fits(self) -> bool:
        """Whether float32 was enough for all pieces; if not, the reference has to measure the array."""
        return math.isfinite(self.square) and (self.largest == 0 or in_range(self.largest))

    def norm(self) -> float:
        """Returns the l2 norm."""
        return max(math.sqrt(self.square), self.largest)

    def std(self, values: Array) -> float:
        """Returns the standard deviation of the array, of which `values` are all elements; exactly 0 for equal ones."""
        if self.high == self.low:
            return 0.0
        mean, square = self.total / values.size, self.square / values.size
        variance = square - mean * mean
        return math.sqrt(variance) if variance > CANCELS * square else exact_std(values)


def in_range(size: float) -> bool:
    """Checks whether the square of a number is well within float32."""
    return _LOW < size < _HIGH


def square_in_range(square: float) -> bool:
    """Checks the same for a square itself."""
    return _LOW * _LOW < square < _HIGH * _HIGH


def count(mask: Array) -> int:
    """Returns how many elements are True."""
    return int(np.count_nonzero(mask))
