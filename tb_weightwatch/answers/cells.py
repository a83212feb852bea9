"""The smallest, largest and last value of a quantity in each bucket of steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History
from .buckets import Buckets
from .rounding import Floats, significant_array

_DIGITS = {"size": 4, "share": 4, "cosine": 4, "exact": 6}  # significant digits that an encoding keeps
Bools = NDArray[np.bool_]

# What a cell holds. NaN and infinities are values.
NOT_RECORDED, VALUE, NO_GRADIENT = 0, 1, 2


class Series(NamedTuple):
    """A quantity over time, for R variables or layers.

    Attributes:
        values: `[R, T]`.
        recorded: `[R, T]` whether the value, or the absence of a gradient, was recorded.
        no_gradient: `[R, T]` whether backpropagation gave no gradient (None).
    """

    values: Floats
    recorded: Bools
    no_gradient: Bools

    def restrict(self, rows: slice) -> Series:
        """Returns these recorded rows only."""
        return Series(self.values[:, rows], self.recorded[:, rows], self.no_gradient[:, rows])

    def row(self, index: int) -> Series:
        """Returns one variable or layer, as `[1, T]`."""
        return Series(self.values[index, None], self.recorded[index, None], self.no_gradient[index, None])


class Cells(NamedTuple):
    """The cells of R variables or layers in C buckets.

    Attributes:
        values: `[R, C]`, meaningful where `kinds` is VALUE.
        kinds: `[R, C]` NOT_RECORDED, VALUE or NO_GRADIENT.
    """

    values: Floats
    kinds: NDArray[np.int8]

    def finite(self) -> Bools:
        """Returns `[R, C]` whether a cell holds a finite number."""
        return np.asarray((self.kinds == VALUE) & np.isfinite(self.values))

    def abnormal(self) -> Bools:
        """Returns `[R, C]` whether a cell holds NaN or an infinity, or has no gradient."""
        return np.asarray((self.kinds != NOT_RECORDED) & ~self.finite())


class BucketCells(NamedTuple):
    """The smallest, the largest and the last value of each bucket."""

    low: Cells
    high: Cells
    last: Cells


def series(history: History, name: str) -> Series:
    """Returns a quantity's values over all recorded rows."""
    values = np.asarray(history.column(name), np.float64).reshape(len(history), -1).T
    recorded = history.known(name).reshape(len(history), -1).T
    no_gradient = np.zeros(values.shape, bool)
    if name.startswith(("gradient_", "raw_gradient_")) and name != "gradient_none" and history.has("gradient_none"):
        no_gradient = (history.column("gradient_none") == 1).T
    return Series(values, recorded | no_gradient, no_gradient)


def reduced(series: Series, buckets: Buckets) -> BucketCells:
    """Reduces a series (restricted to `buckets.rows`) to the smallest, largest and last value of each bucket.

    In a bucket NaN wins over infinities, infinities over None (no gradient), and None over finite numbers.
    """
    values, recorded, no_gradient = series
    starts = buckets.starts
    if not len(starts) or not len(values):
        empty = Cells(np.zeros((len(values), len(starts))), np.zeros((len(values), len(starts)), np.int8))
        return BucketCells(empty, empty, empty)

    def any_in_bucket(mask: Bools) -> Bools:
        return np.asarray(np.logical_or.reduceat(mask, starts, axis=1))

    holds_value = recorded & ~no_gradient
    finite = holds_value & np.isfinite(values)
    low = np.minimum.reduceat(np.where(finite, values, np.inf), starts, axis=1)
    high = np.maximum.reduceat(np.where(finite, values, -np.inf), starts, axis=1)
    nan = any_in_bucket(holds_value & np.isnan(values))
    negative = any_in_bucket(holds_value & np.isneginf(values))
    positive = any_in_bucket(holds_value & np.isposinf(values))
    low = np.where(nan, np.nan, np.where(negative, -np.inf, np.where(positive, np.inf, low)))
    high = np.where(nan, np.nan, np.where(positive, np.inf, np.where(negative, -np.inf, high)))
    kinds = np.where(any_in_bucket(recorded), VALUE, NOT_RECORDED)
    kinds = np.where(any_in_bucket(no_gradient) & ~(nan | negative | positive), NO_GRADIENT, kinds).astype(np.int8)
    return BucketCells(Cells(low, kinds), Cells(high, kinds), _last(series, starts))


def _last(series: Series, starts: NDArray[np.intp]) -> Cells:
    """Returns each bucket's last recorded value."""
    steps = series.values.shape[1]
    latest = np.maximum.accumulate(np.where(series.recorded, np.arange(steps), -1), axis=1)
    latest = latest[:, np.append(starts[1:], steps) - 1]
    index = np.maximum(latest, 0)
    no_gradient = np.take_along_axis(series.no_gradient, index, axis=1)
    kinds = np.where(latest < starts, NOT_RECORDED, np.where(no_gradient, NO_GRADIENT, VALUE)).astype(np.int8)
    return Cells(np.take_along_axis(series.values, index, axis=1), kinds)


def json_cells(cells: Cells, encoding: str) -> list[list[Any]]:
    """Returns cells as JSON: numbers with the digits their encoding keeps, null where nothing was recorded.

    NaN and infinities are strings, and so is "None" for a gradient that does not exist. A share between 0 and 1 never
    becomes 0 or 1.
    """
    values = cells.values
    if encoding == "share":
        digits = _DIGITS["share"]
        values = np.where(values > 0.5, 1 - significant_array(1 - values, digits), significant_array(values, digits))
    elif encoding in _DIGITS:
        values = significant_array(values, _DIGITS[encoding])
    rows: list[list[Any]] = values.tolist()
    for row, column in zip(*(index.tolist() for index in np.nonzero(~cells.finite())), strict=True):
        rows[row][column] = _special(values[row, column], cells.kinds[row, column])
    return rows


def _special(value: float, kind: int) -> str | None:
    if kind != VALUE:
        return "None" if kind == NO_GRADIENT else None
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
