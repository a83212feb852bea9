"""The scale of inputs and targets: whether they are of order one, and the same data standardized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from .program import Batch

LEAST, MOST = 0.01, 10.0  # standard deviation, and largest absolute value, of data that are of order one


def numbers(batches: Sequence[Batch], position: int) -> Any:
    """Returns `[N, F]` the inputs (0) or targets (1) of all batches; None if they are no single float array each."""
    arrays = [batch[position] for batch in batches]
    if not all(keras.ops.is_tensor(array) or isinstance(array, np.ndarray) for array in arrays):
        return None
    columns = [_columns(np.asarray(array)) for array in arrays]
    if any(array.dtype.kind != "f" for array in columns) or len({array.shape[1] for array in columns}) > 1:
        return None
    values = np.concatenate(columns)
    return values if len(values) and np.isfinite(values).all() else None


def standardized(batches: Sequence[Batch], position: int) -> list[Batch]:
    """Returns the batches with inputs (0) or targets (1) of mean 0 and standard deviation 1, by feature."""
    values = numbers(batches, position)
    mean, std = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    scale = np.where(std > 1e-12, std, 1.0)
    changed = []
    for batch in batches:
        array = np.asarray(batch[position])
        new = ((_columns(array) - mean) / scale).astype(array.dtype).reshape(array.shape)
        changed.append((*batch[:position], keras.ops.convert_to_tensor(new), *batch[position + 1 :]))
    return changed


def _columns(array: Any) -> Any:
    return array.reshape(-1, array.shape[-1] if array.ndim > 1 else 1)
