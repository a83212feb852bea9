"""Scans along the rows: each result depends, per row, on that row and the rows before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[Any]  # of bool; numpy's stubs would make a union of a comparison of arrays
Float = NDArray[Any]  # of float64


def by_distinct_row(function: Callable[[Float], NDArray[Any]], values: Float) -> NDArray[Any]:
    """Returns `function(values)` of a function that treats each row by itself, and is called with fewer of them.

    A row that is equal to the one before it gets the same result.
    """
    is_new = np.ones(len(values), bool)
    is_new[1:] = (values[1:] != values[:-1]).any(axis=1)
    return function(values[is_new])[np.cumsum(is_new) - 1]


def ever(mask: Bool) -> Bool:
    """Returns, per row, whether `mask` held at that row or at any row before it (along the first axis)."""
    if not mask.any() or mask[0].all():  # as in most recordings; tens of times as fast
        return np.repeat(mask[:1], len(mask), axis=0)
    return np.logical_or.accumulate(mask, axis=0)


def counted(mask: Bool, dtype: Any) -> NDArray[Any]:
    """Returns, per row, how often `mask` has held up to it (along the first axis)."""
    if mask.all():  # as in most recordings; tens of times as fast
        rows = np.arange(1, len(mask) + 1, dtype=dtype).reshape(-1, *[1] * (mask.ndim - 1))
        return np.broadcast_to(rows, mask.shape).copy()
    return np.cumsum(mask, axis=0, dtype=dtype) if mask.any() else np.zeros(mask.shape, dtype)


def streak(mask: Bool) -> NDArray[np.int64]:
    """Returns, per row, for how many rows up to it `mask` has held without a break."""
    count = np.cumsum(mask, axis=0, dtype=np.int64)
    at_break = np.where(mask, 0, count)
    return count - np.maximum.accumulate(at_break, axis=0)


def trailing_mean(values: Float, window: int) -> Float:
    """Returns, per row, the mean of the finite values in the last `window` rows; NaN if there is none."""
    finite = np.isfinite(values)
    total = np.cumsum(np.where(finite, values, 0.0), axis=0, dtype=np.float64)
    count = np.cumsum(finite, axis=0, dtype=np.int64)
    if len(values) > window:
        total[window:] -= total[:-window].copy()
        count[window:] -= count[:-window].copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.nan)


def running_mean(values: Float) -> Float:
    """Returns, per row, the mean of the finite values up to it; NaN before the first one."""
    finite = np.isfinite(values)
    total = np.cumsum(np.where(finite, values, 0.0), axis=0)
    count = np.cumsum(finite, axis=0, dtype=np.int32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.nan)


def first_known(values: Float) -> Float:
    """Returns, per row, the first finite value up to it (along the first axis); NaN before there is one."""
    finite = np.isfinite(values)
    first = np.take_along_axis(values, np.argmax(finite, axis=0)[None], axis=0) if len(values) else values
    return np.where(ever(finite), first, np.nan)


def latest_known(values: Float) -> Float:
    """Returns, per row, the last finite value up to it in a `[T]` column; NaN before there is one."""
    rows = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), -1))
    return np.where(rows >= 0, values[rows], np.nan) if len(values) else values


def running_max(values: Float) -> Float:
    """Returns, per row, the largest number up to it, ignoring NaN."""
    result: Float = np.fmax.accumulate(values, axis=0)
    return result
