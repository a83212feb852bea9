"""Statistics of layer outputs in TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..change import measurable
from ..saturation import SaturationBounds, bounds_of
from .chunks import Numbers
from .float_bits import FloatBits, count, float_bits, has_sign, norm_mean_and_std, share


def dead_units(output: Any) -> Any:
    """Returns, `[units]` bool, which units (last axis) are zero for every sample and position of the batch."""
    return _dead(float_bits(output))


def _dead(output: FloatBits) -> Any:
    rows = tf.reshape(output.bits, [-1, output.bits.shape[-1]])
    return tf.reduce_all(tf.equal(rows, 0), axis=0)


def layer_numbers(output: Any, activation: str, always_dead: Any = None) -> Numbers:
    """Returns the quantities of a layer's output.

    Args:
        output: `[batch, ..., units]`.
        activation: name of the layer's activation function.
        always_dead: `[units]` bool, which units were dead in every batch so far, this one included.
    """
    if not measurable(output.dtype):
        return {}
    bits = float_bits(output)
    size = tf.size(output, tf.int64)
    _, mean, std = norm_mean_and_std(bits)
    numbers: Numbers = {
        "zero_share": share(count(bits.zero), size),
        "output_mean": mean,
        "output_std": std,
        "output_max": bits.largest,
        "output_nonfinite": bits.nonfinite,
    }
    if (output.shape.rank or 0) > 1 and output.shape[-1]:
        numbers["dead_share"] = share(count(_dead(bits)), output.shape[-1])
        if always_dead is not None:
            numbers["always_dead_share"] = share(count(always_dead), output.shape[-1])
    for quantity, bounds in bounds_of(activation).items():
        numbers[quantity] = share(count(_is_flat(bits, bounds, output.dtype)), size)
    return numbers


def _is_flat(output: FloatBits, bounds: SaturationBounds, dtype: Any) -> Any:
    low, high = (tf.cast(tf.constant(np.asarray(b).astype(dtype.as_numpy_dtype)), output.values.dtype) for b in bounds)
    # Comparisons with zero use the bits: a subnormal number is not zero, and has a sign.
    below = output.zero | has_sign(output) if bounds.low == 0 else output.values <= low
    above = output.zero | has_sign(output, negative=False) if bounds.high == 0 else output.values >= high
    return below | above
