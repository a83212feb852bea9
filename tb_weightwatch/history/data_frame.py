"""Recorded columns as a pandas data frame."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rows import Column


def data_frame(axis: str, steps: NDArray[np.int64], names: Sequence[str], columns: Mapping[str, Column]) -> Any:
    """Returns a data frame of the columns of one axis.

    Args:
        axis: "run", "variable" or "layer".
        steps: `[T]` the index; on an axis other than "run", each step is combined with each name.
        names: names of the variables or layers.
        columns: the columns by name.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        pandas: Any = importlib.import_module("pandas")
    except ImportError:
        raise ImportError("History.to_pandas needs pandas: pip install pandas (column() gives numpy arrays)") from None
    index = pandas.Index(steps, name="step")
    if axis != "run":
        index = pandas.MultiIndex.from_product([steps, names], names=["step", axis])
    frame = pandas.DataFrame(index=index)
    for name, column in columns.items():
        values, known = (array.reshape(-1).copy() for array in column)
        frame[name] = pandas.arrays.FloatingArray(values, ~known)
    return frame
