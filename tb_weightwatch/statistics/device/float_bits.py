"""What the bits of a tensor reveal (zeros, non-finite elements, changes), and norms without overflow or underflow.

TensorFlow and XLA flush subnormal numbers to zero, so they are compared by their bits, which are ordered like the
numbers themselves if these are not negative. Results are float64, in which every count is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf


class _Format(NamedTuple):
    """The bits of a float type: integer type, mask without the sign, infinity, bits of mantissa, exponent bias."""

    integer: Any
    mask: Any
    infinity: Any
    mantissa: int
    bias: int


_FORMATS = {
    tf.float32: _Format(tf.int32, np.int32(0x7FFFFFFF), np.int32(0x7F800000), 23, 127),
    tf.float64: _Format(tf.int64, np.int64(0x7FFFFFFFFFFFFFFF), np.int64(0x7FF0000000000000), 52, 1023),
}
LEAST = 2.0**-149  # the smallest number above zero that a column stores


def as_float32_or_64(x: Any) -> Any:
    """Returns the tensor as float32 or float64; the conversion from 16 bits is exact."""
    return tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x


def count(mask: Any) -> Any:
    """Returns how many elements are True, as int64; a size unknown to the graph must be below 2**31."""
    if (mask.shape.num_elements() or 0) < 1 << 31:
        return tf.cast(tf.reduce_sum(tf.cast(mask, tf.int32)), tf.int64)  # int32 is faster
    return tf.math.count_nonzero(mask, dtype=tf.int64)


def share(number: Any, total: Any) -> Any:
    """Returns number / total as float64: 0 if the total is 0, exactly 1 if they are equal."""
    number, total = tf.cast(number, tf.int64), tf.maximum(tf.cast(total, tf.int64), 1)
    # A graph multiplies by the inverse of a constant, and 49 * (1 / 49) is less than 1.
    one = tf.ones([], tf.float64)
    return tf.where(number >= total, one, tf.cast(number, tf.float64) / tf.cast(total, tf.float64))


class FloatBits(NamedTuple):
    """A tensor and the bits of its magnitudes.

    Attributes:
        values: the tensor, float32 or float64.
        bits: `|values|` as integers, in the shape of `values`.
        top: the largest of `bits`; 0 if there is no element.
        largest: float64, the largest magnitude; NaN if there is a NaN, else infinite if there is an infinity.
    """

    values: Any
    bits: Any
    top: Any
    largest: Any

    @property
    def zero(self) -> Any:
        """Which elements are exactly zero."""
        return tf.equal(self.bits, 0)

    @property
    def nonfinite(self) -> Any:
        """Number of NaN and infinite elements, int64."""
        return count(self.bits >= _FORMATS[self.values.dtype].infinity)


def float_bits(x: Any) -> FloatBits:
    """Returns the tensor with the bits of its magnitudes."""
    x = as_float32_or_64(x)
    form = _FORMATS[x.dtype]
    bits = tf.bitwise.bitwise_and(tf.bitcast(x, form.integer), form.mask)
    top = tf.maximum(tf.reduce_max(bits), tf.zeros([], form.integer))  # the maximum of no element is negative
    normal = tf.cast(tf.bitcast(top, x.dtype), tf.float64)
    subnormal = tf.cast(top, tf.float64) * LEAST if x.dtype == tf.float32 else tf.constant(LEAST, tf.float64)
    largest = tf.where(top < (1 << form.mantissa), subnormal, normal)
    return FloatBits(x, bits, top, tf.where(top > 0, at_least(largest, LEAST), tf.zeros_like(largest)))


def has_sign(tensor: FloatBits, negative: bool = True) -> Any:
    """Returns which elements have that sign; NaN has none."""
    form = _FORMATS[tensor.values.dtype]
    is_negative = tf.bitcast(tensor.values, form.integer) < 0
    return (is_negative if negative else ~is_negative) & (tensor.bits <= form.infinity)


def scaled(tensor: FloatBits) -> tuple[Any, Any]:
    """Returns the tensor times a power of two that brings its largest element near 1, and the inverse of that power."""
    form = _FORMATS[tensor.values.dtype]
    shift = tf.constant(form.mantissa, form.integer)
    exponent = tf.clip_by_value(2 * form.bias - tf.bitwise.right_shift(tensor.top, shift), 1, 2 * form.bias)
    # A tensor of zeros is not scaled: where XLA knows of the zeros it would take the sum times the square of the scale.
    exponent = tf.where(tensor.top > 0, exponent, tf.constant(form.bias, form.integer))
    scale = tf.bitcast(tf.bitwise.left_shift(exponent, shift), tensor.values.dtype)
    return tensor.values * scale, 1.0 / tf.cast(scale, tf.float64)


def _sum_of_squares(x: Any) -> Any:
    """Returns the sum of squares of a scaled tensor, as float64."""
    return 2.0 * tf.cast(tf.nn.l2_loss(x), tf.float64)


def _bounded_norm(norm: Any, tensor: FloatBits) -> Any:
    """Returns the norm: never below the largest element, and not finite only where an element is not."""
    infinity = _FORMATS[tensor.values.dtype].infinity
    bounded = tf.minimum(tf.maximum(norm, tensor.largest), np.float64(np.finfo(np.float64).max))
    return tf.where(tensor.top >= infinity, tensor.largest, bounded)


def l2_norm(tensor: FloatBits) -> Any:
    """Returns the l2 norm as float64, without overflow or underflow of the squares."""
    near_one, inverse = scaled(tensor)
    return _bounded_norm(tf.sqrt(_sum_of_squares(near_one)) * inverse, tensor)


def norm_mean_and_std(tensor: FloatBits) -> tuple[Any, Any, Any]:
    """Returns l2 norm, mean and standard deviation as float64; the last is exactly 0 for equal elements."""
    near_one, inverse = scaled(tensor)
    flat = tf.reshape(near_one, [-1])
    size = tf.cast(tf.maximum(tf.size(near_one, tf.int64), 1), tf.float64)
    # Around one of the elements the sums cancel little, and for equal elements they are exactly 0.
    first = tf.reduce_sum(flat[:1])
    mean_offset = tf.cast(tf.reduce_sum(flat - first), tf.float64) / size
    mean = tf.cast(first, tf.float64) + mean_offset
    # Then around the mean, since a first element that is far off would drown all others. Rounded as the elements are.
    center = tf.cast(mean, flat.dtype)
    rounding = tf.cast(center, tf.float64) - mean
    square = _sum_of_squares(flat - center) / size
    std = tf.sqrt(tf.maximum(square - rounding * rounding, 0.0)) * inverse
    return _bounded_norm(tf.sqrt(_sum_of_squares(near_one)) * inverse, tensor), mean * inverse, std


def changed(before: Any, after: Any) -> Any:
    """Returns which elements have another value than before; 0 equals -0, and NaN equals NaN."""
    form = _FORMATS[as_float32_or_64(after).dtype]
    old, new = (tf.bitcast(as_float32_or_64(x), form.integer) for x in (before, after))
    old_magnitude, new_magnitude = (tf.bitwise.bitwise_and(x, form.mask) for x in (old, new))
    both_zero = tf.equal(old_magnitude | new_magnitude, 0)
    both_nan = tf.minimum(old_magnitude, new_magnitude) > form.infinity
    return tf.not_equal(old, new) & ~(both_zero | both_nan)


def at_least(value: Any, least: Any) -> Any:
    """Returns the float64 value, or `least` if that is more; NaN stays NaN."""
    # A Python number becomes a float64 at once: as a float32, the smallest would be flushed to zero on the way.
    return tf.where(value < least, tf.convert_to_tensor(least, tf.float64), value)
