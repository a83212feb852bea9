"""The recorded rows: columns, blocks of rows, and the storage in which they grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
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


class _Written(NamedTuple):
    """What was written of a column.

    Attributes:
        values: `[rows, width]`; rows from `end` on hold anything.
        known: of the same shape, whether each value was recorded; None if all were, which then takes no memory.
        end: row after the last one that was written.
    """

    values: NDArray[Any]
    known: NDArray[np.bool_] | None
    end: int


class ColumnBuffer:
    """The rows of one column, in storage that doubles. It may become wider; values added so were not recorded before.

    Args:
        axis: "variable", "layer" or "run".
    """

    def __init__(self, axis: str) -> None:
        self._one_dimensional = axis == "run"
        # Replaced at once, since another thread may read it, and a signal may interrupt what writes.
        self._written = _Written(np.empty((0, 1), _DTYPES[axis]), None, 0)
        self._padded: tuple[_Written, Column] | None = None  # the last one that was read beyond what was written

    def write(self, start: int, column: Column, room: int = 0) -> None:
        """Writes the rows of `column` from row `start` on, which is after all rows that were written.

        If the storage must grow, it grows to `room` rows at least.
        """
        values, known = np.asarray(column.values), np.asarray(column.known, bool)
        if self._one_dimensional:
            values, known = values[:, None], known[:, None]
        stop, width = start + len(values), values.shape[1]
        recorded, (stored, mask, end) = _recorded_count(known), self._written
        if not (recorded or end):
            return  # as long as nothing was recorded, it takes no memory
        without_gaps = recorded == known.size and start == end and (not end or width == stored.shape[1])
        if mask is None and not without_gaps:
            mask = np.ones(stored.shape, bool)
        if stop > len(stored) or width > stored.shape[1]:
            rows = len(stored) if stop <= len(stored) else max(stop, 2 * len(stored), 16, room)
            stored = _enlarged(stored[:end], rows, width, np.nan)
            mask = None if mask is None else _enlarged(mask[:end], rows, width, False)
        if start > end:
            stored[end:start] = np.nan
        _copy_recorded(stored[start:stop, :width], values, known if recorded < known.size else None)
        if width < stored.shape[1]:
            stored[start:stop, width:] = np.nan
        if mask is not None:
            mask[end:start] = False
            mask[start:stop, :width] = known
            mask[start:stop, width:] = False
        self._written = _Written(stored, mask, stop)

    def read(self, length: int, width: int) -> Column:
        """Returns the first `length` rows of the first `width` variables or layers; `known` may be read-only."""
        written = self._written
        values, mask, end = written
        known: NDArray[np.bool_]
        if not end:
            values = np.broadcast_to(np.array(np.nan, values.dtype), (length, max(width, 1)))
            known = np.broadcast_to(np.False_, values.shape)
        elif length > end or width > values.shape[1]:
            values, known = self._beyond(written, length, width)
        else:
            known = np.broadcast_to(np.True_, values.shape) if mask is None else mask
        values, known = values[:length, :width], known[:length, :width]
        return Column(values[:, 0], known[:, 0]) if self._one_dimensional else Column(values, known)

    def _beyond(self, written: _Written, length: int, width: int) -> Column:
        """Returns a copy with rows or columns that were not written; a diagnosis asks for the same one many times."""
        if self._padded is not None:
            of, column = self._padded
            if of is written and column.known.shape == (length, max(width, written.values.shape[1])):
                return column
        values, mask, end = written
        rows = min(length, end)
        known = np.ones((rows, values.shape[1]), bool) if mask is None else mask[:rows]
        column = Column(_enlarged(values[:rows], length, width, np.nan), _enlarged(known, length, width, False))
        column.values[rows:], column.known[rows:] = np.nan, False
        self._padded = written, column
        return column


def _copy_recorded(target: NDArray[Any], values: NDArray[Any], known: NDArray[np.bool_] | None) -> None:
    """Copies the values that were recorded, None: all, and NaN for the others."""
    if known is not None:
        target[...] = np.nan
    with np.errstate(over="ignore") if values.dtype != target.dtype else nullcontext():
        np.copyto(target, values, casting="unsafe", where=True if known is None else known)


def _enlarged(array: NDArray[Any], rows: int, width: int, missing: float) -> NDArray[Any]:
    """Returns a copy with more rows, which hold anything, and more columns, which hold `missing` in its own rows."""
    end, before = array.shape
    larger = np.empty((rows, max(width, before)), array.dtype)
    larger[:end, :before], larger[:end, before:] = array, missing
    return larger


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

    def write(self, start: int, rows: Rows, room: int = 0) -> None:
        """Writes a block of rows from row `start` on; `room` as for `ColumnBuffer.write`."""
        stop = start + len(rows)
        if stop > len(self.steps):
            added = max(stop, 2 * len(self.steps), 16, room) - len(self.steps)
            self.steps = np.concatenate([self.steps, np.zeros(added, np.int64)])
            self.times = np.concatenate([self.times, np.zeros(added, np.float64)])
        self.steps[start:stop] = rows.steps
        self.times[start:stop] = rows.times
        for axis, columns in rows.axes():
            buffers = self.buffers[axis]
            for name, column in columns.items():
                if name not in buffers:
                    buffers[name] = ColumnBuffer(axis)
                buffers[name].write(start, column, room)
