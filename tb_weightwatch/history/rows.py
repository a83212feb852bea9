"""The recorded rows: columns, and blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..display import counted, repr_of

AXES = ("variable", "layer", "run")


class Column(NamedTuple):
    """A recorded column.

    Attributes:
        values: `[T]`, `[T, V]` or `[T, L]` numbers.
        known: of the same shape, whether each number was recorded.
    """

    values: NDArray[Any]
    known: NDArray[np.bool_]

    def __repr__(self) -> str:
        shape, recorded = list(np.shape(self.values)), int(np.sum(self.known))
        return repr_of(self, "", f"{shape} {np.asarray(self.values).dtype}", f"{counted(recorded, 'value')} recorded")


@dataclass
class Rows:
    """A block of consecutive recorded rows, the unit in which a History grows.

    Attributes:
        steps: `[n]` int64, attempted training steps, counted from 1, increasing.
        times: `[n]` float64, unix seconds.
        variable: name of quantity -> `Column` `[n, V]`.
        layer: name of quantity -> `Column` `[n, L]`.
        run: name of quantity -> `Column` `[n]`.
    """

    steps: NDArray[np.int64]
    times: NDArray[np.float64]
    variable: dict[str, Column] = field(default_factory=dict)
    layer: dict[str, Column] = field(default_factory=dict)
    run: dict[str, Column] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        steps = f" of steps {self.steps[0]:,} to {self.steps[-1]:,}" if len(self) else ""
        names = sum(len(columns) for _, columns in self.axes())
        return repr_of(self, "", counted(len(self), "row") + steps, counted(names, "column"))

    def axes(self) -> Iterator[tuple[str, dict[str, Column]]]:
        """Yields each axis' name with its columns."""
        return ((axis, getattr(self, axis)) for axis in AXES)


def as_arrays(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Returns columns whose parts are arrays, also if they were given as lists."""
    return {
        name: column
        if isinstance(column.values, np.ndarray) and isinstance(column.known, np.ndarray)
        else Column(np.asarray(column.values), np.asarray(column.known, bool))
        for name, column in columns.items()
    }
