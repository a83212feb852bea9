"""From the arrays of one step to a row: what the summary functions keep between their calls."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...history import Column, Rows
from ...statistics import NOT_OBSERVED, VariableStep, fast, measurable
from ..observe.as_numpy import VariableArrays
from ..recorder import Recorder
from .grouped_statistics import variable_columns


class SummaryRows:
    """Measures steps as they come, and appends their rows to the recorder.

    Args:
        recorder: gets the rows.

    Attributes:
        last_step: the last step that was recorded, or 0.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.last_step = 0
        self._items: dict[str, dict[str, Any]] = {}  # descriptions of the variables in the order of the V axis
        self._order: dict[str, int] = {}  # name -> position on the V axis
        self._sketches: dict[str, Any] = {}  # of the gradients of the last step

    def add(self, step: int, follows: bool, variables: Mapping[str, VariableArrays], run: Mapping[str, float]) -> None:
        """Measures one step and records it; `follows`: it is the next one after the last that was recorded."""
        self._describe(step, variables)
        self.last_step = step
        previous, self._sketches = self._sketches if follows else {}, {}
        changes = {name: self._change(name, arrays, previous.get(name)) for name, arrays in variables.items()}
        rows = Rows(np.array([step], np.int64), np.array([time.time()]))
        rows.variable.update(variable_columns(changes, self._order))
        self._count_zeros_of_sparse(rows.variable.get("gradient_zero_share"), variables)
        for quantity, value in run.items():
            rows.run[quantity] = Column(np.array([value]), np.ones(1, bool))
        self._recorder.append(rows)
        self._recorder.tick(step)

    def _change(self, name: str, arrays: VariableArrays, previous: Any) -> VariableStep:
        gradient = arrays.gradient
        if isinstance(gradient, np.ndarray) and measurable(gradient.dtype):
            self._sketches[name] = sketch = fast.sample(gradient, arrays.after)
        else:
            previous = sketch = None
        return VariableStep(gradient, arrays.before, arrays.after, NOT_OBSERVED, previous, sketch)

    def _count_zeros_of_sparse(self, zeros: Column | None, variables: Mapping[str, VariableArrays]) -> None:
        """Counts the zeros of a sparse gradient among its rows alone; rows that do not occur in it are not counted."""
        for name, arrays in variables.items():
            if zeros is not None and arrays.sparse_size is not None:
                size, place = arrays.gradient.size, (0, self._order[name])
                count = round(zeros.values[place] * size) - (size - arrays.sparse_size)
                zeros.values[place] = count / max(arrays.sparse_size, 1)

    def _describe(self, step: int, variables: Mapping[str, VariableArrays]) -> None:
        changed = []
        for name, arrays in variables.items():
            item = {"name": name, "shape": list(arrays.after.shape), "dtype": arrays.dtype,
                    "layer": name.rpartition("/")[0], "trainable": True, "optimized": None}  # fmt: skip
            if self._items.get(name) != item:
                self._items[name] = item
                self._order.setdefault(name, len(self._order))
                changed.append(item)
        if changed:
            # A reader looks at step 0 for the variables that were there from the beginning.
            self._recorder.describe(step if self.last_step else 0, "variables", {"items": changed})
