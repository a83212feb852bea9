"""The recorded rows: columns, blocks of rows, and the storage in which they grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..display import counted, repr_of

AXES = ("variable", "layer", "run")
_DTYPES = {"variable": np.float32, "layer": np.float32, "run": np.float64}


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


class ColumnBuffer:
    """The rows of one column, in storage that doubles. It may become wider; values added so were not recorded before.

    Args:
        axis: "variable", "layer" or "run".
    """

    def __init__(self, axis: str) -> None:
        self._one_dimensional = axis == "run"
        self._values: NDArray[Any] = np.empty((0, 1), _DTYPES[axis])
        self._known: NDArray[np.bool_] | None = None  # None: each value so far was recorded, which takes no memory
        self._end = 0  # rows from here on were not written yet and hold anything

    def write(self, start: int, column: Column) -> None:
        """Writes the rows of `column` from row `start` on, which is after all rows that were written."""
        values, known = np.asarray(column.values), np.asarray(column.known, bool)
        if self._one_dimensional:
            values, known = values[:, None], known[:, None]
        stop, width = start + len(values), values.shape[1]
        recorded = _recorded_count(known)
        if not (recorded or self._values.size):
            return  # as long as nothing was recorded, it takes no memory
        complete = recorded == known.size and start == self._end and (not start or width == self._values.shape[1])
        if not complete:
            self._known = self._stored_known()
        if stop > len(self._values) or width > self._values.shape[1]:
            self._enlarge(stop if stop <= len(self._values) else max(stop, 2 * len(self._values), 16), width)
        self._clear(slice(self._end, start), slice(None))
        if recorded < known.size:
            values = np.where(known, values, np.nan)
        if values.dtype == self._values.dtype:
            self._values[start:stop, :width] = values
        else:
            with np.errstate(over="ignore"):
                self._values[start:stop, :width] = values
        if self._known is not None:
            self._known[start:stop, :width] = known
        if width < self._values.shape[1]:
            self._clear(slice(start, stop), slice(width, None))
        self._end = stop

    def read(self, length: int, width: int) -> Column:
        """Returns the first `length` rows of the first `width` variables or layers; `known` may be read-only."""
        known: NDArray[np.bool_]
        if self._values.size:
            if length > self._end or width > self._values.shape[1]:
                self._known = self._stored_known()
            self._enlarge(length, width)
            self._clear(slice(self._end, length), slice(None))  # does not move the end: another thread may write there
            values, stored = self._values, self._known
            known = np.broadcast_to(np.True_, values.shape) if stored is None else stored
        else:
            values = np.broadcast_to(np.array(np.nan, self._values.dtype), (length, max(width, 1)))
            known = np.broadcast_to(np.False_, values.shape)
        values, known = values[:length, :width], known[:length, :width]
        return Column(values[:, 0], known[:, 0]) if self._one_dimensional else Column(values, known)

    def _stored_known(self) -> NDArray[np.bool_]:
        """Returns for each place of the storage whether its value was recorded."""
        if self._known is not None:
            return self._known
        return np.ones(self._values.shape, bool)  # rows from `_end` on hold anything

    def _enlarge(self, length: int, width: int) -> None:
        """Makes room for at least this many rows and columns."""
        end, before = self._end, self._values.shape[1]
        shape = (max(length, len(self._values)), max(width, before))
        if shape != self._values.shape:
            values = np.empty(shape, self._values.dtype)
            values[:end, :before] = self._values[:end]
            self._values = values
            if self._known is not None:
                known = np.empty(shape, bool)
                known[:end, :before] = self._known[:end]
                self._known = known
            self._clear(slice(0, end), slice(before, None))

    def _clear(self, rows: slice, columns: slice) -> None:
        self._values[rows, columns] = np.nan
        if self._known is not None:
            self._known[rows, columns] = False


def _recorded_count(known: NDArray[np.bool_]) -> int:
    """Returns how many are True; it looks at one where all are the same in memory."""
    if known.size and not any(known.strides):
        return known.size if known.flat[0] else 0
    return int(np.count_nonzero(known))


class RowStorage:
    """The rows of a History, which its prefixes share. Steps, times and columns grow in storage that doubles."""

    def __init__(self) -> None:
        self.steps = np.zeros(0, np.int64)
        self.times = np.zeros(0, np.float64)
        self.buffers: dict[str, dict[str, ColumnBuffer]] = {axis: {} for axis in AXES}

    def write(self, start: int, rows: Rows) -> None:
        """Writes a block of rows from row `start` on."""
        stop = start + len(rows)
        if stop > len(self.steps):
            added = max(stop, 2 * len(self.steps), 16) - len(self.steps)
            self.steps = np.concatenate([self.steps, np.zeros(added, np.int64)])
            self.times = np.concatenate([self.times, np.zeros(added, np.float64)])
        self.steps[start:stop] = rows.steps
        self.times[start:stop] = rows.times
        for axis, columns in rows.axes():
            buffers = self.buffers[axis]
            for name, column in columns.items():
                if name not in buffers:
                    buffers[name] = ColumnBuffer(axis)
                buffers[name].write(start, column)
