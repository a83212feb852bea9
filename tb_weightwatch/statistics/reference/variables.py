"""Statistics of one variable in numpy and float64, and the sums from which all reference statistics are made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..change import NOT_OBSERVED, Array, measurable, stride


def sample(gradient: Any) -> Array:
    """Returns the elements of a gradient that are compared with the next step's, `[k]` float64."""
    flat = np.asarray(gradient).astype(np.float64).ravel()
    return np.array(flat[:: stride(flat.size)])


def variable_statistics(
    gradient: Any, before: Any, after: Any, raw_norm: Any = None, previous_sample: Any = None
) -> dict[str, float]:
    """Returns the recorded quantities of one variable by name; quantities that are not known are left out.

    Args:
        gradient: array, None (backpropagation gave no gradient), or `NOT_OBSERVED`.
        before: weight before the step, or None if it was not observed.
        after: weight after the step.
        raw_norm: norm of the unscaled gradient before clipping, or None.
        previous_sample: `sample` of the gradient of the step before, or None.
    """
    after = np.asarray(after)
    if not measurable(after.dtype):
        return {}
    numbers: dict[str, float] = {}
    g: Array | None = None
    if gradient is None:
        numbers["gradient_none"] = 1.0
    elif gradient is not NOT_OBSERVED and measurable(np.asarray(gradient).dtype):
        g = np.asarray(gradient).astype(np.float64)
        numbers |= _gradient(g, previous_sample)
    if raw_norm is not None:
        numbers["raw_gradient_norm"] = float(raw_norm)
    w = after.astype(np.float64)
    numbers |= {
        "weight_norm": norm(w),
        "weight_max": largest(w),
        "weight_std": std(w),
        "weight_nonfinite": nonfinite(w),
    }
    if before is not None:
        numbers |= _update(g, np.asarray(before).astype(np.float64), w)
    return numbers


def _gradient(g: Array, previous_sample: Any) -> dict[str, float]:
    numbers = {
        "gradient_norm": norm(g),
        "gradient_max": largest(g),
        "gradient_zero_share": share(g == 0),
        "gradient_nonfinite": nonfinite(g),
        "gradient_none": 0.0,
    }
    if previous_sample is not None:
        numbers["gradient_cosine"] = cosine(sample(g), np.asarray(previous_sample, np.float64))
    return numbers


def _update(g: Array | None, before: Array, after: Array) -> dict[str, float]:
    with np.errstate(invalid="ignore", over="ignore"):
        update = after - before
    changed = (after != before) & ~(np.isnan(after) & np.isnan(before))
    numbers = {"update_norm": norm(update), "update_max": largest(update), "changed_share": share(changed)}
    if g is not None and g.shape == after.shape:
        numbers["stuck_share"] = share((g != 0) & ~changed)
    return numbers


def norm(values: Any) -> float:
    """Returns the l2 norm, without overflow or underflow of the squares."""
    values = np.asarray(values).astype(np.float64)
    top = largest(values)
    if not math.isfinite(top) or top == 0:
        return top
    return float(top * np.sqrt(np.sum(np.square(values / top))))


def largest(values: Array) -> float:
    """Returns the largest absolute element; 0 if there is none."""
    return float(np.max(np.abs(values))) if values.size else 0.0


def mean(values: Array) -> float:
    """Returns the mean; NaN if there is no element."""
    with np.errstate(invalid="ignore", over="ignore"):
        return float(values.mean()) if values.size else math.nan


def std(values: Array) -> float:
    """Returns the standard deviation; exactly 0 for equal elements."""
    if not values.size:
        return 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        return float((values - values.flat[0]).std())


def feature_std(values: Array) -> Array:
    """Returns the standard deviation of each feature over the samples, `[features]`; exactly 0 for equal samples."""
    with np.errstate(invalid="ignore", over="ignore"):
        flat = values.reshape(len(values), -1)
        return np.asarray((flat - flat[:1]).std(axis=0))


def share(mask: Array) -> float:
    """Returns the share of elements that are True; 0 if there is none."""
    return float(np.count_nonzero(mask) / mask.size) if mask.size else 0.0


def nonfinite(values: Array) -> float:
    """Returns the number of elements that are NaN or infinite."""
    return float(np.count_nonzero(~np.isfinite(values)))


def cosine(one: Array, other: Array) -> float:
    """Returns the cosine of two samples; NaN if one of them is zero or not finite, or their sizes differ."""
    size = norm(one) * norm(other)
    if one.shape != other.shape or not size > 0 or not math.isfinite(size):
        return math.nan
    return float(np.clip((one / norm(one)) @ (other / norm(other)), -1, 1))
