"""The table's functions for layer outputs and for a batch's inputs, targets and predictions, in TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..saturation import BLOCKED, SATURATED, Flat
from .float_bits import FloatBits, count, magnitude, measurable, share, signed, spread
from .variables import Numbers


def flat(structure: Any) -> list[Any]:
    """Returns the tensors of a nested structure of inputs or targets; ragged and sparse ones are left out."""
    odd = (tf.RaggedTensor, tf.SparseTensor)
    return [tf.convert_to_tensor(x) for x in tf.nest.flatten(structure) if x is not None and not isinstance(x, odd)]


# -- layers


def dead_units(output: Any) -> Any:
    """Returns, `[units]` bool, which units (last axis) are zero for every sample and place of the batch."""
    return _dead(magnitude(output))


def _dead(found: FloatBits) -> Any:
    rows = tf.reshape(found.bits, [-1, found.bits.shape[-1]])
    return tf.reduce_all(tf.equal(rows, 0), axis=0)


def layer_numbers(output: Any, activation: str, always_dead: Any = None) -> Numbers:
    """Returns the quantities of a layer's output; `always_dead` `[units]` is its running mask, this batch included."""
    if not measurable(output.dtype):
        return {}
    found = magnitude(output)
    whole = tf.size(output, tf.int64)
    _, mean, deviation = spread(found)
    numbers: Numbers = {
        "zero_share": share(count(found.zero), whole),
        "output_mean": mean,
        "output_std": deviation,
        "output_max": found.largest,
        "output_nonfinite": found.nonfinite,
    }
    if (output.shape.rank or 0) > 1 and output.shape[-1]:
        numbers["dead_share"] = share(count(_dead(found)), output.shape[-1])
        if always_dead is not None:
            numbers["always_dead_share"] = share(count(always_dead), output.shape[-1])
    for name, table in (("saturated_share", SATURATED), ("blocked_share", BLOCKED)):
        if activation in table:
            numbers[name] = share(count(_outside(found, table[activation], output.dtype)), whole)
    return numbers


def _outside(found: FloatBits, bounds: Flat, dtype: Any) -> Any:
    low, high = (tf.cast(tf.constant(np.asarray(b).astype(dtype.as_numpy_dtype)), found.wide.dtype) for b in bounds)
    # Against zero the bits are compared: what is subnormal is neither zero nor without a sign.
    below = found.zero | signed(found) if bounds.low == 0 else found.wide <= low
    above = found.zero | signed(found, False) if bounds.high == 0 else found.wide >= high
    return below | above


# -- batches


def _samples(x: Any) -> Any:
    """Returns the tensor as `[samples, features]`; a scalar or vector has one feature."""
    return tf.reshape(x, [tf.shape(x)[0], -1]) if x.shape.rank is None or x.shape.rank > 1 else tf.reshape(x, [-1, 1])


def feature_spread(x: Any) -> Any:
    """Returns the standard deviation of each feature over the samples, `[features]` float64; 0 where all are equal.

    A batch of one sample tells nothing of a spread: NaN.
    """
    rows = tf.cast(_samples(x), tf.float64)
    alone = tf.where(tf.shape(rows)[0] < 2, tf.constant(np.nan, tf.float64), tf.zeros([], tf.float64))
    return tf.math.reduce_std(rows - rows[:1], axis=0) + alone


def _alone(x: Any) -> bool:
    """Says whether it is known that there is but one sample, which tells nothing of a spread."""
    return bool(x.shape.rank == 0 or x.shape[:1].as_list() == [1])


def _spreads(tensors: list[Any]) -> Any:
    found = [feature_spread(x) for x in tensors if not _alone(x)]
    return tf.concat(found, 0) if found else None


def _whole(tensors: list[Any]) -> Any:
    return tf.concat([tf.reshape(tf.cast(x, tf.float64), [-1]) for x in tensors], 0)


def _extreme(values: Any, reduce: Any) -> Any:
    """Returns the smallest or largest of float64 values; NaN if there is a NaN, or nothing."""
    odd = tf.reduce_any(tf.math.is_nan(values)) | tf.equal(tf.size(values), 0)
    return tf.where(odd, tf.constant(np.nan, tf.float64), reduce(values))


