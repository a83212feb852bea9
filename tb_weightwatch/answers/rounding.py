"""Rounding and ranking that do not depend on the last bit of a float.

Processors and BLAS builds round logarithms, exponentials and sums differently in the last bit. A number that is shown,
and an order that is shown, must be the same on all of them. So values are first snapped to twelve significant digits,
which removes that last bit, and values closer than `TIE` count as equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..verdict import SNAP_DIGITS, snapped

TIE = 1e-9  # relative: far above rounding errors (1e-16), far below what anyone can see
Floats = NDArray[np.float64]


def significant(value: float, digits: int) -> float:
    """Returns a number rounded to so many significant digits."""
    return float(f"{snapped(value):.{digits}g}")


def significant_array(values: Floats, digits: int) -> Floats:
    """Returns an array of any shape rounded to so many significant digits; NaN and infinities stay."""
    return _rounded(_rounded(values, SNAP_DIGITS), digits)


def _rounded(values: Floats, digits: int) -> Floats:
    with np.errstate(all="ignore"):
        power = digits - 1 - np.floor(np.log10(np.abs(values)))
        scale = 10.0 ** np.abs(power)
        rounded = np.where(power >= 0, np.rint(values * scale) / scale, np.rint(values / scale) * scale)
    return np.where(np.isfinite(values) & (values != 0) & np.isfinite(scale), rounded, values)


def dense_ranks(values: Any) -> NDArray[np.int64]:
    """Returns the rank of each value `[N]`, smallest first; values that differ by rounding errors share a rank.

    Ranks follow the gaps between sorted neighbours. Rounding the values instead would only move the problem: two equal
    values could then lie on both sides of a rounding boundary.
    """
    values = np.asarray(values, np.float64)
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order], prepend=values[order[:1]])
    ranks = np.zeros(len(values), np.int64)
    ranks[order] = np.cumsum(gaps > TIE * np.max(np.abs(values), initial=0.0))
    return ranks


def first_largest(values: Any) -> int:
    """Returns the index of the largest value; of equal ones (within rounding errors), the first."""
    ranks = dense_ranks(values)
    return int(np.argmax(ranks == ranks.max()))
