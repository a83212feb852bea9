"""How a cost grows with a size: the slope in a log-log plot."""

from __future__ import annotations

import math
from collections.abc import Sequence


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Returns the slope of log(cost) over log(size) by least squares: 1 where the cost grows in proportion.

    Args:
        sizes: positive, at least two different ones.
        costs: one for each size; a cost of zero or less (a difference within the noise) is left out.

    Returns:
        the slope; NaN if fewer than two costs are positive.
    """
    points = [(math.log(s), math.log(c)) for s, c in zip(sizes, costs, strict=True) if c > 0]
    if len({x for x, _ in points}) < 2:
        return math.nan
    mean_x, mean_y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    square = sum((x - mean_x) ** 2 for x, _ in points)
    return float(sum((x - mean_x) * (y - mean_y) for x, y in points) / square)


def last_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Returns the slope between the two largest sizes, where fixed costs matter least; NaN if it is not known."""
    return exponent(sizes[-2:], costs[-2:])


def extrapolated(sizes: Sequence[float], costs: Sequence[float], size: float) -> float:
    """Returns the cost at a larger size than was measured, if it goes on as between the two largest sizes."""
    slope = last_exponent(sizes, costs)
    return float(costs[-1] * (size / sizes[-1]) ** slope)
