"""Histograms and motion maps of one variable's step, in numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..maps import OCTAVES
from .change import SparseGradient, VariableStep, measurable
from .fast import PIECE

Array = NDArray[Any]


def variable_maps(change: VariableStep, side: int) -> dict[str, Array]:
    """Returns histograms `[256]` and motion maps `[h, w]` of a step by kind; what is not known is left out.

    Args:
        change: what the step did; its tensors are never copied as a whole.
        side: of a motion map, at most.
    """
    gradient, before, after = change.gradient, change.before, change.after
    found: dict[str, Array] = {}
    if not after.size:
        return found
    if before is not None:
        pair = after.reshape(-1), before.reshape(-1)
        found["update_histogram"] = _histogram(lambda at: _update(pair, at), after.size)
        found["ratio_histogram"] = _histogram(lambda at: _ratio(pair, at), after.size)
        found["update_map"] = _map(lambda at: _update(pair, at), after.shape, side)
    if isinstance(gradient, SparseGradient):
        flat = gradient.sums.reshape(-1)
        counts = _histogram(lambda at: np.abs(_wide(flat[at])), flat.size)
        counts[0] += after.size - flat.size  # rows that do not occur
        found["gradient_histogram"], found["gradient_map"] = counts, _map_of_rows(gradient, after.shape, side)
    elif isinstance(gradient, np.ndarray) and measurable(gradient.dtype):
        flat = gradient.reshape(-1)
        size = lambda at: np.abs(_wide(flat[at]))  # noqa: E731
        found["gradient_histogram"] = _histogram(size, flat.size)
        found["gradient_map"] = _map(size, gradient.shape, side)
    return found


def _update(pair: tuple[Array, Array], at: slice) -> Array:
    after, before = (_wide(x[at]) for x in pair)
    return np.asarray(np.abs(after - before))


def _ratio(pair: tuple[Array, Array], at: slice) -> Array:
    return np.asarray(_update(pair, at) / np.abs(_wide(pair[1][at])))


def _wide(x: Array) -> Array:
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float32)


def _histogram(measure: Callable[[slice], Array], size: int) -> Array:
    """Counts by the exponent of the bits, piece by piece."""
    counts = np.zeros(OCTAVES, np.int64)
    for start in range(0, size, PIECE):
        with np.errstate(all="ignore"):
            bits = measure(slice(start, start + PIECE)).astype(np.float32).view(np.uint32)
        counts += np.bincount((bits >> 23) & 0xFF, minlength=OCTAVES)
    return counts


def _matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    """Returns how many rows and columns it has, seen as a matrix."""
    columns = shape[-1] if len(shape) > 1 else 1
    return int(np.prod(shape)) // columns, columns


def _map(measure: Callable[[slice], Array], shape: tuple[int, ...], side: int) -> Array:
    """Returns the largest of each part `[h, w]` of a matrix; NaN where an element is not finite."""
    rows, columns = _matrix(shape)
    height, width = -(-rows // side), -(-columns // side)
    starts = np.arange(0, columns, width)
    lines = []
    for row in range(0, rows, height):
        end = min(row + height, rows) * columns
        with np.errstate(all="ignore"):
            part = measure(slice(row * columns, end)).reshape(-1, columns)
            lines.append(np.maximum.reduceat(part.max(axis=0), starts))
    return _odd(np.array(lines))


def _map_of_rows(rows: SparseGradient, shape: tuple[int, ...], side: int) -> Array:
    count, columns = _matrix(shape)
    height, width = -(-count // side), -(-columns // side)
    found = np.zeros((-(-count // height), columns))
    each = count // max(shape[0], 1)  # rows of the matrix in one of the variable's
    places = (rows.rows[:, None] * each + np.arange(each)).reshape(-1) // height
    np.maximum.at(found, places, np.abs(rows.sums.reshape(-1, columns)))
    return _odd(np.maximum.reduceat(found, np.arange(0, columns, width), axis=1))


def _odd(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan).astype(np.float32)
