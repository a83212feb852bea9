"""Gradients that hold only some rows of a variable (IndexedSlices), without ever making them dense."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from .float_bits import count, wide


class UniqueRows(NamedTuple):
    """The rows that occur, each once, among rows of zeros; `k` is one more than the number of slices.

    Attributes:
        rows: `[k]`, which row of the variable; any where `sums` is padded with zeros.
        sums: `[k, ...]`, float32 or float64: indices repeat, and their slices add up.
        elements: number of elements of the rows that occur, int64.
    """

    rows: Any
    sums: Any
    elements: Any


def seen_rows(gradient: Any) -> UniqueRows:
    """Returns the rows of IndexedSlices; the memory needed is a few times that of its slices, also under XLA."""
    indices, values = gradient.indices, wide(gradient.values)
    order = tf.argsort(indices)  # tf.unique's size is not known beforehand, which XLA does not take
    ordered = tf.concat([tf.constant([-1], indices.dtype), tf.gather(indices, order)], 0)
    new = tf.not_equal(ordered[1:], ordered[:-1])
    place, most = tf.cumsum(tf.cast(new, tf.int32)), tf.size(ordered)
    sums = tf.math.unsorted_segment_sum(tf.gather(values, order), place, most)
    rows = tf.maximum(tf.math.unsorted_segment_max(ordered[1:], place, most), 0)  # none are below 0
    each = tf.size(values, tf.int64) // tf.maximum(tf.size(indices, tf.int64), 1)
    return UniqueRows(rows, sums, count(new) * each)


def sampled_rows(gradient: Any, like: Any, step: int) -> Any:
    """Returns every `step`-th element of the dense gradient, `[n]`, without making it."""
    size = like.shape.num_elements()
    width = size // like.shape[0]
    within = tf.range(width, dtype=tf.int64)
    place = tf.reshape(tf.cast(gradient.indices, tf.int64)[:, None] * width + within, [-1])
    chosen = tf.where(tf.equal(place % step, 0), place // step, -1)  # what is below 0 is left out
    values = tf.reshape(wide(gradient.values), [-1])
    return tf.math.unsorted_segment_sum(values, chosen, -(-size // step))
