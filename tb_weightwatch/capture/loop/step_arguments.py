"""Checks of the values that `Watch.step` is given: their types and shapes. Numbers are never read.

They run at recorded steps, of which the first step is one.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from itertools import accumulate
from operator import mul
from typing import Any

import keras
import tensorflow as tf

from ..arguments import received, shape_text, static_shape
from ..observe import replicas

_LOSS = "loss must be a number or a tensor of numbers, whose mean is recorded"
# They have a dtype, but no mean can be taken of them.
_NO_NUMBERS = (
    *(type, keras.KerasTensor, keras.metrics.Metric, keras.losses.Loss, keras.layers.Layer),
    *(tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices),
)
_HINTS = {
    "inputs": "pass what the model was called with",
    "targets": "pass the targets of this batch",
    "predictions": "pass what the model returned for this batch",
}


def check_values(loss: Any, data: Mapping[str, Any]) -> None:
    """Checks the loss and the data of a step.

    Args:
        loss: as given to `Watch.step`.
        data: "inputs", "targets" and "predictions", as given.

    Raises:
        TypeError: one of them is no such value.
        ValueError: it belongs to a traced function, to another argument, or to each replica.
    """
    if any(map(replicas.is_per_replica, loss if isinstance(loss, (list, tuple)) else [loss])):
        raise ValueError(
            "loss must be one value, got one of each replica; reduce it: "
            'watch.step(strategy.reduce("SUM", loss, axis=None)), or "MEAN" if it is not yet divided by the size of '
            "the whole batch"
        )
    for name, value in {"loss": loss, **data}.items():
        if any(symbolic(tensor) for tensor in tf.nest.flatten(value)):
            raise ValueError(
                f"{name} must be a value, got a tensor of a traced tf.function; return it from the function: "
                "loss, ... = train_step(x, y)"
            )
    for name, value in data.items():
        _check_data(name, value)
        if value is not None and value is loss and static_shape(loss) != ():
            raise ValueError(f"loss must be the loss of the step, got the {name}; pass watch.step(loss, {name}=...)")
    _check_loss(loss)


def symbolic(value: Any) -> bool:
    """Checks whether a value is a tensor of a traced function, which has no numbers."""
    value = value.values if isinstance(value, tf.IndexedSlices) else value
    return bool(tf.is_tensor(value) and tf.is_symbolic_tensor(value))


# -- the loss


def _check_loss(loss: Any) -> None:
    """Raises TypeError or ValueError if the mean of the loss cannot be taken."""
    if loss is None or (type(loss) in (float, int)):
        return
    if isinstance(loss, (list, tuple)):
        shapes = [_number_shape(item) for item in loss]
        if not loss:
            raise ValueError(f"{_LOSS}; got {received(loss)}")
        if any(shape != shapes[0] for shape in shapes):
            texts = ", ".join(shape_text(shape) for shape in shapes[:4])
            raise ValueError(f"{_LOSS}; got {received(loss)} of different shapes, {texts}; pass their sum")
        return
    _number_shape(loss)


def _number_shape(loss: Any) -> tuple[int | None, ...]:
    """Returns the shape of a loss, or of one in a list; () for a number."""
    if isinstance(loss, (int, float)) and not isinstance(loss, bool):
        return ()
    is_array = hasattr(loss, "dtype") and not isinstance(loss, _NO_NUMBERS)
    shape = static_shape(loss) if is_array else None
    if is_array and not _is_real(loss.dtype):
        raise TypeError(f"{_LOSS}; got {received(loss)} and dtype {getattr(loss.dtype, 'name', loss.dtype)}")
    if not is_array or not (shape is not None or hasattr(loss, "__array__")):
        raise TypeError(f"{_LOSS}; got {received(loss)}{_loss_hint(loss)}")
    return shape if shape is not None else ()


def _is_real(dtype: Any) -> bool:
    try:
        kind = tf.as_dtype(dtype)
    except TypeError:  # of another framework, or of objects
        return getattr(dtype, "kind", "f") not in "OSUVcb"
    return bool(kind.is_floating or kind.is_integer)


def _loss_hint(loss: Any) -> str:
    if isinstance(loss, Mapping):
        key = next((name for name in ("loss", *loss) if name in loss), None)
        return f"; pass one of its values: watch.step(logs[{key!r}])" if key is not None else ""
    if isinstance(loss, keras.metrics.Metric):
        return "; pass the loss of this step, not a mean over steps"
    if isinstance(loss, (keras.losses.Loss, type)) or inspect.isroutine(loss):
        return "; pass the value that it returned: loss = loss_function(y, y_pred)"
    return ""


class LossLists:
    """Notices a list that the program extends from step to step, which holds the losses of all steps so far."""

    def __init__(self) -> None:
        self._list: list[Any] | None = None  # of an earlier step
        self._length = 0

    def check(self, loss: Any) -> None:
        """Raises ValueError if the loss is the same list as at an earlier step, but longer."""
        if not isinstance(loss, list):
            return
        if loss is self._list and len(loss) > self._length:
            raise ValueError(
                f"{_LOSS}; got a list that has grown from {self._length} to {len(loss)} since an earlier step; pass "
                "the loss of this step: watch.step(losses[-1])"
            )
        self._list, self._length = loss, len(loss)


# -- inputs, targets, predictions


def _check_data(name: str, value: Any) -> None:
    """Raises TypeError for what is certainly no batch: a model, a function, a whole data set, a single string."""
    if isinstance(value, (str, bytes)) and name != "inputs":
        raise TypeError(f"{name} must be arrays or tensors, got {received(value)}; {_HINTS[name]}")
    for leaf in tf.nest.flatten(value) if isinstance(value, (list, tuple, Mapping)) else [value]:
        is_batch = leaf is None or hasattr(leaf, "dtype") or isinstance(leaf, (bool, int, float, str, bytes))
        wrong = isinstance(leaf, (type, tf.data.Dataset, keras.layers.Layer, keras.losses.Loss, keras.KerasTensor))
        if wrong or (not is_batch and (inspect.isroutine(leaf) or inspect.isgenerator(leaf))):
            raise TypeError(f"{name} must be arrays or tensors, got {received(leaf)}; {_HINTS[name]}")


def check_lengths(targets: Any, predictions: Any) -> None:
    """Raises ValueError if targets and predictions cannot belong to the same samples."""
    for name, target, prediction in _pairs("", targets, predictions):
        mine, other = _lengths(target), _lengths(prediction)
        alike = _rank(target) == _rank(prediction) or {_rank(target), _rank(prediction)} == {1, 2}
        # Of other ranks nothing is certain: CTC, boxes and anchors, and sequences have axes of their own.
        if alike and mine and other and not mine & other and 1 not in (min(mine), min(other)):
            raise ValueError(
                "targets and predictions must be those of the same samples, but "
                f"targets{name} has shape {shape_text(_shape(target))} and "
                f"predictions{name} has shape {shape_text(_shape(prediction))}; pass both of this batch"
            )


def _rank(array: Any) -> int | None:
    shape = _shape(array)
    return None if shape is None else len(shape)


def _pairs(name: str, targets: Any, predictions: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yields the arrays that stand in the same place of both; other structures are not compared."""
    if isinstance(targets, Mapping) and isinstance(predictions, Mapping):
        for key in targets.keys() & predictions.keys():
            yield from _pairs(f"{name}[{key!r}]", targets[key], predictions[key])
    elif isinstance(targets, (list, tuple)) and isinstance(predictions, (list, tuple)):
        if len(targets) == len(predictions):
            for i, (target, prediction) in enumerate(zip(targets, predictions, strict=True)):
                yield from _pairs(f"{name}[{i}]", target, prediction)
    else:
        yield name, targets, predictions


def _lengths(value: Any) -> set[int]:
    """Returns how many samples an array may hold; none if that is not known.

    A loss over the tokens of sequences may take `[B, T]` targets and `[B * T, C]` predictions, so products of the first
    lengths count as well.
    """
    shape = _shape(value)
    known = shape[: shape.index(None)] if None in shape else shape
    return set(accumulate((int(length) for length in known if length is not None), mul))


def _shape(value: Any) -> tuple[int | None, ...]:
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (int, float)):
        return (len(value),)
    return static_shape(value) or ()
