"""The table's functions in TensorFlow: eager, in a graph, and under XLA. `_numpy` is their reference."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from . import _slices, names
from ._bits import LEAST, Bits, changed, count, floor, length, magnitude, measurable, scaled, share, spread, wide
from ._numpy import UNSEEN, stride
from ._slices import Numbers, Tensors, sliced
from ._sparse import sampled_rows, seen_rows

__all__ = ["Bits", "Numbers", "change_numbers", "changed", "cosine", "count", "gradient_numbers", "in_order", "length"]
__all__ += ["magnitude", "measurable", "norm", "seen_numbers", "seen_rows", "share", "sketch", "stacked"]
__all__ += ["by_rows", "dense", "sampled", "variable_statistics", "whole", "wide"]

# -- pieces: what a slice, or a whole tensor, gives


def _weight(t: Tensors, moved: Any, axis: int | None) -> Numbers:
    found = magnitude(t["after"], axis)
    size, mean, deviation = spread(found)
    numbers: Numbers = {
        "weight_norm": size,
        "weight_max": found.largest,
        "weight_mean": mean,
        "weight_std": deviation,
        "weight_nonfinite": found.nonfinite,
    }
    if moved is None:
        return numbers
    number = count(moved, axis)
    delta = magnitude(found.wide - wide(t["before"]), axis)
    # The difference of two tiny numbers may be flushed to zero although the value changed.
    least = tf.where(number > 0, tf.constant(LEAST, tf.float64), tf.zeros([], tf.float64))
    return numbers | {
        "update_norm": floor(length(delta), least),
        "update_max": floor(delta.largest, least),
        "changed": number,
    }


def _gradient(g: Any, moved: Any, axis: int | None) -> Numbers:
    found = magnitude(g, axis)
    numbers: Numbers = {
        "gradient_norm": length(found),
        "gradient_max": found.largest,
        "gradient_nonfinite": found.nonfinite,
        "zero": count(found.zero, axis),
    }
    return numbers if moved is None else numbers | {"still": count(~(found.zero | moved), axis)}


def _moved(t: Tensors) -> Any:
    return changed(t["before"], t["after"]) if "before" in t else None


def _of_both(t: Tensors, axis: int | None = None) -> Numbers:
    moved = _moved(t)
    found = _weight(t, moved, axis)
    return found | _gradient(t["gradient"], moved, axis) if "gradient" in t else found


def _of_gradient(t: Tensors, axis: int | None = None) -> Numbers:
    return _gradient(t["gradient"], _moved(t), axis)


def _size(x: Any, axis: int | None) -> Any:
    return tf.size(x, tf.int64) if axis is None else x.shape[-1]


def _shares(pieces: Numbers, whole: Any, of: Any = None, absent: Any = 0) -> Numbers:
    """Turns counts into shares.

    Args:
        pieces: numbers of the whole tensor.
        whole: number of its elements.
        of: number of the gradient's elements that count; None: all.
        absent: number of its elements that are zero only because they stand for rows that do not occur.
    """
    found = {n: value for n, value in pieces.items() if n not in ("weight_mean", "changed", "zero", "still")}
    if "changed" in pieces:
        found["changed_share"] = share(pieces["changed"], whole)
    if "zero" in pieces:
        zeros = tf.cast(pieces["zero"], tf.int64) - absent  # rows that do not occur say nothing
        found["gradient_zero_share"] = share(zeros, whole if of is None else of)
        found["gradient_none"] = tf.zeros([], tf.float64)
    if "still" in pieces:
        found["stuck_share"] = share(pieces["still"], whole)
    return found


# -- one variable, or several of one shape


def change_numbers(gradient: Any, before: Any, after: Any, axis: int | None = None, of: Any = None) -> Numbers:
    """Returns the quantities of a weight, its update and its gradient by name.

    Args:
        gradient: tensor, IndexedSlices, None (backpropagation gave no gradient), or `_numpy.UNSEEN`.
        before: weight before the step, or None if it was not seen.
        after: weight after the step.
        axis: -1: tensors are `[n, elements]`, of `n` variables, and so numbers are `[n]`; None: of one variable.
        of: number of elements of the gradient's rows that occur, where it was made `dense`; None: all.
    """
    t = {"after": after} | ({} if before is None else {"before": before})
    if isinstance(gradient, tf.Tensor) and measurable(gradient.dtype) and _alike(gradient, after):
        pieces = _measured(_of_both, t | {"gradient": gradient}, axis)
        size = _size(after, axis)
        return _shares(pieces, size, of, 0 if of is None else size - of)
    numbers = _shares(_measured(_of_both, t, axis), _size(after, axis))
    return numbers if gradient is UNSEEN else numbers | gradient_numbers(gradient, before, after, axis)


def gradient_numbers(gradient: Any, before: Any, after: Any, axis: int | None = None) -> Numbers:
    """Returns the quantities of the gradient alone (`change_numbers`); `after` too may be None."""
    if gradient is None:
        return {"gradient_none": tf.ones([], tf.float64)}
    if not measurable(gradient.dtype):
        return {}
    if by_rows(gradient, after):
        seen = seen_rows(gradient)
        rows = {} if before is None else {"before": tf.gather(before, seen.rows), "after": tf.gather(after, seen.rows)}
        return seen_numbers({"gradient": seen.sums, **rows}, seen.elements, tf.size(after, tf.int64))
    g, of = dense(gradient, gradient if after is None else after)
    known = before is not None and _alike(g, after)
    t = {"gradient": g} | ({"before": before, "after": after} if known else {})
    size = _size(g, axis)
    return _shares(_measured(_of_gradient, t, axis), size, of, 0 if of is None else size - of)


def seen_numbers(rows: Tensors, elements: Any, whole: Any) -> Numbers:
    """Returns the quantities of a gradient of rows (`seen_rows`) for a weight of `whole` elements."""
    absent = tf.size(rows["gradient"], tf.int64) - elements
    return _shares(sliced(_of_gradient, rows), whole, elements, absent)


def _measured(measure: Any, t: Tensors, axis: int | None) -> Numbers:
    return sliced(measure, t) if axis is None else measure(t, axis)


def _alike(g: Any, weight: Any) -> bool:
    return bool(g.shape.is_compatible_with(weight.shape))


def by_rows(gradient: Any, like: Any) -> bool:
    """Says whether the gradient is that of some rows of a variable too large to be made dense."""
    if not isinstance(gradient, tf.IndexedSlices) or like is None:
        return False
    return (like.shape.num_elements() or 0) > _slices.SLICE


def dense(gradient: Any, like: Any) -> tuple[Any, Any]:
    """Returns the gradient as a tensor and, for IndexedSlices, the size of the rows that occur (else None)."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.convert_to_tensor(gradient), None
    # Indices repeat, and their rows add up.
    rows = tf.shape(like)[0]
    values = tf.math.unsorted_segment_sum(wide(gradient.values), gradient.indices, rows)
    values = tf.ensure_shape(values, like.shape)
    ones = tf.ones(tf.shape(gradient.indices), tf.int32)
    seen = count(tf.math.unsorted_segment_sum(ones, gradient.indices, rows) > 0)
    return values, seen * (tf.size(values, tf.int64) // tf.maximum(tf.cast(rows, tf.int64), 1))


def norm(gradient: Any, like: Any, axis: int | None = None) -> Any:
    """Returns the l2 norm of a gradient (dense or IndexedSlices) of a variable shaped like `like`, as float64."""
    return _measured(_length, {"gradient": whole(gradient, like)}, axis)["gradient_norm"]


def whole(gradient: Any, like: Any) -> Any:
    """Returns a tensor of all the gradient's elements that may not be zero."""
    return seen_rows(gradient).sums if by_rows(gradient, like) else dense(gradient, like)[0]


def _length(t: Tensors, axis: int | None = None) -> Numbers:
    return {"gradient_norm": length(magnitude(t["gradient"], axis))}


# -- directions


def sketch(gradient: Any, like: Any, axis: int | None = None) -> Any:
    """Returns at most `_numpy.SKETCH` evenly spaced elements of the gradient, `[k]` float32, scaled to about 1.

    `k` depends on the shape of `like` alone. A cosine does not mind the scale, and so nothing underflows. With
    `axis=-1` of `[n, elements]` gradients: `[n, k]`.
    """
    step = stride(int(np.prod(like.shape if axis is None else like.shape[1:])))
    if by_rows(gradient, like):
        return _near(sampled_rows(gradient, like, step), None)
    return sampled(gradient, step) if axis is not None else sampled(tf.reshape(dense(gradient, like)[0], [-1]), step)


def sampled(g: Any, step: Any) -> Any:
    """Returns every `step`-th element of dense gradients `[..., elements]`, float32, scaled to about 1."""
    return _near(g[..., ::step], None if g.shape.rank == 1 else -1)


def _near(g: Any, axis: int | None) -> Any:
    return tf.cast(scaled(magnitude(g, axis))[0], tf.float32)


def cosine(a: Any, b: Any) -> Any:
    """Returns the cosine between two sketches `[..., k]` as float64; NaN where one of them is zero."""
    one, other = tf.cast(a, tf.float64), tf.cast(b, tf.float64)
    total = partial(tf.reduce_sum, axis=-1)
    size = tf.sqrt(total(one * one) * total(other * other))
    found = tf.clip_by_value(total(one * other) / size, -1.0, 1.0)
    return tf.where(tf.math.is_finite(size) & (size > 0), found, tf.constant(np.nan, tf.float64))


# -- as rows


def variable_statistics(
    gradient: Any, before: Any, after: Any, raw_norm: Any = None, previous_sketch: Any = None
) -> tuple[Any, NDArray[np.bool_], Any]:
    """Returns one variable's quantities `[S]` float64 in the table's order, which are known `[S]`, and a sketch.

    Args:
        gradient: tensor, IndexedSlices, None (backpropagation gave no gradient), or `_numpy.UNSEEN`.
        before: weight before the step, or None if it was not seen.
        after: weight after the step.
        raw_norm: norm of the unscaled gradient before clipping, or None.
        previous_sketch: the sketch that the step before gave, or None.

    Returns:
        What is not known is NaN. The sketch (None without a gradient) is for the next step.
    """
    after = tf.convert_to_tensor(after)
    before = None if before is None else tf.convert_to_tensor(before)
    numbers: Numbers = {}
    trace: Any = None
    if measurable(after.dtype):
        numbers = change_numbers(gradient, before, after)
        if "gradient_norm" in numbers:
            trace = sketch(gradient, after)
            if previous_sketch is not None:
                numbers["gradient_cosine"] = cosine(previous_sketch, trace)
        if raw_norm is not None:
            numbers["raw_gradient_norm"] = raw_norm
    values, known = in_order(numbers, "variable")
    return values, known, trace


def in_order(numbers: Numbers, axis: str) -> tuple[Any, NDArray[np.bool_]]:
    """Returns an axis' numbers `[S]` float64 in the order of the table, NaN where not known, and which are known."""
    blank = tf.constant(np.nan, tf.float64)
    values = [tf.cast(numbers[n], tf.float64) if n in numbers else blank for n in names(axis)]
    return tf.stack(values), np.array([n in numbers for n in names(axis)])


def stacked(numbers: Numbers, axis: str, of: int | None = None) -> tuple[Any, Any]:
    """Returns an axis' numbers `[S]` float64 in the order of the table, and which of them are known, `[S]` float64.

    Of several variables, whose numbers are `[of]`: `[of, S]` each.
    """
    order, shape = names(axis), [] if of is None else [of]
    values = [tf.cast(numbers.get(n, 0.0), tf.float64) for n in order]
    if of is not None:
        values = [tf.broadcast_to(value, shape) for value in values]
    known = tf.constant([float(n in numbers) for n in order], tf.float64)
    return tf.stack(values, axis=-1), tf.broadcast_to(known, [*shape, len(order)])
