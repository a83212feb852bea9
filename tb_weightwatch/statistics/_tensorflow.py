"""The table's functions in TensorFlow: eager, in a graph, and under XLA. `_numpy` is their reference.

Zero, non-finite and largest are read from the bits: TensorFlow and XLA flush subnormal numbers to zero, and the bits of
non-negative floats are ordered like the numbers. Results are float64, in which every count is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from . import names

SKETCH = 65_536  # elements of a gradient that are kept to compare it with the next one
_LAYOUT = {  # dtype -> integer type of its bits, bits of infinity, value of the smallest subnormal
    tf.float16: (tf.int16, 0x7C00, 2.0**-24),
    tf.bfloat16: (tf.int16, 0x7F80, 2.0**-133),
    tf.float32: (tf.int32, 0x7F800000, 2.0**-149),
    tf.float64: (tf.int64, 0x7FF0000000000000, 2.0**-1074),
}
Numbers = dict[str, Any]


def measurable(dtype: Any) -> bool:
    """Says whether variables of that dtype are measured (floating-point ones)."""
    return dtype in _LAYOUT


class _Bits(NamedTuple):
    """Facts of a tensor that only its bits tell."""

    bits: Any
    zero: Any  # bool per element
    count: Any  # int64 scalar: elements
    zeros: Any  # int64 scalar
    nonfinite: Any  # int64 scalar
    largest: Any  # float64 scalar, largest finite |x| (NaN if there is a NaN, Inf if there is an Inf)


def _count(mask: Any) -> Any:
    return tf.math.count_nonzero(mask, dtype=tf.int64)


def _bits(x: Any) -> _Bits:
    kind, infinity, tiny = _LAYOUT[x.dtype]
    top = np.array((1 << (kind.size * 8 - 1)) - 1, kind.as_numpy_dtype)
    bits = tf.bitwise.bitwise_and(tf.bitcast(x, kind), top)
    zero = tf.equal(bits, 0)
    highest = tf.reduce_max(tf.concat([tf.reshape(tf.reduce_max(bits), [1]), tf.zeros([1], kind)], 0))
    normal = tf.cast(tf.bitcast(highest, x.dtype), tf.float64)
    first_normal = 1 << {2: 10 if x.dtype == tf.float16 else 7, 4: 23, 8: 52}[kind.size]
    largest = tf.where(highest < first_normal, tf.cast(highest, tf.float64) * tiny, normal)
    return _Bits(bits, zero, tf.size(x, tf.int64), _count(zero), _count(bits >= infinity), largest)


def _wide(x: Any) -> Any:
    return x if x.dtype in (tf.float32, tf.float64) else tf.cast(x, tf.float32)


def _norm(x: Any, largest: Any) -> Any:
    """Returns the l2 norm as float64, without overflow or underflow: scaled by the largest element."""
    wide = _wide(x)
    usable = tf.math.is_finite(largest) & (largest > 0)
    scale = tf.where(usable, tf.cast(largest, wide.dtype), tf.ones([], wide.dtype))
    scale = tf.where(scale > 0, scale, tf.ones([], wide.dtype))  # a subnormal largest, flushed
    inner = tf.sqrt(2.0 * tf.cast(tf.nn.l2_loss(wide / scale), tf.float64)) * tf.cast(scale, tf.float64)
    return tf.where(usable, tf.maximum(inner, largest), largest)


def _share(part: Any, whole: Any) -> Any:
    return tf.cast(part, tf.float64) / tf.cast(tf.maximum(whole, 1), tf.float64)


def dense(gradient: Any, like: Any) -> tuple[Any, Any]:
    """Returns the gradient as a tensor and, for IndexedSlices, how many of its rows occur (else None)."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.convert_to_tensor(gradient), None
    rows = tf.shape(like)[0]
    values = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, rows)
    ones = tf.ones(tf.shape(gradient.indices), tf.int32)
    seen = tf.math.unsorted_segment_sum(ones, gradient.indices, rows) > 0
    return values, _count(seen)


def norm(gradient: Any, like: Any) -> Any:
    """Returns the l2 norm of a gradient (dense or IndexedSlices) of a variable shaped like `like`, as float64."""
    g, _ = dense(gradient, like)
    return _norm(g, _bits(g).largest)


def gradient_numbers(gradient: Any, before: Any, after: Any) -> Numbers:
    """Returns the quantities of one gradient (`None`: there is none); `before` and `after` may be None."""
    if gradient is None:
        return {"gradient_none": tf.ones([], tf.float64)}
    like = gradient if before is None else before
    g, seen = dense(gradient, like)
    facts = _bits(g)
    count, zeros = facts.count, facts.zeros
    if seen is not None:  # rows that do not occur say nothing
        width = facts.count // tf.maximum(tf.cast(tf.shape(like)[0], tf.int64), 1)
        count, zeros = seen * width, zeros - (facts.count - seen * width)
    found = {
        "gradient_norm": _norm(g, facts.largest),
        "gradient_max": facts.largest,
        "gradient_zero_share": _share(zeros, count),
        "gradient_nonfinite": facts.nonfinite,
        "gradient_none": tf.zeros([], tf.float64),
    }
    if before is not None:
        same = tf.equal(_raw(before), _raw(after))
        found["stuck_share"] = _share(_count(~facts.zero & same), facts.count)
    return found


def _raw(x: Any) -> Any:
    return tf.bitcast(x, _LAYOUT[x.dtype][0])


def weight_numbers(before: Any, after: Any) -> Numbers:
    """Returns the quantities of a weight and its update; `before` may be None (then only the weight's)."""
    facts = _bits(after)
    wide = _wide(after)
    mean = tf.reduce_mean(wide)
    spread = wide - mean
    found = {
        "weight_norm": _norm(after, facts.largest),
        "weight_max": facts.largest,
        "weight_std": _norm(spread, _bits(spread).largest) / tf.sqrt(tf.cast(tf.maximum(facts.count, 1), tf.float64)),
        "weight_nonfinite": facts.nonfinite,
    }
    if before is not None:
        delta = wide - _wide(before)
        moved = _bits(delta)
        found |= {
            "update_norm": _norm(delta, moved.largest),
            "update_max": moved.largest,
            "changed_share": _share(_count(tf.not_equal(_raw(before), _raw(after))), facts.count),
        }
    return found


def sketch(gradient: Any, like: Any) -> Any:
    """Returns at most `SKETCH` evenly spaced elements of the gradient, `[k]` float32; k depends on the shape alone."""
    g, _ = dense(gradient, like)
    flat = tf.cast(tf.reshape(g, [-1]), tf.float32)
    return flat[:: max(1, -(-int(np.prod(like.shape)) // SKETCH))]


def cosine(a: Any, b: Any) -> Any:
    """Returns the cosine between two sketches as float64; NaN where one of them is zero."""

    def unit(x: Any) -> Any:
        x = x / tf.maximum(tf.reduce_max(tf.abs(x)), 1e-37)
        return x / tf.norm(x)

    return tf.cast(tf.reduce_sum(unit(a) * unit(b)), tf.float64)


def stacked(numbers: Numbers, axis: str) -> tuple[Any, Any]:
    """Returns an axis' numbers `[S]` float64 in the order of the table, and which of them are known, `[S]` float64."""
    order = names(axis)
    unknown = tf.zeros([], tf.float64)
    values = tf.stack([tf.cast(numbers[n], tf.float64) if n in numbers else unknown for n in order])
    return values, tf.constant([float(n in numbers) for n in order], tf.float64)
