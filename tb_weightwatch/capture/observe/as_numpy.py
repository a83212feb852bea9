"""Takes arrays of any framework as numpy sees them, and says clearly what is wrong with them."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...statistics import NOT_OBSERVED

Array = NDArray[Any]


class Measured(NamedTuple):
    """One variable's step, as arrays."""

    gradient: Any  # array, None, or UNSEEN
    seen: int | None  # elements of the rows that a sparse gradient holds; None: it is dense
    before: Array | None
    after: Array
    dtype: str


def whole(value: Any, what: str = "step", least: int = 1) -> int:
    """Returns a whole number, not below `least`; raises TypeError or ValueError."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value if isinstance(value, int) else array(what, value)[()])
    except TypeError:
        raise TypeError(f"{what} must be a whole number, got {_shown(value)}") from None
    if number < least:
        raise ValueError(f"{what} must be {least} or more, got {number}")
    return number


def scalar(what: str, value: Any) -> float:
    """Returns one real number (NaN and infinities included); raises TypeError or ValueError."""
    found = array(what, value)
    if found.size != 1:
        raise ValueError(f"{what} must be one number, got shape {list(found.shape)}: reduce it to its mean, say")
    if found.dtype.kind == "c":
        raise TypeError(f"{what} must be a real number, got {_shown(value)}")
    return float(found.astype(np.float64).reshape(()))


def array(what: str, value: Any) -> Array:
    """Returns the array that stands behind a number, list, array, tensor or variable; raises TypeError."""
    if hasattr(value, "detach"):  # PyTorch: numpy takes no tensor that needs gradients, or stands on a device
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value  # exact; numpy has no such type
    try:
        found = np.asarray(value, np.float64) if isinstance(value, (list, tuple)) else np.asarray(value)
    except NotImplementedError as error:  # what TensorFlow says of a symbolic tensor
        raise TypeError(
            f"{what} has no value yet, since a tf.function is being traced; call ww.summary outside of it, with "
            "what it returns"
        ) from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{what} must be an array, got {_shown(value)}: {error}") from error
    if found.dtype.kind in "OSUMm":
        raise TypeError(f"{what} must be an array of numbers, got {_shown(value)}")
    return found


def measured(name: str, one: Any) -> Measured:
    """Returns (gradient, weight before, weight after) as arrays whose shapes agree; raises TypeError or ValueError."""
    if not isinstance(one, (tuple, list)) or len(one) != 3:
        raise TypeError(f"{name}: expected (gradient, weight_before, weight_after), got {_shown(one)}")
    gradient, before, after = one
    if after is None:
        raise TypeError(f"{name}: the weight after the step is missing")
    a = array(f"{name}: weight_after", after)
    b = None if before is None else array(f"{name}: weight_before", before)
    if b is not None and (_one_variable(before, after) or (b.flags.writeable and np.may_share_memory(a, b))):
        raise ValueError(
            f"{name}: weight_before and weight_after are one piece of memory, so no change could be seen; copy the "
            "weight before the step (weight.numpy().copy())"
        )
    if b is not None and b.shape != a.shape:
        raise ValueError(f"{name}: weight_before has shape {list(b.shape)}, weight_after {list(a.shape)}")
    g, seen = (gradient, None) if gradient is None or gradient is NOT_OBSERVED else _dense(name, gradient, a)
    if isinstance(g, np.ndarray) and g.shape != a.shape:
        raise ValueError(f"{name}: the gradient has shape {list(g.shape)}, the weight {list(a.shape)}")
    dtype = str(getattr(after, "dtype", a.dtype)).removeprefix("torch.") if hasattr(after, "detach") else a.dtype.name
    return Measured(g, seen, b, a, dtype)


def _one_variable(before: Any, after: Any) -> bool:
    return before is after and hasattr(after, "assign")


def _dense(name: str, gradient: Any, like: Array) -> tuple[Array, int | None]:
    """Returns the gradient and, for a sparse one (indices and values of rows), how many elements its rows have."""
    if not (hasattr(gradient, "indices") and hasattr(gradient, "values")) or callable(gradient.values):
        return array(f"{name}: gradient", gradient), None
    values = array(f"{name}: gradient", gradient.values)
    rows = array(f"{name}: gradient", gradient.indices)
    if values.shape[1:] != like.shape[1:] or rows.shape != values.shape[:1] or not like.ndim:
        raise ValueError(
            f"{name}: the gradient has {list(rows.shape)} rows of shape {list(values.shape[1:])}, "
            f"the weight has shape {list(like.shape)}"
        )
    if rows.size and (rows.min() < 0 or rows.max() >= len(like)):
        raise ValueError(f"{name}: the gradient has rows {rows.min()} to {rows.max()}, the weight has {len(like)} rows")
    total = np.zeros(like.shape, np.float64)
    np.add.at(total, rows, values.astype(np.float64))  # indices repeat, and their rows add up
    return total.astype(values.dtype), len(np.unique(rows)) * int(np.prod(like.shape[1:], dtype=np.int64))


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
