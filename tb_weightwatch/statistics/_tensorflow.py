"""The table's functions in TensorFlow: eager, in a graph, and under XLA. `_numpy` is their reference.

Zero, non-finite, changed and largest are read from the bits: TensorFlow and XLA flush subnormal numbers to zero, and
the bits of non-negative floats are ordered like the numbers. Results are float64, in which every count is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from . import names
from ._numpy import UNSEEN, stride


class _Kind(NamedTuple):
    """A float type's bits: integer type, mask without the sign, infinity, bits of mantissa, exponent bias."""

    integer: Any
    mask: Any
    infinity: Any
    mantissa: int
    bias: int


_KINDS = {
    tf.float32: _Kind(tf.int32, np.int32(0x7FFFFFFF), np.int32(0x7F800000), 23, 127),
    tf.float64: _Kind(tf.int64, np.int64(0x7FFFFFFFFFFFFFFF), np.int64(0x7FF0000000000000), 52, 1023),
}
_HALVES = (tf.float16, tf.bfloat16)  # their bits are those of a float32 whose exactness conversion does not touch
_LEAST = 2.0**-149  # what is not zero is at least that: no column keeps less
Numbers = dict[str, Any]


def measurable(dtype: Any) -> bool:
    """Says whether variables of that dtype are measured (floating-point ones)."""
    return dtype in _KINDS or dtype in _HALVES


def wide(x: Any) -> Any:
    """Returns the tensor as float32 or float64; converting from 16 bits is exact."""
    return tf.cast(x, tf.float32) if x.dtype in _HALVES else x


def count(mask: Any) -> Any:
    """Returns how many elements hold, as int64; a size that is not known must be below 2**31 (int32 is faster)."""
    if (mask.shape.num_elements() or 0) < 1 << 31:
        return tf.cast(tf.reduce_sum(tf.cast(mask, tf.int32)), tf.int64)
    return tf.math.count_nonzero(mask, dtype=tf.int64)


def share(part: Any, whole: Any) -> Any:
    """Returns part / whole as float64; 0 of nothing, and exactly 1 of all."""
    part, whole = tf.cast(part, tf.int64), tf.maximum(tf.cast(whole, tf.int64), 1)
    # A graph multiplies by the inverse of what is constant, and 49 * (1 / 49) is less than 1.
    one = tf.ones([], tf.float64)
    return tf.where(part >= whole, one, tf.cast(part, tf.float64) / tf.cast(whole, tf.float64))


class Bits(NamedTuple):
    """What only the bits of a tensor tell."""

    wide: Any  # the tensor, float32 or float64
    bits: Any  # of |x|, as integers
    top: Any  # the highest of them, 0 if there is no element
    largest: Any  # float64 scalar: largest |x|; NaN if there is a NaN, else infinite if there is an infinity

    @property
    def zero(self) -> Any:
        """Which elements are exactly zero."""
        return tf.equal(self.bits, 0)

    @property
    def nonfinite(self) -> Any:
        """Number of NaN and infinite elements, int64."""
        return count(self.bits >= _KINDS[self.wide.dtype].infinity)


def magnitude(x: Any) -> Bits:
    """Reads the bits of a float tensor."""
    x = wide(x)
    kind = _KINDS[x.dtype]
    bits = tf.bitwise.bitwise_and(tf.bitcast(x, kind.integer), kind.mask)
    top = tf.maximum(tf.reduce_max(bits), tf.zeros([], kind.integer))  # of nothing, the maximum is negative
    normal = tf.cast(tf.bitcast(top, x.dtype), tf.float64)
    tiny = tf.cast(top, tf.float64) * _LEAST if x.dtype == tf.float32 else tf.constant(_LEAST, tf.float64)
    largest = tf.where(top < (1 << kind.mantissa), tiny, normal)
    return Bits(x, bits, top, tf.where(top > 0, _floor(largest, _LEAST), tf.zeros_like(largest)))


def signed(found: Bits, negative: bool = True) -> Any:
    """Returns which elements have the sign, NaNs left out."""
    kind = _KINDS[found.wide.dtype]
    minus = tf.bitcast(found.wide, kind.integer) < 0
    return (minus if negative else ~minus) & (found.bits <= kind.infinity)


