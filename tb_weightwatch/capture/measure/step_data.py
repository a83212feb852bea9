"""What was observed of one step, and the form in which it is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ...statistics import VariableStep, from_indexed_slices


class StepData(NamedTuple):
    """What was observed of one step, by name.

    Attributes:
        variables: names on the V axis.
        layers: layer use -> its activation, the L axis.
        changes: variable -> what the step did to it; of trained variables and moving statistics.
        none: variable -> whether its gradient is None, where the gradient itself was not observed.
        outputs: layer use -> its output.
        data: "x", "y", "y_pred": as given, or None; in `fit` also "batch", as `train_step` gets it.
        run: run-wide numbers.
        moving_statistics: names of the variables that are moving statistics of BatchNormalization.
    """

    variables: tuple[str, ...]
    layers: Mapping[str, str]
    changes: Mapping[str, VariableStep]
    none: Mapping[str, bool]
    outputs: Mapping[str, Any]
    data: Mapping[str, Any]
    run: Mapping[str, Any]
    moving_statistics: frozenset[str] = frozenset()


def on_host(tensor: Any) -> bool:
    """Checks whether numpy can read a tensor without copying it from a device."""
    if isinstance(tensor, np.ndarray):
        return True
    device = getattr(tensor, "device", "")
    return "GPU" not in device and "TPU" not in device


def as_arrays(change: VariableStep) -> VariableStep:
    """Returns the change with arrays, or a `SparseGradient`, in place of tensors."""
    gradient, before, after, raw = map(to_numpy, change[:4])
    return change._replace(gradient=gradient, before=before, after=after, raw=raw)


def to_numpy(value: Any) -> Any:
    """Returns a gradient or weight as an array or `SparseGradient`; None and NOT_OBSERVED are returned unchanged."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, tf.IndexedSlices):
        return from_indexed_slices(np.asarray(value.values), np.asarray(value.indices))
    return np.asarray(value) if hasattr(value, "device") else value  # tf.is_tensor is slow
