"""Gradients of some rows of a variable (IndexedSlices), measured without ever making them dense."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from .float_bits import as_float32_or_64, count


class UniqueRows(NamedTuple):
    """The rows that occur, each once, padded with rows of zeros; `k` is the number of slices plus one.

    Attributes:
        rows: `[k]` row of the variable; any row where `sums` is padding.
        sums: `[k, ...]` float32 or float64: the sum of all slices of each row.
        elements: number of elements of the rows that occur, int64.
    """

    rows: Any
    sums: Any
    elements: Any


def unique_rows(gradient: Any) -> UniqueRows:
    """Returns the rows of IndexedSlices; the memory needed is a few times that of the slices, also under XLA."""
    indices, values = gradient.indices, as_float32_or_64(gradient.values)
    order = tf.argsort(indices)  # XLA does not accept tf.unique, the size of whose result is not known beforehand
    ordered = tf.concat([tf.constant([-1], indices.dtype), tf.gather(indices, order)], 0)
    is_new = tf.not_equal(ordered[1:], ordered[:-1])
    segment, segments = tf.cumsum(tf.cast(is_new, tf.int32)), tf.size(ordered)
    sums = tf.math.unsorted_segment_sum(tf.gather(values, order), segment, segments)
    rows = tf.maximum(tf.math.unsorted_segment_max(ordered[1:], segment, segments), 0)  # padding gets row 0
    row_size = tf.size(values, tf.int64) // tf.maximum(tf.size(indices, tf.int64), 1)
    return UniqueRows(rows, sums, count(is_new) * row_size)


def sampled_rows(gradient: Any, weight: Any, step: int) -> Any:
    """Returns every `step`-th element, `[k]`, of the gradient of `weight`, without making it dense."""
    size = weight.shape.num_elements()
    width = size // weight.shape[0]
    columns = tf.range(width, dtype=tf.int64)
    positions = tf.reshape(tf.cast(gradient.indices, tf.int64)[:, None] * width + columns, [-1])
    sampled = tf.where(tf.equal(positions % step, 0), positions // step, -1)  # segments below 0 are left out
    values = tf.reshape(as_float32_or_64(gradient.values), [-1])
    return tf.math.unsorted_segment_sum(values, sampled, -(-size // step))
