"""Histories in memory: as the recorder stores them, from plain arrays, and with rounding errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_weightwatch.history import Column, History, Record, Rows

from . import synthetic_runs


def recorded_history(steps: int = 400, nan_from: int | None = None) -> History:
    """Returns a launch as the recorder stores it: healthy, or with NaN from a step on."""
    history = History("a1", started=synthetic_runs.STARTED)
    for record in synthetic_runs.facts():
        history.add(record)
    for start in range(1, steps + 1, 8):
        history.append(synthetic_runs.rows(start, 8, nan_from=nan_from))
    return history


def history_of(
    values: list[list[float]], known: list[list[bool]] | None = None, name: str = "gradient_norm"
) -> History:
    """Returns a History of one per-variable quantity, `[steps][variables]`, of the variables v0, v1, ..."""
    history = History("x")
    array = np.array(values, np.float64)
    names = [{"name": f"v{i}"} for i in range(array.shape[1])]
    history.add(Record(0, "variables", {"items": names}))
    mask = np.ones(array.shape, bool) if known is None else np.array(known)
    history.append(Rows(np.arange(1, len(array) + 1), np.zeros(len(array)), {name: Column(array, mask)}))
    return history


class RoundedHistory(History):
    """A copy of a History as another processor might compute it: numbers are wrong by a few of their last bits.

    Whole numbers (counts, shares of none and all) are exact on every processor and stay.
    """

    def __init__(self, history: History, seed: int) -> None:
        super().__init__(history.launch, started=history.started, complete=history.complete)
        self._rng = np.random.default_rng(seed)
        for record in history.records:
            self.add(record)
        self.append(history.rows(0, len(history)))

    def column(self, name: str) -> NDArray[Any]:
        """Returns the column, each number times 1 - 1e-15, 1 or 1 + 1e-15."""
        values = np.asarray(super().column(name), np.float64)
        noise = 1 + 1e-15 * self._rng.integers(-1, 2, values.shape)
        with np.errstate(invalid="ignore"):
            return np.where(values == np.round(values), values, values * noise)
