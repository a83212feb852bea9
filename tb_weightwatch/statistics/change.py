"""What one training step did to one variable, and the types in which its gradient comes."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SKETCH = 65_536  # elements of a gradient that are kept for comparing it with the next one
_COMMON = frozenset((np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.float16)))
_SHORT = (np.dtype(np.float32), np.dtype(np.float16))


class NotObserved(Enum):
    """Stands for a gradient that nobody showed us, unlike None: backpropagation gave none."""

    UNSEEN = "unseen"


NOT_OBSERVED: Final = NotObserved.UNSEEN


class SparseGradient(NamedTuple):
    """A sparse gradient: the rows that occur, each once, and the sum of its gradients (`from_indexed_slices`)."""

    rows: NDArray[np.int64]
    sums: Array  # `[k, ...]`


class VariableStep(NamedTuple):
    """What one step did to one variable.

    Attributes:
        gradient: array, `SparseGradient`, None (backpropagation gave none), or UNSEEN.
        before: weight before the step, or None if it was not seen.
        after: weight after the step.
        raw: unscaled gradient before clipping; None: the one used, nothing was clipped; UNSEEN: not known.
        previous: `sketch` of the gradient of the step before, or None.
        sketch: `sketch` of this gradient, where it has been made already.
    """

    gradient: Any
    before: Any
    after: Any
    raw: Any = None
    previous: Any = None
    sketch: Any = None


def measurable(dtype: Any) -> bool:
    """Says whether statistics are taken of that type: real floating point, bfloat16 included."""
    if dtype in _COMMON:  # a dtype's name takes long to find
        return True
    return str(getattr(dtype, "name", dtype)) in ("float16", "bfloat16", "float32", "float64")


def fits_float32(dtype: Any) -> bool:
    """Says whether float32 holds every number of that type: float32, float16, bfloat16."""
    return dtype in _SHORT or getattr(dtype, "name", "") == "bfloat16"


def stride(size: int) -> int:
    """Returns the step at which a gradient of that many elements is sampled; it meets all rows and columns alike."""
    step = max(1, -(-size // SKETCH))
    while math.gcd(step, size) != 1 and step < size:
        step += 1
    return step


def from_indexed_slices(values: Array, indices: Array) -> SparseGradient:
    """Returns the rows of IndexedSlices; indices repeat, and their rows add up."""
    indices, values = np.asarray(indices, np.int64), np.asarray(values)
    wide = values.astype(np.float64 if values.dtype == np.float64 else np.float32, copy=False)
    order = np.argsort(indices, kind="stable")
    rows = indices[order]
    starts = np.flatnonzero(np.diff(rows, prepend=rows[:1] - 1)) if len(rows) else order
    return SparseGradient(rows[starts], np.add.reduceat(wide[order], starts, axis=0) if len(rows) else wide[:0])


def dense(rows: SparseGradient, shape: tuple[int, ...]) -> Array:
    """Returns a sparse gradient with all its rows, those that do not occur as zeros."""
    found = np.zeros(shape, rows.sums.dtype)
    found[rows.rows] = rows.sums
    return found
