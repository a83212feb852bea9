"""Statistics of a batch's inputs, targets and predictions, piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import reference
from ..change import Array, fits_float32, measurable
from .exact_pieces import PIECE
from .running_norm import CANCELS, RunningNorm, count
from .small_variables import SMALL


def batch_statistics(x: list[Array], y: list[Array], y_pred: list[Array]) -> dict[str, float]:
    """Returns the recorded quantities of inputs, targets and predictions (as `reference.batch_statistics`)."""
    parts = {"x": x, "y": y, "y_pred": y_pred}
    # Small parts, and those of other types than float32 holds, are measured by the reference. Inputs, targets and
    # predictions are independent but for the batch size, which is set last.
    for_reference = {name: arrays or None for name, arrays in parts.items() if not _is_large(arrays)}
    with np.errstate(all="ignore"):
        numbers = reference.batch_statistics(**for_reference)
        fast: dict[str, Callable[[list[Array]], dict[str, float] | None]]
        fast = {"x": _inputs, "y": _targets, "y_pred": _predictions}
        for name, arrays in parts.items():
            if name not in for_reference:
                fast_numbers = fast[name](arrays)
                numbers |= reference.batch_statistics(**{name: arrays}) if fast_numbers is None else fast_numbers
    batches = [a for a in (*x, *y, *y_pred) if a.ndim]
    return numbers | ({"batch_size": float(len(batches[0]))} if batches else {})


def _is_large(arrays: list[Array]) -> bool:
    if sum(a.size for a in arrays) <= SMALL:
        return False
    return all((fits_float32(a.dtype) or a.dtype == np.uint8) and a.ndim and a.size for a in arrays)


def _sums(arrays: list[Array], visit: Callable[[Array], None] | None = None) -> RunningNorm | None:
    """Returns the sums over all arrays together; None if float32 cannot hold them. `visit` is given each piece."""
    sums = RunningNorm()
    for array in arrays:
        flat = array.reshape(-1)
        for start in range(0, flat.size, PIECE):
            piece = flat[start : start + PIECE].astype(np.float32, copy=False)
            sums.add(piece, mean=True)
            if visit is not None:
                visit(piece)
    return sums if sums.fits else None


def _std(arrays: list[Array], sums: RunningNorm) -> float:
    return sums.std(arrays[0].reshape(-1) if len(arrays) == 1 else np.concatenate([a.reshape(-1) for a in arrays]))


def _inputs(arrays: list[Array]) -> dict[str, float] | None:
    sums = _sums(arrays)
    if sums is None:
        return None
    numbers = {
        "input_mean": sums.total / sum(a.size for a in arrays),
        "input_std": _std(arrays, sums),
        "input_max": sums.largest,
        "input_nonfinite": 0.0,
    }
    stds = _feature_stds(arrays)
    if stds.size:
        numbers["input_constant_share"] = count(stds == 0) / stds.size
        nonzero = stds[stds != 0]
        if nonzero.size:
            numbers["input_scale_ratio"] = float(nonzero.max() / nonzero.min())
    return numbers


def _targets(arrays: list[Array]) -> dict[str, float] | None:
    fractions = [0]

    def count_fractions(piece: Array) -> None:
        fractions[0] += count(piece != np.rint(piece))

    sums, size = _sums(arrays, count_fractions), sum(a.size for a in arrays)
    if sums is None:
        return None
    numbers = {
        "target_mean": sums.total / size,
        "target_std": _std(arrays, sums),
        "target_low": sums.low,
        "target_high": sums.high,
        "target_fraction_share": fractions[0] / size,
        "target_nonfinite": 0.0,
    }
    if len(arrays) == 1 and arrays[0].ndim > 1 and arrays[0].shape[-1] > 1:
        numbers["target_sum_error"] = float(np.abs(arrays[0].sum(axis=-1, dtype=np.float64) - 1).max())
    return numbers


def _predictions(arrays: list[Array]) -> dict[str, float] | None:
    if not all(measurable(a.dtype) for a in arrays):
        return None
    sums = _sums(arrays)
    if sums is None:
        return None
    stds = _feature_stds(arrays)
    numbers = {"prediction_mean": sums.total / sum(a.size for a in arrays)}
    return numbers | ({"prediction_std": float(stds.max())} if stds.size else {})


def _feature_stds(arrays: list[Array]) -> Array:
    return np.concatenate([_feature_std(a) for a in arrays if len(a) > 1] or [np.zeros(0)])


def _feature_std(values: Array) -> Array:
    """Returns the standard deviation of each feature over the samples, `[features]`; 0 where all samples are equal."""
    rows = values.reshape(len(values), -1)
    first = rows[:1].astype(np.float32)
    total, square = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    rows_in_piece = max(1, PIECE // rows.shape[1])
    for start in range(0, len(rows), rows_in_piece):
        centered = rows[start : start + rows_in_piece].astype(np.float32, copy=False) - first
        total += centered.sum(axis=0)
        square += np.einsum("ij,ij->j", centered, centered)
    total, square = total / len(rows), square / len(rows)
    variance = square - total * total
    cancelled = (variance <= CANCELS * square) & (square > 0)  # the first sample is far from all others
    stds = np.sqrt(np.maximum(variance, 0))
    if cancelled.any():
        stds[cancelled] = reference.feature_std(rows[:, cancelled].astype(np.float64))
    return np.asarray(stds)
