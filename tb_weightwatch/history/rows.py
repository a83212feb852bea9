"""The recorded rows: columns, and blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def joined_column(parts: Sequence[Column | None], lengths: Sequence[int]) -> Column:
    """Returns the parts of a column in consecutive blocks of rows as one.

    Args:
        parts: the parts; None: the column is not in that block, so that it was not recorded there. Of parts of several
            widths, the narrower ones lack what the wider ones have beyond them.
        lengths: how many rows each block has.
    """
    present = [column for column in parts if column is not None]
    if len(parts) == 1:
        return present[0]
    values, known = present[0]
    shape = sum(lengths), *max(np.shape(column.known)[1:] for column in present)
    if len(present) == len(parts) and all(column.known.shape[1:] == shape[1:] for column in present):
        values = np.concatenate([column.values for column in present])
        if known.size and all(not any(part.strides) and part.flat[0] == known.flat[0] for _, part in present):
            return Column(values, np.broadcast_to(known[:1], shape))
        return Column(values, np.concatenate([part for _, part in present]))
    joined = Column(np.full(shape, np.nan, values.dtype), np.zeros(shape, bool))
    stops = np.cumsum(lengths)
    for column, stop, length in zip(parts, stops, lengths, strict=True):
        if column is not None:
            at = (slice(stop - length, stop), *(slice(width) for width in column.known.shape[1:]))
            joined.values[at], joined.known[at] = column
    return joined
