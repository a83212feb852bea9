"""Statistics of one variable in one pass over its arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import reference
from ..change import NOT_OBSERVED, Array, SparseGradient, VariableStep, measurable, stride
from .exact_pieces import PIECE, exact_norm, exact_statistics
from .running_norm import RunningNorm, count, square_in_range


def sample(gradient: Any, weight: Array) -> Array | None:
    """Returns the elements of a gradient that are compared with the next step's, `[k]`.

    Args:
        gradient: array or `SparseGradient`; for anything else the result is None.
        weight: the variable.
    """
    if isinstance(gradient, SparseGradient):
        return _sample_of_rows(gradient, weight)
    if not isinstance(gradient, np.ndarray) or not measurable(gradient.dtype):
        return None
    return np.array(gradient.ravel()[:: stride(gradient.size)])


def _sample_of_rows(gradient: SparseGradient, weight: Array) -> Array:
    step = stride(weight.size)
    width = weight.size // max(len(weight), 1)
    elements = np.zeros(-(-weight.size // step), np.float32)
    row_starts = gradient.rows * width
    # The columns of each row whose distance from the array's first element is a multiple of the stride.
    columns = -row_starts[:, None] % step + np.arange(0, width, step)
    row, position = np.nonzero(columns < width)
    columns = columns[row, position]
    elements[(row_starts[row] + columns) // step] = gradient.sums.reshape(-1, width)[row, columns]
    return elements


def variable_statistics(change: VariableStep) -> dict[str, float]:
    """Returns the recorded quantities of one variable by name (as `reference.variable_statistics`)."""
    gradient, before, after = change[:3]
    if isinstance(gradient, SparseGradient):
        return _with_sparse_gradient(change)
    has_gradient = isinstance(gradient, np.ndarray)
    arrays = (gradient if has_gradient else after, after if before is None else before, after)
    if not all(_is_float32(x) and x.size == after.size for x in arrays):
        return _by_reference(change)
    w = after.reshape(-1)
    old = None if before is None else before.reshape(-1)
    g = gradient.reshape(-1) if has_gradient else None
    sums = _Sums(w, old, g)
    if not sums.fits:
        return _by_reference(change)
    numbers = {
        "weight_norm": sums.weight.norm(),
        "weight_max": sums.weight.largest,
        "weight_std": sums.weight.std(w),
        "weight_nonfinite": 0.0,
    }
    if gradient is not NOT_OBSERVED:
        numbers["gradient_none"] = float(gradient is None)
    if g is not None:
        numbers |= {
            "gradient_norm": sums.gradient.norm(),
            "gradient_max": sums.gradient.largest,
            "gradient_zero_share": (w.size - sums.nonzero) / w.size,
            "gradient_nonfinite": 0.0,
        }
    if old is not None:
        numbers |= {
            "update_norm": sums.update.norm(),
            "update_max": sums.update.largest,
            "changed_share": sums.changed / w.size,
        }
        if g is not None:
            numbers["stuck_share"] = sums.stuck / w.size
    return numbers | _raw_norm_and_cosine(change, numbers)


class _Sums:
    """The sums over one variable's arrays, each `[elements]` float32, in one pass.

    Attributes:
        weight, gradient, update: their norms; empty where there is no such array.
        nonzero: gradient elements that are not zero.
        changed: weight elements that changed.
        stuck: weight elements with a non-zero gradient that did not change.
    """

    def __init__(self, weight: Array, before: Array | None, gradient: Array | None) -> None:
        self.weight, self.gradient, self.update = RunningNorm(), RunningNorm(), RunningNorm()
        self.nonzero = self.changed = self.stuck = 0
        # One buffer for all pieces: allocating costs more than the arithmetic.
        changed, nonzero = np.empty(PIECE, bool), np.empty(PIECE, bool)
        update = np.empty(PIECE, np.float32)
        for start in range(0, weight.size, PIECE):
            new = weight[start : start + PIECE]
            n = new.size
            self.weight.add(new, mean=True)
            if before is not None:
                old = before[start : start + PIECE]
                self.update.add(np.subtract(new, old, out=update[:n]))
                self.changed += count(np.not_equal(new, old, out=changed[:n]))
            if gradient is not None:
                g = gradient[start : start + PIECE]
                self.gradient.add(g)
                self.nonzero += count(np.not_equal(g, 0, out=nonzero[:n]))
                if before is not None:
                    self.stuck += count(np.greater(nonzero[:n], changed[:n], out=nonzero[:n]))
        are_given = (True, gradient is not None, before is not None)
        norms = (self.weight, self.gradient, self.update)
        self.fits = all(norm.fits for norm, is_given in zip(norms, are_given, strict=True) if is_given)


def _raw_norm_and_cosine(change: VariableStep, numbers: dict[str, float]) -> dict[str, float]:
    """Returns the gradient's norm before clipping and its cosine with the one before, if they are known."""
    if "gradient_norm" not in numbers:
        return {}
    more = {}
    if change.raw is not NOT_OBSERVED:
        more["raw_gradient_norm"] = numbers["gradient_norm"] if change.raw is None else _norm(change.raw)
    if change.previous is not None:
        current = change.sample if change.sample is not None else sample(change.gradient, np.asarray(change.after))
        more["gradient_cosine"] = _cosine(current, change.previous)
    return more


