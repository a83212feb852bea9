"""Statistics of one variable in TensorFlow, for tensors on a device."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from .. import names
from ..change import NOT_OBSERVED, measurable
from .chunks import Numbers, Tensors, in_chunks
from .float_bits import LEAST, as_float32_or_64, at_least, changed, count, float_bits, l2_norm, norm_mean_and_std, share
from .gradients import dense, gradient_elements, is_measured_by_rows
from .sparse import unique_rows

# -- what one chunk, or a tensor as a whole, gives


def _weight_and_update(tensors: Tensors, is_changed: Any) -> Numbers:
    weight = float_bits(tensors["after"])
    norm, mean, std = norm_mean_and_std(weight)
    numbers: Numbers = {
        "weight_norm": norm,
        "weight_max": weight.largest,
        "weight_mean": mean,
        "weight_std": std,
        "weight_nonfinite": weight.nonfinite,
    }
    if is_changed is None:
        return numbers
    changes = count(is_changed)
    update = float_bits(weight.values - as_float32_or_64(tensors["before"]))
    # The difference of two subnormal numbers may be flushed to zero although the value changed.
    least = tf.where(changes > 0, tf.constant(LEAST, tf.float64), tf.zeros([], tf.float64))
    return numbers | {
        "update_norm": at_least(l2_norm(update), least),
        "update_max": at_least(update.largest, least),
        "changed": changes,
    }


def _gradient(gradient: Any, is_changed: Any) -> Numbers:
    bits = float_bits(gradient)
    numbers: Numbers = {
        "gradient_norm": l2_norm(bits),
        "gradient_max": bits.largest,
        "gradient_nonfinite": bits.nonfinite,
        "zero": count(bits.zero),
    }
    return numbers if is_changed is None else numbers | {"stuck": count(~(bits.zero | is_changed))}


def _changed(tensors: Tensors) -> Any:
    return changed(tensors["before"], tensors["after"]) if "before" in tensors else None


def _measure_all(tensors: Tensors) -> Numbers:
    is_changed = _changed(tensors)
    numbers = _weight_and_update(tensors, is_changed)
    return numbers | _gradient(tensors["gradient"], is_changed) if "gradient" in tensors else numbers


def _measure_gradient(tensors: Tensors) -> Numbers:
    return _gradient(tensors["gradient"], _changed(tensors))


def _with_shares(numbers: Numbers, size: Any, occurring: Any = None, absent: Any = 0) -> Numbers:
    """Replaces counts by shares.

    Args:
        numbers: of the whole tensor.
        size: number of elements of the variable.
        occurring: number of elements of the gradient's rows that occur; None: all.
        absent: number of elements of the measured gradient that belong to rows that do not occur, and so are zero.
    """
    counts = ("weight_mean", "changed", "zero", "stuck")
    shares = {name: value for name, value in numbers.items() if name not in counts}
    if "changed" in numbers:
        shares["changed_share"] = share(numbers["changed"], size)
    if "zero" in numbers:
        zeros = tf.cast(numbers["zero"], tf.int64) - absent
        shares["gradient_zero_share"] = share(zeros, size if occurring is None else occurring)
        shares["gradient_none"] = tf.zeros([], tf.float64)
    if "stuck" in numbers:
        shares["stuck_share"] = share(numbers["stuck"], size)
    return shares


# -- one variable


def change_numbers(gradient: Any, before: Any, after: Any, occurring: Any = None) -> Numbers:
    """Returns the quantities of a weight, its update and its gradient by name.

    Args:
        gradient: tensor, IndexedSlices, None (backpropagation gave no gradient), or `NOT_OBSERVED`.
        before: weight before the step, or None if it was not observed.
        after: weight after the step.
        occurring: number of elements of the gradient's rows that occur, if it was made `dense`; None: all.
    """
    tensors = {"after": after} | ({} if before is None else {"before": before})
    size = tf.size(after, tf.int64)
    if isinstance(gradient, tf.Tensor) and measurable(gradient.dtype) and _same_shape(gradient, after):
        numbers = in_chunks(_measure_all, tensors | {"gradient": gradient})
        return _with_shares(numbers, size, occurring, 0 if occurring is None else size - occurring)
    numbers = _with_shares(in_chunks(_measure_all, tensors), size)
    return numbers if gradient is NOT_OBSERVED else numbers | gradient_numbers(gradient, before, after)


def gradient_numbers(gradient: Any, before: Any, after: Any) -> Numbers:
    """Returns the quantities of the gradient alone (as `change_numbers`); `after` may be None, too."""
    if gradient is None:
        return {"gradient_none": tf.ones([], tf.float64)}
    if not measurable(gradient.dtype):
        return {}
    if is_measured_by_rows(gradient, after):
        rows, sums, elements = unique_rows(gradient)
        weights = {} if before is None else {"before": tf.gather(before, rows), "after": tf.gather(after, rows)}
        return row_gradient_numbers({"gradient": sums, **weights}, elements, tf.size(after, tf.int64))
    g, occurring = dense(gradient, gradient if after is None else after)
    has_weights = before is not None and _same_shape(g, after)
    tensors = {"gradient": g} | ({"before": before, "after": after} if has_weights else {})
    size = tf.size(g, tf.int64)
    numbers = in_chunks(_measure_gradient, tensors)
    return _with_shares(numbers, size, occurring, 0 if occurring is None else size - occurring)


def row_gradient_numbers(rows: Tensors, elements: Any, size: Any) -> Numbers:
    """Returns the quantities of a gradient of some rows.

    Args:
        rows: "gradient" and, where known, "before" and "after": the `UniqueRows` of each.
        elements: number of elements of the rows that occur.
        size: number of elements of the variable.
    """
    absent = tf.size(rows["gradient"], tf.int64) - elements
    return _with_shares(in_chunks(_measure_gradient, rows), size, elements, absent)


def norm(gradient: Any, weight: Any) -> Any:
    """Returns the l2 norm of a gradient of `weight`, dense or IndexedSlices, as float64."""
    return in_chunks(_measure_norm, {"gradient": gradient_elements(gradient, weight)})["gradient_norm"]


def _measure_norm(tensors: Tensors) -> Numbers:
    return {"gradient_norm": l2_norm(float_bits(tensors["gradient"]))}


def _same_shape(gradient: Any, weight: Any) -> bool:
    return bool(gradient.shape.is_compatible_with(weight.shape))


def in_order(numbers: Numbers, axis: str) -> tuple[Any, NDArray[np.bool_]]:
    """Returns the numbers of an axis in the order of the table, `[S]` float64, and which of them are known, `[S]`.

    A number that is not known is NaN.
    """
    unknown = tf.constant(np.nan, tf.float64)
    values = [tf.cast(numbers[name], tf.float64) if name in numbers else unknown for name in names(axis)]
    return tf.stack(values), np.array([name in numbers for name in names(axis)])
