"""Histograms and motion maps in TensorFlow: eager, in a graph, and under XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from . import _slices
from ._bits import measurable, wide
from ._numpy import UNSEEN
from ._slices import Tensors
from ._tensorflow import by_rows, dense, seen_rows


def variable_maps(gradient: Any, before: Any, after: Any, side: int) -> Tensors:
    """Returns histograms `[256]` and motion maps `[h, w]` of a step by kind, float32; what is not known is left out.

    Args:
        gradient: tensor, IndexedSlices, None, or `_numpy.UNSEEN`.
        before: weight before the step, or None.
        after: weight after the step.
        side: of a motion map, at most.
    """
    found: Tensors = {}
    if not after.shape.num_elements():
        return found
    if before is not None:
        t = {"before": before, "after": after}
        found["update_histogram"] = _histogram(_update, t)
        found["ratio_histogram"] = _histogram(_ratio, t)
        found["update_map"] = _map(_update, t, side)
    if gradient is None or gradient is UNSEEN or not measurable(gradient.dtype):
        return found
    if by_rows(gradient, after):
        rows = seen_rows(gradient)
        counts = _histogram(_gradient, {"gradient": rows.sums})
        rest = tf.cast(tf.size(after, tf.int64), tf.float32) - tf.reduce_sum(counts[1:])
        found["gradient_histogram"] = tf.concat([rest[None], counts[1:]], 0)
        found["gradient_map"] = _map_of_rows(rows, after.shape, side)
    else:
        t = {"gradient": dense(gradient, after)[0]}
        found["gradient_histogram"], found["gradient_map"] = _histogram(_gradient, t), _map(_gradient, t, side)
    return found


def _gradient(t: Tensors) -> Any:
    return tf.abs(wide(t["gradient"]))


def _update(t: Tensors) -> Any:
    return tf.abs(wide(t["after"]) - wide(t["before"]))


def _ratio(t: Tensors) -> Any:
    return _update(t) / tf.abs(wide(t["before"]))


def _histogram(measure: Callable[[Tensors], Any], t: Tensors) -> Any:
    """Counts by the exponent of the bits, slice by slice where there are many elements."""

    def counts(piece: Tensors) -> Any:
        bits = tf.bitcast(tf.cast(measure(piece), tf.float32), tf.int32)
        octave = tf.reshape(tf.bitwise.right_shift(tf.bitwise.bitwise_and(bits, 0x7FFFFFFF), 23), [-1])
        return tf.cast(tf.math.unsorted_segment_sum(tf.ones_like(octave), octave, 256), tf.float32)

    flat = {name: tf.reshape(x, [-1]) for name, x in t.items()}
    return tf.reduce_sum(_by_pieces(counts, flat, _slices.SLICE), 0)


def _map(measure: Callable[[Tensors], Any], t: Tensors, side: int) -> Any:
    """Returns the largest of each part `[h, w]` of a matrix."""
    rows, columns = _matrix(next(iter(t.values())).shape)
    height = -(-rows // side)

    def line(piece: Tensors) -> Any:
        return _widths(tf.reduce_max(_odd(measure(piece)), 0), columns, side)

    matrices = {name: tf.reshape(x, [rows, columns]) for name, x in t.items()}
    if rows * columns > _slices.SLICE:
        return _by_pieces(line, matrices, height)
    found = _odd(measure(matrices))
    pad = -rows % height
    found = tf.reduce_max(tf.reshape(tf.pad(found, [[0, pad], [0, 0]]), [-1, height, columns]), 1)
    return _widths(found, columns, side)


def _map_of_rows(rows: Any, shape: Any, side: int) -> Any:
    count, columns = _matrix(shape)
    height = -(-count // side)
    found = _odd(tf.abs(tf.reshape(rows.sums, [-1, columns])))
    place = tf.cast(rows.rows, tf.int32) // height
    return tf.maximum(tf.math.unsorted_segment_max(_widths(found, columns, side), place, -(-count // height)), 0.0)


def _matrix(shape: Any) -> tuple[int, int]:
    """Returns how many rows and columns it has, seen as a matrix."""
    size = int(shape.num_elements())
    columns = int(shape[-1]) if shape.rank > 1 else 1
    return size // columns, columns


def _odd(x: Any) -> Any:
    """Returns float32 with infinity for what is not finite: a maximum must not lose it."""
    x = tf.cast(x, tf.float32)
    return tf.where(tf.math.is_finite(x), x, tf.fill(tf.shape(x), float("inf")))


def _widths(x: Any, columns: int, side: int) -> Any:
    """Returns the largest of each run of columns, `[..., columns]` to `[..., w]`."""
    width = -(-columns // side)
    pad = [[0, 0]] * (x.shape.rank - 1) + [[0, -columns % width]]
    padded = tf.pad(x, pad)
    return tf.reduce_max(tf.reshape(padded, [*_lead(x), -1, width]), -1)


def _lead(x: Any) -> list[Any]:
    return [] if x.shape.rank == 1 else [tf.shape(x)[0] if x.shape[0] is None else x.shape[0]]


def _by_pieces(measure: Callable[[Tensors], Any], t: Tensors, length: int) -> Any:
    """Returns `[n, ...]`: what is measured of each piece of so many rows (the last may have fewer), in turn."""
    first = next(iter(t.values()))
    size = first.shape[0]
    if size is None or size <= length:
        return measure(t)[None]
    whole, rest = divmod(size, length)

    def piece(begin: Any, count: int) -> Any:
        tail = first.shape[1:].as_list()
        return measure({n: tf.slice(x, [begin, *[0] * len(tail)], [count, *tail]) for n, x in t.items()})

    found = tf.map_fn(
        lambda i: piece(i * length, length),
        tf.range(whole, dtype=tf.int64),
        fn_output_signature=tf.float32,
        parallel_iterations=1,
    )
    return tf.concat([found, piece(whole * length, rest)[None]], 0) if rest else found
