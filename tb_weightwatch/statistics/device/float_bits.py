"""What the bits of a tensor tell: zero, not finite, largest, changed; and sizes that neither overflow nor vanish.

TensorFlow and XLA flush subnormal numbers to zero, and the bits of non-negative floats are ordered like the numbers.
Results are float64, in which every count is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf


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
LEAST = 2.0**-149  # what is not zero is at least that: no column keeps less


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


class FloatBits(NamedTuple):
    """What only the bits of a tensor tell."""

    wide: Any  # the tensor, float32 or float64
    bits: Any  # of |x|, as integers
    top: Any  # the highest of them, 0 if there is no element
    largest: Any  # float64: largest |x|; NaN if there is a NaN, else infinite if there is an infinity

    @property
    def zero(self) -> Any:
        """Which elements are exactly zero."""
        return tf.equal(self.bits, 0)

    @property
    def nonfinite(self) -> Any:
        """Number of NaN and infinite elements, int64."""
        return count(self.bits >= _KINDS[self.wide.dtype].infinity)


def magnitude(x: Any) -> FloatBits:
    """Reads the bits of a float tensor."""
    x = wide(x)
    kind = _KINDS[x.dtype]
    bits = tf.bitwise.bitwise_and(tf.bitcast(x, kind.integer), kind.mask)
    top = tf.maximum(tf.reduce_max(bits), tf.zeros([], kind.integer))  # of nothing, the maximum is negative
    normal = tf.cast(tf.bitcast(top, x.dtype), tf.float64)
    tiny = tf.cast(top, tf.float64) * LEAST if x.dtype == tf.float32 else tf.constant(LEAST, tf.float64)
    largest = tf.where(top < (1 << kind.mantissa), tiny, normal)
    return FloatBits(x, bits, top, tf.where(top > 0, floor(largest, LEAST), tf.zeros_like(largest)))


def signed(found: FloatBits, negative: bool = True) -> Any:
    """Returns which elements have the sign, NaNs left out."""
    kind = _KINDS[found.wide.dtype]
    minus = tf.bitcast(found.wide, kind.integer) < 0
    return (minus if negative else ~minus) & (found.bits <= kind.infinity)


def scaled(found: FloatBits) -> tuple[Any, Any]:
    """Returns the tensor times a power of two that brings its largest element near 1, and that power's inverse."""
    kind = _KINDS[found.wide.dtype]
    shift = tf.constant(kind.mantissa, kind.integer)
    exponent = tf.clip_by_value(2 * kind.bias - tf.bitwise.right_shift(found.top, shift), 1, 2 * kind.bias)
    # Nothing but zeros stays as it is: of zeros that XLA foresees, it would take the sum times the square of the scale.
    exponent = tf.where(found.top > 0, exponent, tf.constant(kind.bias, kind.integer))
    scale = tf.bitcast(tf.bitwise.left_shift(exponent, shift), found.wide.dtype)
    return found.wide * scale, 1.0 / tf.cast(scale, tf.float64)


def _squares(x: Any) -> Any:
    """Returns the sum of squares of a tensor of usual size, as float64."""
    return 2.0 * tf.cast(tf.nn.l2_loss(x), tf.float64)


def _settled(length: Any, found: FloatBits) -> Any:
    """Returns the norm: never below the largest element, not finite only where an element is not."""
    infinity = _KINDS[found.wide.dtype].infinity
    bounded = tf.minimum(tf.maximum(length, found.largest), np.float64(np.finfo(np.float64).max))
    return tf.where(found.top >= infinity, found.largest, bounded)


def length(found: FloatBits) -> Any:
    """Returns the l2 norm as float64, without overflow or underflow on the way."""
    near, inverse = scaled(found)
    return _settled(tf.sqrt(_squares(near)) * inverse, found)


def spread(found: FloatBits) -> tuple[Any, Any, Any]:
    """Returns l2 norm, mean and standard deviation as float64; the last is exactly 0 for equal elements."""
    near, inverse = scaled(found)
    flat = tf.reshape(near, [-1])
    number = tf.cast(tf.maximum(tf.size(near, tf.int64), 1), tf.float64)
    # Around one of the elements the sums cancel little, and where all are equal they are exactly 0.
    start = tf.reduce_sum(flat[:1])
    around = tf.cast(tf.reduce_sum(flat - start), tf.float64) / number
    mean = tf.cast(start, tf.float64) + around
    # Then around the mean, lest a first element that is far off drowns all others. Rounded as the elements are.
    center = tf.cast(mean, flat.dtype)
    off = tf.cast(center, tf.float64) - mean
    square = _squares(flat - center) / number
    deviation = tf.sqrt(tf.maximum(square - off * off, 0.0)) * inverse
    return _settled(tf.sqrt(_squares(near)) * inverse, found), mean * inverse, deviation


def changed(before: Any, after: Any) -> Any:
    """Returns which elements hold another value than before; 0 and -0 are one value, and so are NaNs."""
    kind = _KINDS[wide(after).dtype]
    one, other = (tf.bitcast(wide(x), kind.integer) for x in (before, after))
    low, high = (tf.bitwise.bitwise_and(x, kind.mask) for x in (one, other))
    same = tf.equal(low | high, 0) | (tf.minimum(low, high) > kind.infinity)
    return tf.not_equal(one, other) & ~same


def floor(value: Any, least: Any) -> Any:
    """Returns the float64 value, or `least` where that is more; NaN stays."""
    # A number of Python becomes a float64 at once: as a float32 the smallest would be flushed to zero on the way.
    return tf.where(value < least, tf.convert_to_tensor(least, tf.float64), value)
