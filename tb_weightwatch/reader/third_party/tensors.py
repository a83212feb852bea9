"""The numbers of a TensorProto from disk: nothing is trusted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .histograms import MAX_BUCKETS

_RAW_DTYPES = {1: "<f4", 2: "<f8"}  # DT_FLOAT, DT_DOUBLE


def to_array(tensor: Any) -> NDArray[np.float64] | None:
    """Returns a TensorProto's numbers; None if it is damaged, too large, or holds none. Sizes are checked first."""
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    size = math.prod(max(0, length) for length in shape)
    if size > 3 * MAX_BUCKETS:
        return None
    try:
        # Nearly all tensors take one of these two ways, which are several times as fast as make_ndarray.
        if tensor.dtype in _RAW_DTYPES and tensor.tensor_content:
            return np.frombuffer(tensor.tensor_content, _RAW_DTYPES[tensor.dtype]).astype(np.float64).reshape(shape)
        if len(tensor.float_val) == 1 == size:
            return np.array(tensor.float_val[0], np.float64)
        from tensorboard.util import tensor_util

        return np.asarray(tensor_util.make_ndarray(tensor), np.float64)
    except Exception:  # of any type: the content is not ours
        return None


def tensor_numbers(tensor: Any, plugin: str) -> tuple[str, str, tuple[int, ...]] | None:
    """Returns where a tensor has its numbers: the field, their dtype and shape; None if `to_array` is to find out.

    Only for the common forms of a scalar, whose shape is given as (), and of a histogram, [n, 3].
    """
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    size = math.prod(shape)
    if min(shape, default=1) < 1 or size > 3 * MAX_BUCKETS:
        return None
    if tensor.dtype in _RAW_DTYPES and tensor.tensor_content:
        dtype = _RAW_DTYPES[tensor.dtype]
        if len(tensor.tensor_content) != size * np.dtype(dtype).itemsize:
            return None
        if plugin == "histograms" and len(shape) == 2 and shape[1] == 3:
            return "tensor_content", dtype, shape
        return ("tensor_content", dtype, ()) if plugin == "scalars" and size == 1 else None
    return ("float_val", "<f4", ()) if plugin == "scalars" and len(tensor.float_val) == 1 == size else None
