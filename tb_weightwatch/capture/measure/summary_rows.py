"""From the arrays of one step to a row: what the summary functions keep between their calls."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...history import Column, Rows
from ...statistics import measurable, names
from ...statistics.reference import sample, variable_statistics
from ..observe.as_numpy import VariableArrays
from ..recorder import Recorder
from ..schedule.budget import Budget


class SummaryRows:
    """Measures steps as they come, and appends their rows to the recorder.

    Args:
        recorder: gets the rows.
        budget: is charged with the time that measuring takes.

    Attributes:
        last_step: the last step that was recorded, or 0.
    """

    def __init__(self, recorder: Recorder, budget: Budget) -> None:
        self._recorder, self._budget = recorder, budget
        self.last_step = 0
        self._items: dict[str, dict[str, Any]] = {}  # descriptions of the variables in the order of the V axis
        self._sketches: dict[str, Any] = {}  # of the gradients of the last step

    def add(self, step: int, variables: Mapping[str, VariableArrays], run: Mapping[str, float]) -> None:
        """Measures one step and records it."""
        if self._recorder.off:
            return
        if not self.last_step:
            self._budget.begin()
        began = time.perf_counter()
        self._describe(step, variables)
        follows, self.last_step = step == self.last_step + 1, step
        previous, self._sketches = self._sketches if follows else {}, {}
        numbers = {name: self._numbers(name, arrays, previous.get(name)) for name, arrays in variables.items()}
        self._recorder.append(self._row(step, numbers, run))
        self._recorder.tick(step)
        self._budget.add_row_cost(time.perf_counter() - began)

    def _row(self, step: int, numbers: Mapping[str, Mapping[str, float]], run: Mapping[str, float]) -> Rows:
        rows = Rows(np.array([step], np.int64), np.array([time.time()]))
        for quantity in names("variable"):
            if any(quantity in variable for variable in numbers.values()):
                known = np.array([[quantity in numbers.get(name, {}) for name in self._items]])
                values = [[numbers.get(name, {}).get(quantity, np.nan) for name in self._items]]
                rows.variable[quantity] = Column(np.array(values, np.float64), known)
        for quantity, value in run.items():
            rows.run[quantity] = Column(np.array([value]), np.ones(1, bool))
        return rows

    def _numbers(self, name: str, arrays: VariableArrays, previous: Any) -> dict[str, float]:
        gradient = arrays.gradient
        numbers = variable_statistics(gradient, arrays.before, arrays.after, previous_sample=previous)
        if isinstance(gradient, np.ndarray) and measurable(gradient.dtype):
            self._sketches[name] = sample(gradient)
            if arrays.sparse_size is not None:  # rows that do not occur in a sparse gradient are not counted as zeros
                zeros = round(numbers["gradient_zero_share"] * gradient.size) - (gradient.size - arrays.sparse_size)
                numbers["gradient_zero_share"] = zeros / max(arrays.sparse_size, 1)
        return numbers

    def _describe(self, step: int, variables: Mapping[str, VariableArrays]) -> None:
        changed = []
        for name, arrays in variables.items():
            item = {"name": name, "shape": list(arrays.after.shape), "dtype": arrays.dtype,
                    "layer": name.rpartition("/")[0], "trainable": True, "optimized": None}  # fmt: skip
            if self._items.get(name) != item:
                self._items[name] = item
                changed.append(item)
        if changed:
            # A reader looks at step 0 for the variables that were there from the beginning.
            self._recorder.describe(step if self.last_step else 0, "variables", {"items": changed})