def _is_float32(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == np.float32 and x.size > 0


def _norm(gradient: Any) -> float:
    """Returns the l2 norm of an array or `SparseGradient`, without overflow or underflow of the squares."""
    values = gradient.sums if isinstance(gradient, SparseGradient) else np.asarray(gradient)
    if not _is_float32(values):
        return exact_norm(values)
    flat, sums = values.reshape(-1), RunningNorm()
    for start in range(0, flat.size, PIECE):
        sums.add(flat[start : start + PIECE])
    return sums.norm() if sums.fits else exact_norm(values)


def _cosine(one: Any, other: Any) -> float:
    """Returns the cosine of two samples; NaN if one of them is zero."""
    if _is_float32(one) and _is_float32(other) and one.shape == other.shape:
        a, b = float(np.dot(one, one)), float(np.dot(other, other))
        if square_in_range(a) and square_in_range(b):
            return float(np.clip(float(np.dot(one, other)) / math.sqrt(a * b), -1, 1))
    return reference.cosine(np.asarray(one, np.float64), np.asarray(other, np.float64))


def _by_reference(change: VariableStep) -> dict[str, float]:
    with np.errstate(all="ignore"):
        numbers = exact_statistics(change.gradient, change.before, np.asarray(change.after))
        return numbers | _raw_norm_and_cosine(change, numbers)


def _with_sparse_gradient(change: VariableStep) -> dict[str, float]:
    """Returns the quantities where the gradient is sparse; its zeros are counted among the rows that occur."""
    gradient, before, after, *_ = change
    numbers = variable_statistics(change._replace(gradient=NOT_OBSERVED, raw=None, previous=None))
    if gradient.sums.size:
        old = None if before is None else before[gradient.rows]
        of_rows = variable_statistics(VariableStep(gradient.sums, old, after[gradient.rows]))
    else:
        of_rows = _no_rows(before)
    numbers |= {name: number for name, number in of_rows.items() if name.startswith("gradient_")}
    if "stuck_share" in of_rows:
        numbers["stuck_share"] = of_rows["stuck_share"] * gradient.sums.size / max(after.size, 1)
    return numbers | _raw_norm_and_cosine(change, numbers)


def _no_rows(before: Any) -> dict[str, float]:
    names = ("gradient_norm", "gradient_max", "gradient_zero_share", "gradient_nonfinite", "gradient_none")
    return dict.fromkeys((*names, *(() if before is None else ("stuck_share",))), 0.0)
