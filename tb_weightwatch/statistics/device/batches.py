"""Statistics of a batch's inputs, targets and predictions in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from ..change import measurable
from .chunks import Numbers
from .float_bits import count, float_bits, share


def flat_tensors(structure: Any) -> list[Any]:
    """Returns the tensors of nested inputs or targets; ragged and sparse ones are left out."""
    unsupported = (tf.RaggedTensor, tf.SparseTensor)
    leaves = tf.nest.flatten(structure)
    return [tf.convert_to_tensor(x) for x in leaves if x is not None and not isinstance(x, unsupported)]


def batch_numbers(inputs: Any = None, targets: Any = None, predictions: Any = None) -> Numbers:
    """Returns the quantities of a batch, from whichever of its parts are given."""
    numbers: Numbers = {}
    if predictions is not None:
        numbers |= _prediction_numbers(predictions)
    if targets is not None:
        numbers |= _target_numbers(targets)
    if inputs is not None:
        numbers |= _input_numbers(inputs)
    return numbers


def _input_numbers(inputs: Any) -> Numbers:
    """Returns the quantities of a batch's inputs.

    Integers (token ids) have no scale: only `input_nonfinite` and `input_constant_share` are known of them.
    uint8 inputs are taken for images, which have one.
    """
    tensors = flat_tensors(inputs)
    numbers: Numbers = {}
    if tensors and tensors[0].shape.rank != 0:
        numbers["batch_size"] = tf.shape(tensors[0], tf.int64)[0]
    if not tensors or any(x.dtype == tf.string or x.dtype.is_complex for x in tensors):
        return numbers
    measured = [x for x in tensors if measurable(x.dtype) or x.dtype == tf.uint8]
    if not measured:
        return numbers | _integer_input_numbers(tensors)
    values, stds = _concatenated(measured), _feature_stds(measured)
    bits = float_bits(values)
    numbers |= {
        "input_mean": tf.reduce_mean(values),
        "input_std": _std(values),
        "input_max": bits.largest,
        "input_nonfinite": bits.nonfinite,
    }
    return numbers if stds is None else numbers | _scale_numbers(stds)


def _integer_input_numbers(tensors: list[Any]) -> Numbers:
    numbers: Numbers = {"input_nonfinite": tf.zeros([], tf.int64)}
    varying = [tf.reduce_any(_samples(x) != _samples(x)[:1], axis=0) for x in tensors if not _is_single_sample(x)]
    if varying:
        constant = ~tf.concat(varying, 0)
        numbers["input_constant_share"] = share(count(constant), tf.size(constant, tf.int64))
    return numbers


def _scale_numbers(stds: Any) -> Numbers:
    """Returns what the standard deviations of the features, `[features]`, show of their scales."""
    constant = tf.equal(stds, 0)
    infinite = tf.fill(tf.shape(stds), tf.constant(np.inf, tf.float64))
    ratio = _extreme(stds, tf.reduce_max) / _extreme(tf.where(constant, infinite, stds), tf.reduce_min)
    unknown = tf.constant(np.nan, tf.float64)
    constant_share = share(count(constant), tf.size(stds, tf.int64))
    return {
        "input_scale_ratio": tf.where(tf.reduce_all(constant), unknown, ratio),
        "input_constant_share": tf.where(tf.reduce_all(tf.math.is_nan(stds)), unknown, constant_share),
    }


def _target_numbers(targets: Any) -> Numbers:
    """Returns the quantities of a batch's targets (numbers of any type)."""
    tensors = [x for x in flat_tensors(targets) if measurable(x.dtype) or x.dtype.is_integer or x.dtype.is_bool]
    if not tensors:
        return {}
    values = _concatenated(tensors)
    fractions = count(tf.not_equal(values, tf.math.floor(values)))
    numbers: Numbers = {
        "target_mean": tf.reduce_mean(values),
        "target_std": _std(values),
        "target_low": _extreme(values, tf.reduce_min),
        "target_high": _extreme(values, tf.reduce_max),
        "target_fraction_share": share(fractions, tf.size(values, tf.int64)),
        "target_nonfinite": float_bits(values).nonfinite,
    }
    if len(tensors) == 1 and (tensors[0].shape.rank or 0) > 1 and (tensors[0].shape[-1] or 0) > 1:
        sums = tf.reduce_sum(tf.cast(tensors[0], tf.float64), axis=-1)
        numbers["target_sum_error"] = _extreme(tf.reshape(tf.abs(sums - 1), [-1]), tf.reduce_max)
    return numbers


def _prediction_numbers(predictions: Any) -> Numbers:
    """Returns the quantities of a batch's predictions."""
    tensors = [x for x in flat_tensors(predictions) if measurable(x.dtype) and x.shape.rank != 0]
    if not tensors:
        return {}
    numbers: Numbers = {"prediction_mean": tf.reduce_mean(_concatenated(tensors))}
    stds = _feature_stds(tensors)
    if stds is not None:
        numbers["prediction_std"] = _extreme(stds, tf.reduce_max)
    return numbers


# -- of all tensors of a part


def _concatenated(tensors: list[Any]) -> Any:
    return tf.concat([tf.reshape(tf.cast(x, tf.float64), [-1]) for x in tensors], 0)


def _std(values: Any) -> Any:
    return tf.math.reduce_std(values - tf.reduce_sum(values[:1]))  # exactly 0 for equal elements


def _extreme(values: Any, reduce: Callable[[Any], Any]) -> Any:
    """Returns the smallest or largest of float64 values; NaN if one is NaN, or if there is none."""
    unknown = tf.reduce_any(tf.math.is_nan(values)) | tf.equal(tf.size(values), 0)
    return tf.where(unknown, tf.constant(np.nan, tf.float64), reduce(values))


def _samples(x: Any) -> Any:
    """Returns the tensor as `[samples, features]`; a scalar or vector has one feature."""
    return tf.reshape(x, [tf.shape(x)[0], -1]) if x.shape.rank is None or x.shape.rank > 1 else tf.reshape(x, [-1, 1])


def _is_single_sample(x: Any) -> bool:
    """Checks whether the shape says that there is one sample, which has no standard deviation."""
    return bool(x.shape.rank == 0 or x.shape[:1].as_list() == [1])


def _feature_stds(tensors: list[Any]) -> Any:
    stds = [_feature_std(x) for x in tensors if not _is_single_sample(x)]
    return tf.concat(stds, 0) if stds else None


def _feature_std(x: Any) -> Any:
    """Returns the standard deviation of each feature over the samples, `[features]` float64; 0 for equal samples.

    It is NaN if the batch turns out to have one sample.
    """
    rows = tf.cast(_samples(x), tf.float64)
    nan_if_single = tf.where(tf.shape(rows)[0] < 2, tf.constant(np.nan, tf.float64), tf.zeros([], tf.float64))
    return tf.math.reduce_std(rows - rows[:1], axis=0) + nan_if_single
