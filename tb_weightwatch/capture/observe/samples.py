"""Samples of the data that a program hands over, as `model.fit` would hand them to the model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf


def sample_count(x: Any, y: Any) -> int:
    """Returns the number of samples of inputs and targets: arrays, tensors, or structures of them.

    Raises:
        ValueError: they differ in their number of samples, or there are none.
    """
    lengths = [int(np.shape(array)[0]) for array in tf.nest.flatten((x, y)) if array is not None and np.ndim(array)]
    if not lengths or min(lengths) != max(lengths) or not lengths[0]:
        raise ValueError(f"x and y must be arrays of the same number of samples, got lengths {lengths}")
    return lengths[0]


def selected_samples(data: Any, samples: Any) -> Any:
    """Returns these samples of a structure of arrays, as tensors."""

    def select(array: Any) -> Any:
        if array is None:
            return None
        if tf.is_tensor(array):
            return tf.gather(array, samples)
        selected = np.asarray(array)[samples]
        # `fit` converts float64 arrays to the default precision of Keras.
        return tf.convert_to_tensor(
            selected.astype(keras.config.floatx()) if selected.dtype == np.float64 else selected
        )

    return tf.nest.map_structure(select, data)
