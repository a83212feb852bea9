"""What one training step did to one variable, and the types in which its gradient comes."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SAMPLE_SIZE = 65_536  # elements of a gradient that are kept to compare it with the next one
_COMMON_DTYPES = frozenset((np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.float16)))
_SHORT_DTYPES = (np.dtype(np.float32), np.dtype(np.float16))
_FLOAT_NAMES = ("float16", "bfloat16", "float32", "float64")


class NotObserved(Enum):
    """The type of `NOT_OBSERVED`, which replaces a gradient that the recorder could not observe.

    None is something else: backpropagation gave no gradient.
    """

    UNSEEN = "unseen"


NOT_OBSERVED: Final = NotObserved.UNSEEN


class SparseGradient(NamedTuple):
    """A gradient of only some rows of a variable, made by `from_indexed_slices`.

    Attributes:
        rows: `[k]` indices of the rows that occur, each once, increasing.
        sums: `[k, ...]` the sum of all slices of each row.
    """

    rows: NDArray[np.int64]
    sums: Array


class VariableStep(NamedTuple):
    """What one step did to one variable.

    Attributes:
        gradient: array, `SparseGradient`, None (backpropagation gave none), or `NOT_OBSERVED`.
        before: weight before the step, or None if it was not observed.
        after: weight after the step.
        raw: unscaled gradient before clipping; None if it equals `gradient` because nothing was clipped; `NOT_OBSERVED`
            if it is not known.
        previous: `sample` of the gradient of the step before, or None.
        sample: `sample` of this gradient, if it has been taken already.
    """

    gradient: Any
    before: Any
    after: Any
    raw: Any = None
    previous: Any = None
    sample: Any = None


def measurable(dtype: Any) -> bool:
    """Checks whether statistics are taken of a type: real floating point, bfloat16 included.

    Args:
        dtype: a type of numpy or TensorFlow, or its name.
    """
    if dtype in _COMMON_DTYPES:  # finding a dtype's name takes long
        return True
    return str(getattr(dtype, "name", dtype)) in _FLOAT_NAMES


def fits_float32(dtype: Any) -> bool:
    """Checks whether float32 represents every number of a type: float32, float16 or bfloat16."""
    return dtype in _SHORT_DTYPES or getattr(dtype, "name", "") == "bfloat16"


def stride(size: int) -> int:
    """Returns the stride at which a gradient of `size` elements is sampled.

    It shares no divisor with `size`, so that all rows and columns are sampled alike.
    """
    step = max(1, -(-size // SAMPLE_SIZE))
    while math.gcd(step, size) != 1 and step < size:
        step += 1
    return step


def from_indexed_slices(values: Array, indices: Array) -> SparseGradient:
    """Converts IndexedSlices; slices with the same index are added up.

    Args:
        values: `[n, ...]` slices.
        indices: `[n]` the row of each slice.
    """
    indices, values = np.asarray(indices, np.int64), np.asarray(values)
    slices = values.astype(np.float64 if values.dtype == np.float64 else np.float32, copy=False)
    order = np.argsort(indices, kind="stable")
    rows = indices[order]
    starts = np.flatnonzero(np.diff(rows, prepend=rows[:1] - 1)) if len(rows) else order
    return SparseGradient(rows[starts], np.add.reduceat(slices[order], starts, axis=0) if len(rows) else slices[:0])


def dense(gradient: SparseGradient, shape: tuple[int, ...]) -> Array:
    """Returns a sparse gradient as an array of that shape; rows that do not occur are zero."""
    array = np.zeros(shape, gradient.sums.dtype)
    array[gradient.rows] = gradient.sums
    return array