def _scaled(found: Bits) -> tuple[Any, Any]:
    """Returns the tensor times a power of two that brings its largest element near 1, and that power's inverse."""
    kind = _KINDS[found.wide.dtype]
    shift = tf.constant(kind.mantissa, kind.integer)
    exponent = tf.clip_by_value(2 * kind.bias - tf.bitwise.right_shift(found.top, shift), 1, 2 * kind.bias)
    # Nothing but zeros stays as it is: of zeros that XLA foresees, it would take the sum times the square of the scale.
    exponent = tf.where(found.top > 0, exponent, tf.constant(kind.bias, kind.integer))
    scale = tf.bitcast(tf.bitwise.left_shift(exponent, shift), found.wide.dtype)
    return found.wide * scale, 1.0 / tf.cast(scale, tf.float64)


def _length(scaled: Any) -> Any:
    """Returns the l2 norm of a tensor of usual size, as float64."""
    return tf.sqrt(2.0 * tf.cast(tf.nn.l2_loss(scaled), tf.float64))


def _settled(length: Any, found: Bits) -> Any:
    """Returns the norm: never below the largest element, not finite only where an element is not."""
    infinity = _KINDS[found.wide.dtype].infinity
    bounded = tf.minimum(tf.maximum(length, found.largest), np.float64(np.finfo(np.float64).max))
    return tf.where(found.top >= infinity, found.largest, bounded)


def length(found: Bits) -> Any:
    """Returns the l2 norm as float64, without overflow or underflow on the way."""
    scaled, inverse = _scaled(found)
    return _settled(_length(scaled) * inverse, found)


def spread(found: Bits) -> tuple[Any, Any, Any]:
    """Returns l2 norm, mean and standard deviation as float64; the last is exactly 0 for equal elements."""
    scaled, inverse = _scaled(found)
    number = tf.cast(tf.maximum(tf.size(scaled, tf.int64), 1), tf.float64)
    flat = tf.reshape(scaled, [-1])
    # Around one of the elements the sums cancel little, and where all are equal they are exactly 0.
    start = tf.reduce_sum(flat[:1])
    around = tf.cast(tf.reduce_sum(flat - start), tf.float64) / number
    mean = tf.cast(start, tf.float64) + around
    # Then around the mean, lest a first element that is far off drowns all others. Rounded as the elements are.
    center = tf.cast(mean, flat.dtype)
    off = tf.cast(center, tf.float64) - mean
    square = 2.0 * tf.cast(tf.nn.l2_loss(flat - center), tf.float64) / number
    deviation = tf.sqrt(tf.maximum(square - off * off, 0.0)) * inverse
    return _settled(_length(scaled) * inverse, found), mean * inverse, deviation


# -- gradients


