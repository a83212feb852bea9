"""The table's functions for layer outputs and for a batch's inputs, targets and predictions, in TensorFlow."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ._activations import CLIPPED, SMOOTH
from ._tensorflow import Numbers, _bits, _count, _norm, _share, _wide, measurable


def flat(structure: Any) -> list[Any]:
    """Returns the tensors of a nested structure of inputs or targets."""
    return [tf.convert_to_tensor(x) for x in tf.nest.flatten(structure) if x is not None]


def dead_units(output: Any) -> Any:
    """Returns, `[units]` bool, which units (last axis) are zero for every sample and place of the batch."""
    zero = tf.equal(output, 0)
    return tf.reduce_all(tf.reshape(zero, [-1, output.shape[-1]]), axis=0)


def layer_numbers(output: Any, activation: str, always_dead: Any = None) -> Numbers:
    """Returns the quantities of a layer's output; `always_dead` `[units]` is its running mask, this batch included."""
    if not measurable(output.dtype):
        return {}
    facts = _bits(output)
    wide = _wide(output)
    mean = tf.reduce_mean(wide)
    spread = wide - mean
    count = tf.maximum(facts.count, 1)
    found: Numbers = {
        "zero_share": _share(facts.zeros, count),
        "output_mean": tf.cast(mean, tf.float64),
        "output_std": _norm(spread, _bits(spread).largest) / tf.sqrt(tf.cast(count, tf.float64)),
        "output_max": facts.largest,
        "output_nonfinite": facts.nonfinite,
    }
    if output.shape.rank and output.shape[-1]:
        found["dead_share"] = _share(_count(dead_units(output)), output.shape[-1])
        if always_dead is not None:
            found["always_dead_share"] = _share(_count(always_dead), output.shape[-1])
    if activation in SMOOTH:
        derivative, largest = SMOOTH[activation]
        slope = derivative(wide)
        found["saturated_share"] = _share(_count(slope < 0.01 * largest), count)
        found["blocked_share"] = _share(_count(slope <= 0), count)
    elif activation in CLIPPED:
        low, high = CLIPPED[activation]
        blocked = wide <= low if high is None else (wide <= low) | (wide >= high)
        found["blocked_share"] = _share(_count(blocked), count)
    return found


def _samples(x: Any) -> Any:
    """Returns the tensor as `[samples, features]`; a scalar or vector has one feature."""
    return tf.reshape(x, [tf.shape(x)[0], -1]) if x.shape.rank is None or x.shape.rank > 1 else tf.reshape(x, [-1, 1])


def feature_spread(x: Any) -> Any:
    """Returns the standard deviation of each feature over the batch's samples, `[features]` float64."""
    rows = tf.cast(_samples(x), tf.float64)
    return tf.math.reduce_std(rows, axis=0)


def input_numbers(inputs: Any) -> Numbers:
    """Returns the quantities of a batch's inputs; whole numbers (token ids) tell no scale."""
    tensors = flat(inputs)
    floats = [x for x in tensors if x.dtype.is_floating]
    found: Numbers = {}
    if tensors and tensors[0].shape.rank != 0:
        found["batch_size"] = tf.shape(tensors[0], tf.int64)[0]
    if not floats:
        return {**found, "input_nonfinite": tf.zeros([], tf.int64)} if tensors else found
    facts = [_bits(x) for x in floats]
    whole = tf.concat([tf.reshape(tf.cast(x, tf.float64), [-1]) for x in floats], 0)
    spreads = tf.concat([feature_spread(x) for x in floats], 0)
    # A feature that varies by rounding alone does not vary.
    varies = spreads > 1e-7 * tf.concat([tf.reduce_max(tf.abs(tf.cast(_samples(x), tf.float64)), 0) for x in floats], 0)
    smallest = tf.reduce_min(tf.where(varies, spreads, tf.fill(tf.shape(spreads), tf.constant(float("inf"), tf.float64))))
    largest = tf.reduce_max(tf.where(varies, spreads, tf.zeros_like(spreads)))
    return {
        **found,
        "input_mean": tf.reduce_mean(whole),
        "input_std": tf.math.reduce_std(whole),
        "input_max": tf.reduce_max(tf.stack([f.largest for f in facts])),
        "input_scale_ratio": tf.where(largest > 0, largest / smallest, tf.ones([], tf.float64)),
        "input_constant_share": _share(_count(~varies), tf.size(spreads, tf.int64)),
        "input_nonfinite": tf.add_n([f.nonfinite for f in facts]),
    }


def target_numbers(targets: Any) -> Numbers:
    """Returns the quantities of a batch's targets (numbers of any type)."""
    tensors = [x for x in flat(targets) if x.dtype.is_floating or x.dtype.is_integer or x.dtype.is_bool]
    if not tensors:
        return {}
    whole = tf.concat([tf.reshape(tf.cast(x, tf.float64), [-1]) for x in tensors], 0)
    finite = tf.math.is_finite(whole)
    fractional = finite & tf.not_equal(whole, tf.math.floor(whole))
    found: Numbers = {
        "target_mean": tf.reduce_mean(whole),
        "target_std": tf.math.reduce_std(whole),
        "target_low": tf.reduce_min(whole),
        "target_high": tf.reduce_max(whole),
        "target_fraction_share": _share(_count(fractional), tf.size(whole, tf.int64)),
        "target_nonfinite": _count(~finite),
    }
    if len(tensors) == 1 and (tensors[0].shape.rank or 0) > 1 and (tensors[0].shape[-1] or 0) > 1:
        sums = tf.reduce_sum(tf.cast(tensors[0], tf.float64), axis=-1)
        found["target_sum_error"] = tf.reduce_max(tf.abs(sums - 1))
    return found


def prediction_numbers(predictions: Any) -> Numbers:
    """Returns the quantities of a batch's predictions."""
    floats = [x for x in flat(predictions) if x.dtype.is_floating and x.shape.rank != 0]
    if not floats:
        return {}
    spreads = tf.concat([feature_spread(x) for x in floats], 0)
    whole = tf.concat([tf.reshape(tf.cast(x, tf.float64), [-1]) for x in floats], 0)
    return {"prediction_mean": tf.reduce_mean(whole), "prediction_std": tf.reduce_max(spreads)}


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
