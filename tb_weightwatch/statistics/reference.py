"""The table's functions in numpy, in float64: for other frameworks, and as the reference for the TensorFlow half."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .change import NOT_OBSERVED, Array, measurable, stride
from .saturation import BLOCKED, SATURATED


def sketch(gradient: Any) -> Array:
    """Returns the sample of a gradient that the next step's is compared with."""
    flat = np.asarray(gradient).astype(np.float64).ravel()
    return np.array(flat[:: stride(flat.size)])


def variable_statistics(
    gradient: Any, before: Any, after: Any, raw_norm: Any = None, previous_sketch: Any = None
) -> dict[str, float]:
    """Returns the recorded quantities of one variable by name; what could not be known is left out.

    Args:
        gradient: array, None (backpropagation gave no gradient), or UNSEEN.
        before: weight before the step, or None if it was not seen.
        after: weight after the step.
        raw_norm: norm of the unscaled gradient before clipping, or None.
        previous_sketch: `sketch` of the gradient of the step before, or None.
    """
    after = np.asarray(after)
    if not measurable(after.dtype):
        return {}
    found: dict[str, float] = {}
    g: Array | None = None
    if gradient is None:
        found["gradient_none"] = 1.0
    elif gradient is not NOT_OBSERVED and measurable(np.asarray(gradient).dtype):
        g = np.asarray(gradient).astype(np.float64)
        found |= {
            "gradient_norm": norm(g),
            "gradient_max": _largest(g),
            "gradient_zero_share": _share(g == 0),
            "gradient_nonfinite": _nonfinite(g),
            "gradient_none": 0.0,
        }
        if previous_sketch is not None:
            found["gradient_cosine"] = _cosine(sketch(g), np.asarray(previous_sketch, np.float64))
    if raw_norm is not None:
        found["raw_gradient_norm"] = float(raw_norm)
    w = after.astype(np.float64)
    found |= {
        "weight_norm": norm(w),
        "weight_max": _largest(w),
        "weight_std": _spread(w),
        "weight_nonfinite": _nonfinite(w),
    }
    if before is not None:
        found |= _update(g, np.asarray(before).astype(np.float64), w)
    return found


def _update(g: Array | None, before: Array, after: Array) -> dict[str, float]:
    with np.errstate(invalid="ignore", over="ignore"):
        delta = after - before
    changed = (after != before) & ~(np.isnan(after) & np.isnan(before))
    found = {"update_norm": norm(delta), "update_max": _largest(delta), "changed_share": _share(changed)}
    if g is not None and g.shape == after.shape:
        found["stuck_share"] = _share((g != 0) & ~changed)
    return found


def layer_statistics(
    output: Any, activation: str = "", always_dead: Any = None
) -> tuple[dict[str, float], NDArray[np.bool_] | None]:
    """Returns the recorded quantities of one layer use, and the mask of units dead in every batch so far.

    Args:
        output: `[batch, ..., units]`; a unit is a place of the last axis.
        activation: name of the layer's activation function.
        always_dead: `[units]` bool, the mask of the batch before; None for the first one.
    """
    output = np.asarray(output)
    if not measurable(output.dtype):
        return {}, None if always_dead is None else np.asarray(always_dead)
    y = output.astype(np.float64)
    found = {"zero_share": _share(y == 0)}
    mask = None if always_dead is None else np.asarray(always_dead, bool)
    if y.ndim > 1:
        dead = (y == 0).all(axis=tuple(range(y.ndim - 1)))
        if y.size:
            mask = dead if mask is None else mask & dead
            found |= {"dead_share": _share(dead), "always_dead_share": _share(mask)}
    for name, table in (("saturated_share", SATURATED), ("blocked_share", BLOCKED)):
        if activation in table:
            low, high = (np.asarray(bound).astype(output.dtype).astype(np.float64) for bound in table[activation])
            found[name] = _share((y <= low) | (y >= high))
    found |= {
        "output_mean": _mean(y),
        "output_std": _spread(y),
        "output_max": _largest(y),
        "output_nonfinite": _nonfinite(y),
    }
    return found, mask


def leaves(data: Any) -> list[Any]:
    """Returns the arrays in nested dicts, tuples and lists; a list of numbers is one array."""
    if data is None:
        return []
    if isinstance(data, Mapping):
        return [leaf for key in sorted(data, key=str) for leaf in leaves(data[key])]
    if isinstance(data, (tuple, list)) and data and not all(np.isscalar(item) for item in data):
        return [leaf for item in data for leaf in leaves(item)]
    return [data]