def dense(gradient: Any, like: Any) -> tuple[Any, Any]:
    """Returns the gradient as a tensor and, for IndexedSlices, the size of the rows that occur (else None)."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.convert_to_tensor(gradient), None
    # Indices repeat, and their rows add up. (tf.unique would need less memory; XLA can not compile it.)
    rows = tf.shape(like)[0]
    values = tf.math.unsorted_segment_sum(wide(gradient.values), gradient.indices, rows)
    values = tf.ensure_shape(values, like.shape)
    ones = tf.ones(tf.shape(gradient.indices), tf.int32)
    seen = count(tf.math.unsorted_segment_sum(ones, gradient.indices, rows) > 0)
    return values, seen * (tf.size(values, tf.int64) // tf.maximum(tf.cast(rows, tf.int64), 1))


def norm(gradient: Any, like: Any) -> Any:
    """Returns the l2 norm of a gradient (dense or IndexedSlices) of a variable shaped like `like`, as float64."""
    return length(magnitude(dense(gradient, like)[0]))


def gradient_numbers(gradient: Any, before: Any, after: Any) -> Numbers:
    """Returns the quantities of one gradient (`None`: there is none); `before` may be None."""
    if gradient is None:
        return {"gradient_none": tf.ones([], tf.float64)}
    g, elements = dense(gradient, gradient if after is None else after)
    return dense_numbers(g, elements, before, None if before is None else changed(before, after))


def dense_numbers(g: Any, elements: Any, before: Any, moved: Any) -> Numbers:
    """Returns the quantities of one dense gradient.

    Args:
        g: the gradient.
        elements: how many of its elements count (`dense`); None: all.
        before: weight before the step, or None.
        moved: which elements of the weight changed (`changed`); None without `before`.
    """
    if not measurable(g.dtype):
        return {}
    found = magnitude(g)
    zero, whole = found.zero, tf.size(g, tf.int64)
    of = whole if elements is None else elements
    zeros = count(zero) - (whole - of)  # rows that do not occur say nothing
    numbers = {
        "gradient_norm": length(found),
        "gradient_max": found.largest,
        "gradient_zero_share": share(zeros, of),
        "gradient_nonfinite": found.nonfinite,
        "gradient_none": tf.zeros([], tf.float64),
    }
    if before is not None and g.shape.is_compatible_with(before.shape):
        numbers["stuck_share"] = share(whole - count(zero | moved), whole)
    return numbers


def sketch(gradient: Any, like: Any) -> Any:
    """Returns at most `_numpy.SKETCH` evenly spaced elements of the gradient, `[k]` float32, scaled to about 1.

    `k` depends on the shape of `like` alone. A cosine does not mind the scale, and so nothing underflows.
    """
    return sampled(dense(gradient, like)[0], stride(int(np.prod(like.shape))))


def sampled(g: Any, step: Any) -> Any:
    """Returns every `step`-th element of a dense gradient, `[k]` float32, scaled to about 1."""
    flat = tf.reshape(g, [-1])[::step]
    return tf.cast(_scaled(magnitude(flat))[0], tf.float32)


def cosine(a: Any, b: Any) -> Any:
    """Returns the cosine between two sketches as float64; NaN where one of them is zero."""
    one, other = tf.cast(a, tf.float64), tf.cast(b, tf.float64)
    size = tf.sqrt(tf.reduce_sum(one * one) * tf.reduce_sum(other * other))
    found = tf.clip_by_value(tf.reduce_sum(one * other) / size, -1.0, 1.0)
    return tf.where(tf.math.is_finite(size) & (size > 0), found, tf.constant(np.nan, tf.float64))


# -- weights


def changed(before: Any, after: Any) -> Any:
    """Returns which elements hold another value than before; 0 and -0 are one value, and so are NaNs."""
    kind = _KINDS[wide(after).dtype]
    one, other = (tf.bitcast(wide(x), kind.integer) for x in (before, after))
    low, high = (tf.bitwise.bitwise_and(x, kind.mask) for x in (one, other))
    same = tf.equal(low | high, 0) | (tf.minimum(low, high) > kind.infinity)
    return tf.not_equal(one, other) & ~same


def weight_numbers(before: Any, after: Any) -> Numbers:
    """Returns the quantities of a weight and its update; `before` may be None (then only the weight's)."""
    return moved_numbers(before, after)[0]


def moved_numbers(before: Any, after: Any) -> tuple[Numbers, Any]:
    """Returns the quantities of a weight and its update, and which elements changed (None without `before`)."""
    found = magnitude(after)
    size, _, deviation = spread(found)
    numbers = {
        "weight_norm": size,
        "weight_max": found.largest,
        "weight_std": deviation,
        "weight_nonfinite": found.nonfinite,
    }
    if before is None:
        return numbers, None
    moved = changed(before, after)
    number = count(moved)
    delta = magnitude(found.wide - wide(before))
    # The difference of two tiny numbers may be flushed to zero although the value changed.
    least = tf.where(number > 0, tf.constant(_LEAST, tf.float64), tf.zeros([], tf.float64))
    numbers |= {
        "update_norm": _floor(length(delta), least),
        "update_max": _floor(delta.largest, least),
        "changed_share": share(number, tf.size(after, tf.int64)),
    }
    return numbers, moved


def _floor(value: Any, least: Any) -> Any:
    return tf.where(value < least, tf.cast(least, tf.float64), value)  # NaN stays


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
        numbers, moved = moved_numbers(before, after)
        if gradient is None:
            numbers["gradient_none"] = tf.ones([], tf.float64)
        elif gradient is not UNSEEN and measurable(gradient.dtype):
            g, elements = dense(gradient, after)
            numbers |= dense_numbers(g, elements, before, moved)
            trace = sampled(g, stride(int(np.prod(g.shape))))
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


def stacked(numbers: Numbers, axis: str) -> tuple[Any, Any]:
    """Returns an axis' numbers `[S]` float64 in the order of the table, and which of them are known, `[S]` float64."""
    order = names(axis)
    unknown = tf.zeros([], tf.float64)
    values = tf.stack([tf.cast(numbers[n], tf.float64) if n in numbers else unknown for n in order])
    return values, tf.constant([float(n in numbers) for n in order], tf.float64)
