"""The forms in which a gradient comes (dense, IndexedSlices), and the sample that is compared with the next step's."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..change import stride
from . import chunks
from .float_bits import as_float32_or_64, count, float_bits, scaled
from .sparse import sampled_rows, unique_rows


def is_measured_by_rows(gradient: Any, weight: Any) -> bool:
    """Checks whether a gradient consists of rows of a variable that is too large to make it dense."""
    if not isinstance(gradient, tf.IndexedSlices) or weight is None:
        return False
    return (weight.shape.num_elements() or 0) > chunks.CHUNK_SIZE


def dense(gradient: Any, weight: Any) -> tuple[Any, Any]:
    """Returns the gradient as a tensor and, for IndexedSlices, the number of elements of the rows that occur.

    The number is None for a gradient that is dense already.
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.convert_to_tensor(gradient), None
    # Slices of the same row are added up.
    rows = tf.shape(weight)[0]
    values = tf.math.unsorted_segment_sum(as_float32_or_64(gradient.values), gradient.indices, rows)
    values = tf.ensure_shape(values, weight.shape)
    ones = tf.ones(tf.shape(gradient.indices), tf.int32)
    occurring = count(tf.math.unsorted_segment_sum(ones, gradient.indices, rows) > 0)
    return values, occurring * (tf.size(values, tf.int64) // tf.maximum(tf.cast(rows, tf.int64), 1))


def gradient_elements(gradient: Any, weight: Any) -> Any:
    """Returns a tensor of all elements of the gradient that may not be zero."""
    if is_measured_by_rows(gradient, weight):
        return unique_rows(gradient).sums
    return dense(gradient, weight)[0]


def sample(gradient: Any, weight: Any) -> Any:
    """Returns at most `SAMPLE_SIZE` evenly spaced elements of the gradient, `[k]` float32, scaled to about 1.

    `k` depends on the shape of `weight` alone. The scale does not change a cosine, and thus nothing underflows.
    """
    step = stride(int(np.prod(weight.shape)))
    if is_measured_by_rows(gradient, weight):
        return _near_one(sampled_rows(gradient, weight, step))
    return sample_of_flat(tf.reshape(dense(gradient, weight)[0], [-1]), step)


def sample_of_flat(gradient: Any, step: Any) -> Any:
    """Returns every `step`-th element of a dense gradient `[elements]`, float32, scaled to about 1."""
    return _near_one(gradient[::step])


def _near_one(elements: Any) -> Any:
    return tf.cast(scaled(float_bits(elements))[0], tf.float32)


def cosine(one: Any, other: Any) -> Any:
    """Returns the cosine of two samples as float64; NaN if one of them is zero or not finite."""
    a, b = tf.cast(one, tf.float64), tf.cast(other, tf.float64)
    size = tf.sqrt(tf.reduce_sum(a * a) * tf.reduce_sum(b * b))
    value = tf.clip_by_value(tf.reduce_sum(a * b) / size, -1.0, 1.0)
    return tf.where(tf.math.is_finite(size) & (size > 0), value, tf.constant(np.nan, tf.float64))
