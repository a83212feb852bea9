"""Histograms and motion maps of one variable's step, in numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..maps import OCTAVES
from .change import Array, SparseGradient, VariableStep, measurable

PIECE = 1 << 16  # elements of a histogram that are counted at a time
Magnitudes = Callable[[slice], Array]  # slice of the flat variable -> the magnitudes of its elements


def variable_maps(change: VariableStep, side: int) -> dict[str, Array]:
    """Returns histograms `[256]` and motion maps `[h, w]` of a step by kind; kinds that are not known are left out.

    Args:
        change: what the step did; its tensors are read in pieces and never copied as a whole.
        side: the largest side of a motion map.
    """
    gradient, before, after = change.gradient, change.before, change.after
    maps: dict[str, Array] = {}
    if not after.size:
        return maps
    if before is not None:
        weights = after.reshape(-1), before.reshape(-1)
        maps["update_histogram"] = _histogram(lambda at: _update(weights, at), after.size)
        maps["ratio_histogram"] = _histogram(lambda at: _ratio(weights, at), after.size)
        maps["update_map"] = _motion_map(lambda at: _update(weights, at), after.shape, side)
    if isinstance(gradient, SparseGradient):
        flat = gradient.sums.reshape(-1)
        counts = _histogram(_magnitudes(flat), flat.size)
        counts[0] += after.size - flat.size  # rows that do not occur are zero
        maps["gradient_histogram"], maps["gradient_map"] = counts, _sparse_motion_map(gradient, after.shape, side)
    elif isinstance(gradient, np.ndarray) and measurable(gradient.dtype):
        magnitudes = _magnitudes(gradient.reshape(-1))
        maps["gradient_histogram"] = _histogram(magnitudes, gradient.size)
        maps["gradient_map"] = _motion_map(magnitudes, gradient.shape, side)
    return maps


def _magnitudes(flat: Array) -> Magnitudes:
    return lambda at: np.abs(_as_float32_or_64(flat[at]))


def _update(weights: tuple[Array, Array], at: slice) -> Array:
    after, before = (_as_float32_or_64(x[at]) for x in weights)
    return np.asarray(np.abs(after - before))


def _ratio(weights: tuple[Array, Array], at: slice) -> Array:
    return np.asarray(_update(weights, at) / np.abs(_as_float32_or_64(weights[1][at])))


def _as_float32_or_64(x: Array) -> Array:
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float32)


def _histogram(magnitudes: Magnitudes, size: int) -> Array:
    """Counts elements by the exponent in their bits, piece by piece."""
    counts = np.zeros(OCTAVES, np.int64)
    for start in range(0, size, PIECE):
        with np.errstate(all="ignore"):
            bits = magnitudes(slice(start, start + PIECE)).astype(np.float32).view(np.uint32)
        counts += np.bincount((bits >> 23) & 0xFF, minlength=OCTAVES)
    return counts


def _matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Returns the rows and columns of a variable seen as a matrix: its last axis are the columns."""
    columns = shape[-1] if len(shape) > 1 else 1
    return int(np.prod(shape)) // columns, columns


def _motion_map(magnitudes: Magnitudes, shape: tuple[int, ...], side: int) -> Array:
    """Returns the largest magnitude of each cell `[h, w]` of a matrix; NaN where an element is not finite."""
    rows, columns = _matrix_shape(shape)
    cell_height, cell_width = -(-rows // side), -(-columns // side)
    cell_starts = np.arange(0, columns, cell_width)
    lines = []
    for row in range(0, rows, cell_height):
        end = min(row + cell_height, rows) * columns
        with np.errstate(all="ignore"):
            block = magnitudes(slice(row * columns, end)).reshape(-1, columns)
            lines.append(np.maximum.reduceat(block.max(axis=0), cell_starts))
    return _nan_if_nonfinite(np.array(lines))


def _sparse_motion_map(gradient: SparseGradient, shape: tuple[int, ...], side: int) -> Array:
    rows, columns = _matrix_shape(shape)
    cell_height, cell_width = -(-rows // side), -(-columns // side)
    lines = np.zeros((-(-rows // cell_height), columns))
    matrix_rows = rows // max(shape[0], 1)  # rows of the matrix in one row of the variable
    line_of_row = (gradient.rows[:, None] * matrix_rows + np.arange(matrix_rows)).reshape(-1) // cell_height
    np.maximum.at(lines, line_of_row, np.abs(gradient.sums.reshape(-1, columns)))
    return _nan_if_nonfinite(np.maximum.reduceat(lines, np.arange(0, columns, cell_width), axis=1))


def _nan_if_nonfinite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan).astype(np.float32)