def batch_statistics(x: Any = None, y: Any = None, y_pred: Any = None) -> dict[str, float]:
    """Returns the recorded quantities of inputs, targets and predictions; each may be nested, or None.

    Integer inputs (token ids) have no scale: of them only `input_nonfinite` and `input_constant_share` are recorded.
    uint8 ones are pictures.
    """
    inputs, targets, outputs = ([np.asarray(a) for a in leaves(d)] for d in (x, y, y_pred))
    found: dict[str, float] = {}
    sized = [a for a in (*inputs, *targets, *outputs) if a.ndim]
    if sized:
        found["batch_size"] = float(len(sized[0]))
    found |= _inputs(inputs) | _targets(targets)
    real = [a.astype(np.float64) for a in outputs if measurable(a.dtype)]
    if real:
        found["prediction_mean"] = _mean(_joined(real))
        spread = np.concatenate([_feature_spread(a) for a in real if a.ndim and len(a) > 1] or [np.zeros(0)])
        if spread.size:
            found["prediction_std"] = float(spread.max())
    return found


def _inputs(inputs: list[Array]) -> dict[str, float]:
    if not inputs or any(a.dtype.kind in "OSUc" for a in inputs):
        return {}
    real = [a.astype(np.float64) for a in inputs if measurable(a.dtype) or a.dtype == np.uint8]
    if not real:
        varied = np.concatenate([(a != a[:1]).reshape(len(a), -1).any(axis=0) for a in inputs if a.ndim and len(a) > 1]
                                or [np.zeros(0, bool)])  # fmt: skip
        return {"input_nonfinite": 0.0} | ({"input_constant_share": _share(~varied)} if varied.size else {})
    whole = _joined(real)
    found = {
        "input_mean": _mean(whole),
        "input_std": _spread(whole),
        "input_max": _largest(whole),
        "input_nonfinite": _nonfinite(whole),
    }
    spread = np.concatenate([_feature_spread(a) for a in real if a.ndim and len(a) > 1] or [np.zeros(0)])
    if not np.isnan(spread).all():  # nor if there is none
        found["input_constant_share"] = _share(spread == 0)
        alive = spread[spread != 0]
        if alive.size:
            found["input_scale_ratio"] = float(alive.max() / alive.min())
    return found


def _targets(targets: list[Array]) -> dict[str, float]:
    real = [a.astype(np.float64) for a in targets if measurable(a.dtype) or a.dtype.kind in "biu"]
    if not real:
        return {}
    whole = _joined(real)
    found = {
        "target_mean": _mean(whole),
        "target_std": _spread(whole),
        "target_low": float(whole.min()) if whole.size else math.nan,
        "target_high": float(whole.max()) if whole.size else math.nan,
        "target_fraction_share": _share(whole != np.round(whole)),
        "target_nonfinite": _nonfinite(whole),
    }
    if len(real) == 1 and real[0].ndim > 1 and real[0].shape[-1] > 1 and whole.size:
        with np.errstate(invalid="ignore", over="ignore"):
            found["target_sum_error"] = float(np.abs(real[0].sum(axis=-1) - 1).max())
    return found


def norm(values: Any) -> float:
    """Returns the l2 norm without overflow or underflow on the way."""
    values = np.asarray(values).astype(np.float64)
    top = _largest(values)
    if not math.isfinite(top) or top == 0:
        return top
    return float(top * np.sqrt(np.sum(np.square(values / top))))


def _largest(values: Array) -> float:
    return float(np.max(np.abs(values))) if values.size else 0.0


def _mean(values: Array) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        return float(values.mean()) if values.size else math.nan


def _spread(values: Array) -> float:
    """Returns the standard deviation; exactly 0 for equal elements."""
    if not values.size:
        return 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        return float((values - values.flat[0]).std())


def _feature_spread(values: Array) -> Array:
    """Returns the standard deviation over samples of each feature; exactly 0 where all samples are equal."""
    with np.errstate(invalid="ignore", over="ignore"):
        flat = values.reshape(len(values), -1)
        return np.asarray((flat - flat[:1]).std(axis=0))


def _joined(arrays: list[Array]) -> Array:
    return np.concatenate([a.ravel() for a in arrays])


def _share(mask: Array) -> float:
    return float(np.count_nonzero(mask) / mask.size) if mask.size else 0.0


def _nonfinite(values: Array) -> float:
    return float(np.count_nonzero(~np.isfinite(values)))


def _cosine(one: Array, other: Array) -> float:
    size = norm(one) * norm(other)
    if one.shape != other.shape or not size > 0 or not math.isfinite(size):
        return math.nan
    return float(np.clip((one / norm(one)) @ (other / norm(other)), -1, 1))
