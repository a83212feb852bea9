"""Statistics of a batch's inputs, targets and predictions in numpy and float64."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..change import Array, measurable
from .variables import feature_std, largest, mean, nonfinite, share, std


def batch_statistics(x: Any = None, y: Any = None, y_pred: Any = None) -> dict[str, float]:
    """Returns the recorded quantities of inputs, targets and predictions; each may be nested, or None.

    Integer inputs (token ids) have no scale: only `input_nonfinite` and `input_constant_share` are recorded of them.
    uint8 inputs are taken for images, which have one.
    """
    inputs, targets, outputs = ([np.asarray(a) for a in _leaves(nested)] for nested in (x, y, y_pred))
    numbers: dict[str, float] = {}
    batches = [a for a in (*inputs, *targets, *outputs) if a.ndim]
    if batches:
        numbers["batch_size"] = float(len(batches[0]))
    numbers |= _inputs(inputs) | _targets(targets)
    predictions = [a.astype(np.float64) for a in outputs if measurable(a.dtype)]
    if predictions:
        numbers["prediction_mean"] = mean(_flat(predictions))
        stds = _feature_stds(predictions)
        if stds.size:
            numbers["prediction_std"] = float(stds.max())
    return numbers


def _inputs(inputs: list[Array]) -> dict[str, float]:
    if not inputs or any(a.dtype.kind in "OSUc" for a in inputs):
        return {}
    measured = [a.astype(np.float64) for a in inputs if measurable(a.dtype) or a.dtype == np.uint8]
    if not measured:
        varying = [(a != a[:1]).reshape(len(a), -1).any(axis=0) for a in inputs if a.ndim and len(a) > 1]
        numbers = {"input_nonfinite": 0.0}
        return numbers | ({"input_constant_share": share(~np.concatenate(varying))} if _any_element(varying) else {})
    flat = _flat(measured)
    numbers = {
        "input_mean": mean(flat),
        "input_std": std(flat),
        "input_max": largest(flat),
        "input_nonfinite": nonfinite(flat),
    }
    stds = _feature_stds(measured)
    if not np.isnan(stds).all():  # also False where there is no feature
        numbers["input_constant_share"] = share(stds == 0)
        nonzero = stds[stds != 0]
        if nonzero.size:
            numbers["input_scale_ratio"] = float(nonzero.max() / nonzero.min())
    return numbers


def _targets(targets: list[Array]) -> dict[str, float]:
    measured = [a.astype(np.float64) for a in targets if measurable(a.dtype) or a.dtype.kind in "biu"]
    if not measured:
        return {}
    flat = _flat(measured)
    numbers = {
        "target_mean": mean(flat),
        "target_std": std(flat),
        "target_low": float(flat.min()) if flat.size else math.nan,
        "target_high": float(flat.max()) if flat.size else math.nan,
        "target_fraction_share": share(flat != np.round(flat)),
        "target_nonfinite": nonfinite(flat),
    }
    first = measured[0]
    if len(measured) == 1 and first.ndim > 1 and first.shape[-1] > 1 and flat.size:
        with np.errstate(invalid="ignore", over="ignore"):
            numbers["target_sum_error"] = float(np.abs(first.sum(axis=-1) - 1).max())
    return numbers


def _leaves(nested: Any) -> list[Any]:
    """Returns the arrays in nested dicts, tuples and lists; a list of numbers is one array."""
    if nested is None:
        return []
    if isinstance(nested, Mapping):
        return [leaf for key in sorted(nested, key=str) for leaf in _leaves(nested[key])]
    if isinstance(nested, (tuple, list)) and nested and not all(np.isscalar(item) for item in nested):
        return [leaf for item in nested for leaf in _leaves(item)]
    return [nested]


def _feature_stds(arrays: list[Array]) -> Array:
    """Returns the standard deviation of every feature of all arrays; a single sample has none."""
    return np.concatenate([feature_std(a) for a in arrays if a.ndim and len(a) > 1] or [np.zeros(0)])


def _any_element(arrays: list[Array]) -> bool:
    return any(a.size for a in arrays)


def _flat(arrays: list[Array]) -> Array:
    return np.concatenate([a.ravel() for a in arrays])
