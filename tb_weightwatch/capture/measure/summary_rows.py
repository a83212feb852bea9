"""From one variable's arrays to rows: what the summary functions keep between their calls."""

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


class SummaryRows:
    """Measures steps as they come, and hands their rows to the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.last = 0  # the last step
        self._items: dict[str, dict[str, Any]] = {}  # in the order of the V axis
        self._sketches: dict[str, Any] = {}  # of the last step's gradients

    def put(self, step: int, variables: Mapping[str, VariableArrays], run: Mapping[str, float]) -> None:
        """Measures one step and records it."""
        recorder = self._recorder
        if recorder.off:
            return
        if not self.last:
            recorder.budget.begin()
        began = time.perf_counter()
        self._describe(step, variables)
        follows, self.last = step == self.last + 1, step
        previous, self._sketches = self._sketches if follows else {}, {}
        numbers = {name: self._numbers(name, one, previous.get(name)) for name, one in variables.items()}
        rows = Rows(np.array([step], np.int64), np.array([time.time()]))
        for quantity in names("variable"):
            if any(quantity in found for found in numbers.values()):
                known = np.array([[quantity in numbers.get(name, {}) for name in self._items]])
                values = [[numbers.get(name, {}).get(quantity, np.nan) for name in self._items]]
                rows.variable[quantity] = Column(np.array(values, np.float64), known)
        for quantity, value in run.items():
            rows.run[quantity] = Column(np.array([value]), np.ones(1, bool))
        recorder.append(rows)
        recorder.tick(step)
        recorder.budget.spent(time.perf_counter() - began)

    def _numbers(self, name: str, one: VariableArrays, previous: Any) -> dict[str, float]:
        found = variable_statistics(one.gradient, one.before, one.after, previous_sample=previous)
        if isinstance(one.gradient, np.ndarray) and measurable(one.gradient.dtype):
            self._sketches[name] = sample(one.gradient)
            if one.sparse_size is not None:  # rows that do not occur say nothing
                zeros = round(found["gradient_zero_share"] * one.gradient.size) - (one.gradient.size - one.sparse_size)
                found["gradient_zero_share"] = zeros / max(one.sparse_size, 1)
        return found

    def _describe(self, step: int, variables: Mapping[str, VariableArrays]) -> None:
        changed = []
        for name, one in variables.items():
            item = {"name": name, "shape": list(one.after.shape), "dtype": one.dtype,
                    "layer": name.rpartition("/")[0], "trainable": True, "optimized": None}  # fmt: skip
            if self._items.get(name) != item:
                self._items[name] = item
                changed.append(item)
        if changed:
            # Before the first step is where a reader looks for the variables that were there from the beginning.
            self._recorder.describe(step if self.last else 0, "variables", {"items": changed})
