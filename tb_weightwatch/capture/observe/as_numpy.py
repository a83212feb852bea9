"""Converts arrays of any framework to numpy, with error messages that name the argument and what was received."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...statistics import NOT_OBSERVED

Array = NDArray[Any]


class VariableArrays(NamedTuple):
    """One step of one variable as arrays.

    Attributes:
        gradient: dense array, None (backpropagation gave none), or NOT_OBSERVED.
        sparse_size: number of elements in the rows that a sparse gradient holds; None: the gradient is dense.
        before: weight before the step, or None.
        after: weight after the step.
        dtype: name of the weight's type.
    """

    gradient: Any
    sparse_size: int | None
    before: Array | None
    after: Array
    dtype: str


def whole_number(value: Any, argument: str = "step", minimum: int = 1) -> int:
    """Returns an integer.

    Raises:
        TypeError: `value` is no whole number.
        ValueError: it is below `minimum`.
    """
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value if isinstance(value, int) else as_array(argument, value)[()])
    except TypeError:
        raise TypeError(f"{argument} must be a whole number, got {_abbreviated(value)}") from None
    if number < minimum:
        hint = "; training steps are counted from 1: pass step + 1" if argument == "step" else ""
        raise ValueError(f"{argument} must be {minimum} or more, got {number}{hint}")
    return number


def scalar(argument: str, value: Any) -> float:
    """Returns one real number, NaN and infinities included.

    Raises:
        TypeError: `value` is no real number.
        ValueError: it has several elements.
    """
    array = as_array(argument, value)
    if array.size != 1:
        shape = list(array.shape)
        raise ValueError(f"{argument} must be one number, got shape {shape}: reduce it, for example to its mean")
    if array.dtype.kind == "c":
        raise TypeError(f"{argument} must be a real number, got {_abbreviated(value)}")
    return float(array.astype(np.float64).reshape(()))


def as_array(argument: str, value: Any) -> Array:
    """Returns a number, list, array, tensor or variable as an array.

    Raises:
        TypeError: `value` cannot be converted, or has no value yet.
    """
    if hasattr(value, "detach"):  # PyTorch: numpy accepts no tensor that needs gradients or is on a device
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value  # exact; numpy has no such type
    try:
        array = np.asarray(value, np.float64) if isinstance(value, (list, tuple)) else np.asarray(value)
    except NotImplementedError as error:  # raised by TensorFlow for a symbolic tensor
        raise TypeError(
            f"{argument} has no value yet, since a tf.function is being traced; call ww.summary outside of it, with "
            "the values that it returns"
        ) from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{argument} must be an array, got {_abbreviated(value)}: {error}") from error
    if array.dtype.kind in "OSUMm":
        raise TypeError(f"{argument} must be an array of numbers, got {_abbreviated(value)}")
    return array


def variable_arrays(name: str, step: Any) -> VariableArrays:
    """Returns (gradient, weight_before, weight_after) of one variable as arrays whose shapes agree.

    Raises:
        TypeError: `step` is no such triple, or a part of it is no array.
        ValueError: shapes do not agree, or the weights before and after share their memory.
    """
    if not isinstance(step, (tuple, list)) or len(step) != 3:
        raise TypeError(f"{name}: expected (gradient, weight_before, weight_after), got {_abbreviated(step)}")
    gradient, before, after = step
    if after is None:
        raise TypeError(f"{name}: the weight after the step is missing")
    a = as_array(f"{name}: weight_after", after)
    b = None if before is None else as_array(f"{name}: weight_before", before)
    if b is not None and (_same_variable(before, after) or (b.flags.writeable and np.may_share_memory(a, b))):
        raise ValueError(
            f"{name}: weight_before and weight_after share their memory, so no change can be seen; copy the weight "
            "before the step (weight.numpy().copy())"
        )
    if b is not None and b.shape != a.shape:
        raise ValueError(f"{name}: weight_before has shape {list(b.shape)}, weight_after {list(a.shape)}")
    missing = gradient is None or gradient is NOT_OBSERVED
    g, sparse_size = (gradient, None) if missing else _dense(name, gradient, a)
    if isinstance(g, np.ndarray) and g.shape != a.shape:
        raise ValueError(f"{name}: the gradient has shape {list(g.shape)}, the weight {list(a.shape)}")
    torch = hasattr(after, "detach")
    dtype = str(getattr(after, "dtype", a.dtype)).removeprefix("torch.") if torch else a.dtype.name
    return VariableArrays(gradient=g, sparse_size=sparse_size, before=b, after=a, dtype=dtype)


def _same_variable(before: Any, after: Any) -> bool:
    return before is after and hasattr(after, "assign")


def _dense(name: str, gradient: Any, like: Array) -> tuple[Array, int | None]:
    """Returns the gradient as a dense array and, for a sparse one (indices and values), the elements of its rows."""
    if not (hasattr(gradient, "indices") and hasattr(gradient, "values")) or callable(gradient.values):
        return as_array(f"{name}: gradient", gradient), None
    values = as_array(f"{name}: gradient", gradient.values)
    rows = as_array(f"{name}: gradient", gradient.indices)
    if values.shape[1:] != like.shape[1:] or rows.shape != values.shape[:1] or not like.ndim:
        raise ValueError(
            f"{name}: the gradient has {list(rows.shape)} rows of shape {list(values.shape[1:])}, "
            f"the weight has shape {list(like.shape)}"
        )
    if rows.size and (rows.min() < 0 or rows.max() >= len(like)):
        raise ValueError(f"{name}: the gradient has rows {rows.min()} to {rows.max()}, the weight has {len(like)} rows")
    total = np.zeros(like.shape, np.float64)
    np.add.at(total, rows, values.astype(np.float64))  # indices may repeat, and their rows add up
    return total.astype(values.dtype), len(np.unique(rows)) * int(np.prod(like.shape[1:], dtype=np.int64))


def _abbreviated(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
