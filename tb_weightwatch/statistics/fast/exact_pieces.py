"""The float64 reference on large arrays, piece by piece: as a whole it would need ten times their memory.

A training that diverges is measured by it in each recorded step, and may have little memory left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import reference
from ..change import Array

PIECE = 1 << 16  # elements: so many are measured at a time


def exact_statistics(gradient: Any, before: Any, after: Array) -> dict[str, float]:
    """Returns the quantities of one variable by name, as `reference.variable_statistics` without cosine and raw norm.

    Args:
        gradient: array, None, or `NOT_OBSERVED`.
        before: weight before the step, or None.
        after: weight after the step.
    """
    arrays = [x for x in (gradient, before, after) if isinstance(x, np.ndarray)]
    if after.size <= PIECE or any(x.size != after.size for x in arrays):
        return dict(reference.variable_statistics(gradient, before, after))
    flat = [x.reshape(-1) if isinstance(x, np.ndarray) else x for x in (gradient, before, after)]
    pieces = [
        reference.variable_statistics(*(x[at] if isinstance(x, np.ndarray) else x for x in flat))
        for at in _slices(after.size)
    ]
    sizes = [min(PIECE, after.size - at.start) for at in _slices(after.size)]
    numbers = {name: _merged(name, [piece[name] for piece in pieces], sizes) for name in pieces[0]}
    return numbers | ({"weight_std": exact_std(after)} if numbers else {})


def exact_norm(values: Array) -> float:
    """Returns the l2 norm, as `reference.norm`."""
    flat = values.reshape(-1)
    return _hypot([reference.norm(flat[at]) for at in _slices(flat.size)])


def exact_std(values: Array) -> float:
    """Returns the standard deviation, as `reference.std`; exactly 0 for equal elements."""
    flat = values.reshape(-1)
    total, mean, square = 0, 0.0, 0.0  # the squares of distances from the mean
    with np.errstate(invalid="ignore", over="ignore"):
        for at in _slices(flat.size):
            offsets = flat[at].astype(np.float64) - np.float64(flat[0])
            distance = float(offsets.mean()) - mean
            share = offsets.size / (total + offsets.size)
            square += float(np.square(offsets - offsets.mean()).sum()) + distance * distance * share * total
            mean += distance * share
            total += offsets.size
        return math.sqrt(square / total) if total and square >= 0 else math.nan if total else 0.0


def _slices(size: int) -> Iterator[slice]:
    return (slice(start, start + PIECE) for start in range(0, size, PIECE))


def _merged(name: str, values: Sequence[float], sizes: Sequence[int]) -> float:
    """Returns a quantity of the whole variable from those of its pieces."""
    if name.endswith("_norm"):
        return _hypot(values)
    if name.endswith("_max"):
        return float(np.max(values))
    if name.endswith("_share"):  # counts are exact, also after a division and a multiplication
        return sum(round(share * size) for share, size in zip(values, sizes, strict=True)) / sum(sizes)
    return float(sum(values)) if name.endswith("_nonfinite") else values[0]


def _hypot(norms: Sequence[float]) -> float:
    """Returns the norm of a whole from those of its parts, without overflow or underflow of the squares."""
    return reference.norm(np.array(norms))
