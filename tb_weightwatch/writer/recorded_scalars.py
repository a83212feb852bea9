"""Which recorded numbers are written as scalars: at most a dozen a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..history import Column, History, Rows

MOST_KERNELS = 8  # of which update ratios are written


class ScalarSelection:
    """Selects scalars of rows.

    Args:
        history: knows the variables of the rows.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._width = -1  # number of variables that the kernels were chosen of
        self._kernels: dict[int, str] = {}  # index on the variable axis -> name

    def numbers(self, rows: Rows, row: int) -> dict[str, float]:
        """Returns the scalars of a row by name, at most a dozen; those that were not recorded are left out."""
        numbers = {}
        for name in ("loss", "learning_rate"):
            column = rows.run.get(name)
            if column is not None and column.known[row]:
                numbers[name] = float(column.values[row])
        norms = _row(rows.variable.get("gradient_norm"), row)
        known = norms[1] if norms else np.zeros(0, bool)
        if norms and known.any():
            with np.errstate(over="ignore"):
                numbers["gradient_norm"] = float(np.sqrt(np.sum(norms[0][known] ** 2)))
        return {**numbers, **self._ratios(rows, row)}

    def _ratios(self, rows: Rows, row: int) -> dict[str, float]:
        """Returns ||update|| / ||weight|| of the chosen kernels and the median of all kernels."""
        update, weight = (_row(rows.variable.get(name), row) for name in ("update_norm", "weight_norm"))
        if update is None or weight is None:
            return {}
        with np.errstate(all="ignore"):
            ratios = np.where(update[0] == 0, 0.0, update[0] / weight[0])
        known = update[1] & weight[1]
        if len(ratios) != self._width:
            self._width, self._kernels = len(ratios), _kernels(self._history.described("variables"))
        kernels = [index for index in self._kernels if index < len(ratios) and known[index]]
        finite = ratios[[index for index in kernels if np.isfinite(ratios[index])]]
        numbers = {"update_ratio/median": float(np.median(finite))} if len(finite) else {}
        shown = [index for index in chosen(list(self._kernels)) if index in set(kernels)]
        return {**numbers, **{f"update_ratio/{self._kernels[index]}": float(ratios[index]) for index in shown}}


def _kernels(items: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Returns index -> name of the trained variables with two axes or more; of all trained ones if none has."""
    trained = {index: item for index, item in enumerate(items) if item.get("trainable", True)}
    kernels = {index: item for index, item in trained.items() if len(item.get("shape") or ()) >= 2}
    return {index: str(item["name"]) for index, item in (kernels or trained).items()}


def chosen(indices: Sequence[int]) -> list[int]:
    """Returns at most `MOST_KERNELS` of the indices, evenly from the first to the last."""
    positions = np.unique(np.linspace(0, len(indices) - 1, min(MOST_KERNELS, len(indices))).round().astype(int))
    return [indices[position] for position in positions] if len(indices) else []


def _row(column: Column | None, row: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Returns the values of a row and which are known, each `[V]`; None if the column was not recorded."""
    return None if column is None else (column.values[row].astype(np.float64), column.known[row])
