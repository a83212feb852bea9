"""The table's functions in numpy for layer outputs and batches: as `_numpy`, many times quicker (`_quick`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import reference as exact
from .change import Array, fits_float32, measurable
from .fast import CANCELS, PIECE, SMALL, RunningNorm, count, spread
from .saturation import BLOCKED, SATURATED


def layer_statistics(
    output: Array, activation: str = "", always_dead: Any = None
) -> tuple[dict[str, float], NDArray[np.bool_] | None]:
    """Returns the recorded quantities of one layer use and its mask (`_numpy.layer_statistics`)."""
    units = output.shape[-1] if output.ndim > 1 else 0
    if not fits_float32(output.dtype) or not output.size or output.ndim < 2:
        with np.errstate(all="ignore"):
            return exact.layer_statistics(output, activation, always_dead)
    rows = output.reshape(-1, units)
    bounds = [
        (name, _end(table[activation].low, output), _end(table[activation].high, output))
        for name, table in (("saturated_share", SATURATED), ("blocked_share", BLOCKED))
        if activation in table
    ]
    size, zeros, alive, counts = RunningNorm(), 0, np.zeros(units, bool), [0] * len(bounds)
    for start in range(0, len(rows), max(1, PIECE // units)):
        piece = rows[start : start + max(1, PIECE // units)].astype(np.float32, copy=False)
        size.add(piece.reshape(-1), mean=True)
        some = piece != 0
        zero = piece.size - count(some)
        zeros += zero
        if not alive.all():
            alive |= some.any(axis=0)
        for i, (_, low, high) in enumerate(bounds):
            relu = low == 0 <= size.low and math.isnan(high)  # nothing lies below zero
            counts[i] += zero if relu else count(_beyond(piece, low, high))
    if not size.usual:
        with np.errstate(all="ignore"):
            return exact.layer_statistics(output, activation, always_dead)
    dead = ~alive
    mask = dead if always_dead is None else dead & np.asarray(always_dead, bool)
    found = {
        "zero_share": zeros / output.size,
        "dead_share": count(dead) / units,
        "always_dead_share": count(mask) / units,
        "output_mean": size.total / output.size,
        "output_std": spread(rows.reshape(-1), size),
        "output_max": size.largest,
        "output_nonfinite": 0.0,
    }
    return found | {name: number / output.size for (name, *_), number in zip(bounds, counts, strict=True)}, mask


def _end(bound: float, like: Array) -> Any:
    return np.float32(np.asarray(bound).astype(like.dtype))


def _beyond(piece: Array, low: Any, high: Any) -> Any:
    if math.isnan(high):
        return piece <= low
    return piece >= high if math.isnan(low) else (piece <= low) | (piece >= high)


# -- batches


def batch_statistics(x: list[Array], y: list[Array], y_pred: list[Array]) -> dict[str, float]:
    """Returns the recorded quantities of inputs, targets and predictions (`_numpy.batch_statistics`)."""
    parts = {"x": x, "y": y, "y_pred": y_pred}
    # What is small, or of an odd type, goes by the reference; each of the three stands for itself but for its size.
    odd = {name: part or None for name, part in parts.items() if not _large(part)}
    with np.errstate(all="ignore"):
        found = exact.batch_statistics(**odd)
        quick = {"x": _inputs, "y": _targets, "y_pred": _predictions}
        for name, part in parts.items():
            if name not in odd:
                told = quick[name](part)
                found |= exact.batch_statistics(**{name: part}) if told is None else told
    sized = [a for a in (*x, *y, *y_pred) if a.ndim]
    return found | ({"batch_size": float(len(sized[0]))} if sized else {})


def _large(part: list[Array]) -> bool:
    if sum(a.size for a in part) <= SMALL:
        return False
    return all((fits_float32(a.dtype) or a.dtype == np.uint8) and a.ndim and a.size for a in part)


def _sizes(part: list[Array], also: Any = None) -> RunningNorm | None:
    """Goes through all arrays as one; None if float32 can not hold them. `also` gets each piece."""
    size = RunningNorm()
    for array in part:
        flat = array.reshape(-1)
        for start in range(0, flat.size, PIECE):
            piece = flat[start : start + PIECE].astype(np.float32, copy=False)
            size.add(piece, mean=True)
            if also is not None:
                also(piece)
    return size if size.usual else None


def _deviation(part: list[Array], size: RunningNorm) -> float:
    whole = part[0].reshape(-1) if len(part) == 1 else np.concatenate([a.reshape(-1) for a in part])
    return spread(whole, size)


def _inputs(part: list[Array]) -> dict[str, float] | None:
    size = _sizes(part)
    if size is None:
        return None
    found = {
        "input_mean": size.total / sum(a.size for a in part),
        "input_std": _deviation(part, size),
        "input_max": size.largest,
        "input_nonfinite": 0.0,
    }
    spreads = _spreads(part)
    if spreads.size:
        found["input_constant_share"] = count(spreads == 0) / spreads.size
        alive = spreads[spreads != 0]
        if alive.size:
            found["input_scale_ratio"] = float(alive.max() / alive.min())
    return found


def _targets(part: list[Array]) -> dict[str, float] | None:
    fractions = [0]

    def whole(piece: Array) -> None:
        fractions[0] += count(piece != np.rint(piece))

    size, number = _sizes(part, whole), sum(a.size for a in part)
    if size is None:
        return None
    found = {
        "target_mean": size.total / number,
        "target_std": _deviation(part, size),
        "target_low": size.low,
        "target_high": size.high,
        "target_fraction_share": fractions[0] / number,
        "target_nonfinite": 0.0,
    }
    if len(part) == 1 and part[0].ndim > 1 and part[0].shape[-1] > 1:
        found["target_sum_error"] = float(np.abs(part[0].sum(axis=-1, dtype=np.float64) - 1).max())
    return found


def _predictions(part: list[Array]) -> dict[str, float] | None:
    if not all(measurable(a.dtype) for a in part):
        return None
    size = _sizes(part)
    if size is None:
        return None
    spreads = _spreads(part)
    found = {"prediction_mean": size.total / sum(a.size for a in part)}
    return found | ({"prediction_std": float(spreads.max())} if spreads.size else {})


def _spreads(part: list[Array]) -> Array:
    return np.concatenate([feature_spread(a) for a in part if len(a) > 1] or [np.zeros(0)])


def feature_spread(values: Array) -> Array:
    """Returns the standard deviation over samples of each feature, `[features]`; 0 where all samples are equal."""
    rows = values.reshape(len(values), -1)
    first = rows[:1].astype(np.float32)
    total, square = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    step = max(1, PIECE // rows.shape[1])
    for start in range(0, len(rows), step):
        off = rows[start : start + step].astype(np.float32, copy=False) - first
        total += off.sum(axis=0)
        square += np.einsum("ij,ij->j", off, off)
    total, square = total / len(rows), square / len(rows)
    variance = square - total * total
    lost = (variance <= CANCELS * square) & (square > 0)  # the first sample is far off
    found = np.sqrt(np.maximum(variance, 0))
    if lost.any():
        found[lost] = exact._feature_spread(rows[:, lost].astype(np.float64))
    return np.asarray(found)