def _deviation(values: Any) -> Any:
    return tf.math.reduce_std(values - tf.reduce_sum(values[:1]))


def input_numbers(inputs: Any) -> Numbers:
    """Returns the quantities of a batch's inputs.

    Whole numbers (token ids) have no scale: of them `input_nonfinite` and `input_constant_share` alone are known. uint8
    ones are pictures.
    """
    tensors = flat(inputs)
    found: Numbers = {}
    if tensors and tensors[0].shape.rank != 0:
        found["batch_size"] = tf.shape(tensors[0], tf.int64)[0]
    if not tensors or any(x.dtype == tf.string or x.dtype.is_complex for x in tensors):
        return found
    real = [x for x in tensors if measurable(x.dtype) or x.dtype == tf.uint8]
    if not real:
        varied = [tf.reduce_any(_samples(x) != _samples(x)[:1], axis=0) for x in tensors if not _alone(x)]
        told = {**found, "input_nonfinite": tf.zeros([], tf.int64)}
        if not varied:
            return told
        still = ~tf.concat(varied, 0)
        return {**told, "input_constant_share": share(count(still), tf.size(still, tf.int64))}
    whole, spreads = _whole(real), _spreads(real)
    bits = magnitude(whole)
    found |= {
        "input_mean": tf.reduce_mean(whole),
        "input_std": _deviation(whole),
        "input_max": bits.largest,
        "input_nonfinite": bits.nonfinite,
    }
    if spreads is None:
        return found
    constant = tf.equal(spreads, 0)
    infinite = tf.fill(tf.shape(spreads), tf.constant(np.inf, tf.float64))
    ratio = _extreme(spreads, tf.reduce_max) / _extreme(tf.where(constant, infinite, spreads), tf.reduce_min)
    nothing = tf.constant(np.nan, tf.float64)
    return {
        **found,
        "input_scale_ratio": tf.where(tf.reduce_all(constant), nothing, ratio),
        "input_constant_share": tf.where(
            tf.reduce_all(tf.math.is_nan(spreads)), nothing, share(count(constant), tf.size(spreads, tf.int64))
        ),
    }


def target_numbers(targets: Any) -> Numbers:
    """Returns the quantities of a batch's targets (numbers of any type)."""
    tensors = [x for x in flat(targets) if measurable(x.dtype) or x.dtype.is_integer or x.dtype.is_bool]
    if not tensors:
        return {}
    whole = _whole(tensors)
    found: Numbers = {
        "target_mean": tf.reduce_mean(whole),
        "target_std": _deviation(whole),
        "target_low": _extreme(whole, tf.reduce_min),
        "target_high": _extreme(whole, tf.reduce_max),
        "target_fraction_share": share(count(tf.not_equal(whole, tf.math.floor(whole))), tf.size(whole, tf.int64)),
        "target_nonfinite": magnitude(whole).nonfinite,
    }
    if len(tensors) == 1 and (tensors[0].shape.rank or 0) > 1 and (tensors[0].shape[-1] or 0) > 1:
        sums = tf.reduce_sum(tf.cast(tensors[0], tf.float64), axis=-1)
        found["target_sum_error"] = _extreme(tf.reshape(tf.abs(sums - 1), [-1]), tf.reduce_max)
    return found


def prediction_numbers(predictions: Any) -> Numbers:
    """Returns the quantities of a batch's predictions."""
    floats = [x for x in flat(predictions) if measurable(x.dtype) and x.shape.rank != 0]
    if not floats:
        return {}
    found: Numbers = {"prediction_mean": tf.reduce_mean(_whole(floats))}
    spreads = _spreads(floats)
    if spreads is not None:
        found["prediction_std"] = _extreme(spreads, tf.reduce_max)
    return found


def batch_numbers(inputs: Any = None, targets: Any = None, predictions: Any = None) -> Numbers:
    """Returns what is known of a batch from whichever of these is given."""
    found: Numbers = {}
    if predictions is not None:
        found |= prediction_numbers(predictions)
    if targets is not None:
        found |= target_numbers(targets)
    if inputs is not None:
        found |= input_numbers(inputs)
    return found
