"""The numbers of two launches, held against each other by the steps that both recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..statistics import Quantity

SAME = 0.01  # of the larger; numbers are kept to about half a hundredth, and processors round each in its own way


class PairedSeries(NamedTuple):
    """A quantity of two launches.

    Attributes:
        one: values `[common steps, places]`.
        other: likewise.
        apart: how far they are apart, against the larger of them; 0 where one of them was not recorded.
        names: of the places, in the first launch; one "" of a run-wide quantity.
    """

    one: NDArray[np.float64]
    other: NDArray[np.float64]
    apart: NDArray[np.float64]
    names: list[str]

    def first(self, limit: float = SAME) -> int | None:
        """Returns the first of the common steps (its place) at which they are further apart than that."""
        rows = np.flatnonzero((self.apart > limit).any(axis=1))
        return int(rows[0]) if len(rows) else None


def common(one: History, other: History) -> tuple[Any, Any, Any]:
    """Returns the steps that both recorded, and their rows in each."""
    steps, here, there = np.intersect1d(one.steps, other.steps, return_indices=True)
    return steps, here, there


def pair(known: Quantity, one: History, other: History, rows: Sequence[Any]) -> PairedSeries | None:
    """Returns a quantity of both in their `common` rows; None if one of them does not have it."""
    if not (one.has(known.name) and other.has(known.name)):
        return None
    places = _places(known.axis, one, other)
    (a, in_a), (b, in_b) = (_picked(h, known.name, *at) for h, *at in zip((one, other), rows, places, strict=True))
    names = (
        [""] if known.axis == "run" else [x.name for x in (one.variables if known.axis == "variable" else one.layers)]
    )
    return PairedSeries(a, b, np.where(in_a & in_b, _apart(a, b), 0.0), [names[place] for place in places[0]])


def _picked(history: History, name: str, rows: Any, places: list[int]) -> tuple[Any, Any]:
    shape = (len(history), -1)
    values = np.asarray(history.column(name), np.float64).reshape(shape)
    return values[rows][:, places], history.known(name).reshape(shape)[rows][:, places]


def _places(axis: str, one: History, other: History) -> tuple[list[int], list[int]]:
    """Returns which places belong together: of one name, or one after the other where all have the same shapes."""
    if axis == "run":
        return [0], [0]
    a, b = ([(x.name, getattr(x, "shape", None)) for x in (h.variables if axis == "variable" else h.layers)]
            for h in (one, other))  # fmt: skip
    if len(a) == len(b) and [shape for _, shape in a] == [shape for _, shape in b]:
        return list(range(len(a))), list(range(len(b)))
    there = {name: place for place, (name, _) in enumerate(b)}
    both = [(place, there[name]) for place, (name, _) in enumerate(a) if name in there]
    return [here for here, _ in both], [place for _, place in both]


def _apart(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        apart = np.abs(x - y) / np.maximum(np.abs(x), np.abs(y))
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    return np.where(same, 0.0, np.where(np.isfinite(apart), apart, 1.0))
