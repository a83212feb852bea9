"""The table's functions in TensorFlow, for tensors on a device: eager and in a graph. `_numpy` is their reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .. import names
from ..change import NOT_OBSERVED, stride
from . import chunks
from .chunks import Numbers, Tensors, sliced
from .float_bits import LEAST, changed, count, floor, length, magnitude, measurable, scaled, share, spread, wide
from .sparse import sampled_rows, seen_rows

__all__ = [
    "Numbers",
    "by_rows",
    "change_numbers",
    "changed",
    "cosine",
    "count",
    "dense",
    "gradient_numbers",
]
__all__ += ["in_order", "length", "magnitude", "measurable", "norm", "sampled", "seen_numbers", "seen_rows", "share"]
__all__ += ["sketch", "whole", "wide"]

# -- pieces: what a slice, or a whole tensor, gives


def _weight(t: Tensors, moved: Any) -> Numbers:
    found = magnitude(t["after"])
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
    number = count(moved)
    delta = magnitude(found.wide - wide(t["before"]))
    # The difference of two tiny numbers may be flushed to zero although the value changed.
    least = tf.where(number > 0, tf.constant(LEAST, tf.float64), tf.zeros([], tf.float64))
    return numbers | {
        "update_norm": floor(length(delta), least),
        "update_max": floor(delta.largest, least),
        "changed": number,
    }


def _gradient(g: Any, moved: Any) -> Numbers:
    found = magnitude(g)
    numbers: Numbers = {
        "gradient_norm": length(found),
        "gradient_max": found.largest,
        "gradient_nonfinite": found.nonfinite,
        "zero": count(found.zero),
    }
    return numbers if moved is None else numbers | {"still": count(~(found.zero | moved))}


def _moved(t: Tensors) -> Any:
    return changed(t["before"], t["after"]) if "before" in t else None


def _of_both(t: Tensors) -> Numbers:
    moved = _moved(t)
    found = _weight(t, moved)
    return found | _gradient(t["gradient"], moved) if "gradient" in t else found


def _of_gradient(t: Tensors) -> Numbers:
    return _gradient(t["gradient"], _moved(t))


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


# -- one variable


def change_numbers(gradient: Any, before: Any, after: Any, of: Any = None) -> Numbers:
    """Returns the quantities of a weight, its update and its gradient by name.

    Args:
        gradient: tensor, IndexedSlices, None (backpropagation gave no gradient), or `_numpy.UNSEEN`.
        before: weight before the step, or None if it was not seen.
        after: weight after the step.
        of: number of elements of the gradient's rows that occur, where it was made `dense`; None: all.
    """
    t = {"after": after} | ({} if before is None else {"before": before})
    if isinstance(gradient, tf.Tensor) and measurable(gradient.dtype) and _alike(gradient, after):
        pieces = sliced(_of_both, t | {"gradient": gradient})
        size = tf.size(after, tf.int64)
        return _shares(pieces, size, of, 0 if of is None else size - of)
    numbers = _shares(sliced(_of_both, t), tf.size(after, tf.int64))
    return numbers if gradient is NOT_OBSERVED else numbers | gradient_numbers(gradient, before, after)


def gradient_numbers(gradient: Any, before: Any, after: Any) -> Numbers:
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
    size = tf.size(g, tf.int64)
    return _shares(sliced(_of_gradient, t), size, of, 0 if of is None else size - of)


def seen_numbers(rows: Tensors, elements: Any, whole: Any) -> Numbers:
    """Returns the quantities of a gradient of rows (`seen_rows`) for a weight of `whole` elements."""
    absent = tf.size(rows["gradient"], tf.int64) - elements
    return _shares(sliced(_of_gradient, rows), whole, elements, absent)


def _alike(g: Any, weight: Any) -> bool:
    return bool(g.shape.is_compatible_with(weight.shape))


def by_rows(gradient: Any, like: Any) -> bool:
    """Says whether the gradient is that of some rows of a variable too large to be made dense."""
    if not isinstance(gradient, tf.IndexedSlices) or like is None:
        return False
    return (like.shape.num_elements() or 0) > chunks.SLICE


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


def norm(gradient: Any, like: Any) -> Any:
    """Returns the l2 norm of a gradient (dense or IndexedSlices) of a variable shaped like `like`, as float64."""
    return sliced(_length, {"gradient": whole(gradient, like)})["gradient_norm"]


def whole(gradient: Any, like: Any) -> Any:
    """Returns a tensor of all the gradient's elements that may not be zero."""
    return seen_rows(gradient).sums if by_rows(gradient, like) else dense(gradient, like)[0]


def _length(t: Tensors) -> Numbers:
    return {"gradient_norm": length(magnitude(t["gradient"]))}


# -- directions


def sketch(gradient: Any, like: Any) -> Any:
    """Returns at most `_numpy.SKETCH` evenly spaced elements of the gradient, `[k]` float32, scaled to about 1.

    `k` depends on the shape of `like` alone. A cosine does not mind the scale, and so nothing underflows.
    """
    step = stride(int(np.prod(like.shape)))
    if by_rows(gradient, like):
        return _near(sampled_rows(gradient, like, step))
    return sampled(tf.reshape(dense(gradient, like)[0], [-1]), step)


def sampled(g: Any, step: Any) -> Any:
    """Returns every `step`-th element of a dense gradient `[elements]`, float32, scaled to about 1."""
    return _near(g[::step])


def _near(g: Any) -> Any:
    return tf.cast(scaled(magnitude(g))[0], tf.float32)


def cosine(a: Any, b: Any) -> Any:
    """Returns the cosine between two sketches as float64; NaN where one of them is zero."""
    one, other = tf.cast(a, tf.float64), tf.cast(b, tf.float64)
    size = tf.sqrt(tf.reduce_sum(one * one) * tf.reduce_sum(other * other))
    found = tf.clip_by_value(tf.reduce_sum(one * other) / size, -1.0, 1.0)
    return tf.where(tf.math.is_finite(size) & (size > 0), found, tf.constant(np.nan, tf.float64))


def in_order(numbers: Numbers, axis: str) -> tuple[Any, NDArray[np.bool_]]:
    """Returns an axis' numbers `[S]` float64 in the order of the table, NaN where not known, and which are known."""
    blank = tf.constant(np.nan, tf.float64)
    values = [tf.cast(numbers[n], tf.float64) if n in numbers else blank for n in names(axis)]
    return tf.stack(values), np.array([n in numbers for n in names(axis)])
