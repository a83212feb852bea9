"""The numbers of two launches at the steps that both recorded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..statistics import Quantity
from .rounding import TIE, Floats

SAME = 0.01  # relative: numbers are recorded to about half a percent, and processors round differently


class CommonSteps(NamedTuple):
    """The steps that two launches both recorded, and their rows in each of them; all `[C]`."""

    steps: NDArray[np.int64]
    rows: NDArray[np.intp]
    other_rows: NDArray[np.intp]


class PairedSeries(NamedTuple):
    """A quantity of two launches at their C common steps, for the P variables or layers that both have.

    Attributes:
        quantity: the quantity.
        one: `[C, P]` its values in the first launch.
        other: `[C, P]` its values in the second one.
        difference: `[C, P]` the difference relative to the larger value (of a cosine, to 1); 0 where one launch did not
            record it, 1 at most where only one value is finite.
        names: `[P]` names in the first launch; one "" for a run-wide quantity.
    """

    quantity: Quantity
    one: Floats
    other: Floats
    difference: Floats
    names: list[str]

    def first_difference(self, tolerance: float = SAME) -> int | None:
        """Returns the index of the first common step at which a difference exceeds the tolerance, or None."""
        rows = np.flatnonzero((self.difference > tolerance * (1 + TIE)).any(axis=1))
        return int(rows[0]) if len(rows) else None


def common_steps(one: History, other: History) -> CommonSteps:
    """Returns the steps that both launches recorded."""
    return CommonSteps(*np.intersect1d(one.steps, other.steps, return_indices=True))


def paired(quantity: Quantity, one: History, other: History, common: CommonSteps) -> PairedSeries | None:
    """Returns a quantity of both launches; None if one of them does not have it."""
    if not (one.has(quantity.name) and other.has(quantity.name)):
        return None
    columns, other_columns = _matching_columns(quantity.axis, one, other)
    a, a_known = _selected(one, quantity.name, common.rows, columns)
    b, b_known = _selected(other, quantity.name, common.other_rows, other_columns)
    scale = np.ones(a.shape) if quantity.encoding == "cosine" else np.maximum(np.abs(a), np.abs(b))
    difference = np.where(a_known & b_known, _difference(a, b, scale), 0.0)
    names = [""] if quantity.axis == "run" else _names(quantity.axis, one)
    return PairedSeries(quantity, a, b, difference, [names[column] for column in columns])


def _selected(history: History, name: str, rows: NDArray[np.intp], columns: list[int]) -> tuple[Any, Any]:
    shape = (len(history), -1)
    values = np.asarray(history.column(name), np.float64).reshape(shape)
    return values[rows][:, columns], history.known(name).reshape(shape)[rows][:, columns]


def _names(axis: str, history: History) -> list[str]:
    return [x.name for x in (history.variables if axis == "variable" else history.layers)]


def _matching_columns(axis: str, one: History, other: History) -> tuple[list[int], list[int]]:
    """Returns which columns belong together: all in order if their shapes are the same, else those of equal names."""
    if axis == "run":
        return [0], [0]
    names, other_names = _names(axis, one), _names(axis, other)
    shapes = [[v.shape for v in h.variables] if axis == "variable" else [None] * len(h.layers) for h in (one, other)]
    if shapes[0] == shapes[1]:
        return list(range(len(names))), list(range(len(other_names)))
    columns_by_name = {name: column for column, name in enumerate(other_names)}
    both = [(column, columns_by_name[name]) for column, name in enumerate(names) if name in columns_by_name]
    return [column for column, _ in both], [column for _, column in both]


def _difference(a: Floats, b: Floats, scale: Floats) -> Floats:
    with np.errstate(all="ignore"):
        difference = np.abs(a - b) / scale
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isfinite(difference), difference, 1.0))
