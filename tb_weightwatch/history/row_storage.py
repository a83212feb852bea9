"""The storage in which the rows of a History grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .rows import AXES, Column, Rows, as_arrays

_SHARED = 3 << 23  # bytes of an array that columns share: below the 32 MB of which a review keeps what was freed
_DTYPES = {"variable": np.float32, "layer": np.float32, "run": np.float64}


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
        storage: `[rows, width]` of its type, in which it begins; None: it takes some when it has to.
    """

    def __init__(self, axis: str, storage: NDArray[Any] | None = None) -> None:
        self._one_dimensional = axis == "run"
        # Replaced at once, since another thread may read it, and a signal may interrupt what writes.
        self._written = _Written(np.empty((0, 1), _DTYPES[axis]) if storage is None else storage, None, 0)
        self._padded: tuple[_Written, Column] | None = None  # the last one that was read beyond what was written

    def write(self, start: int, column: Column) -> None:
        """Writes the rows of `column` from row `start` on, which is after all rows that were written."""
        values, known = np.asarray(column.values), np.asarray(column.known, bool)
        if self._one_dimensional:
            values, known = values[:, None], known[:, None]
        stop, width = start + len(values), values.shape[1]
        recorded, (stored, mask, end) = _recorded_count(known), self._written
        if not (recorded or end):
            return  # as long as nothing was recorded, it takes no memory
        is_wide = width == stored.shape[1] or (not end and width > stored.shape[1])
        without_gaps = recorded == known.size and start == end and is_wide
        if mask is None and not without_gaps:
            mask = np.empty(stored.shape, bool)
            mask[:end] = True
        if stop > len(stored) or width > stored.shape[1]:
            rows = len(stored) if stop <= len(stored) else max(stop, 2 * len(stored), 16)
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

    def write_parts(self, start: int, parts: Sequence[Column | None], lengths: Sequence[int]) -> None:
        """Writes the parts of consecutive blocks of so many rows, as `write` does; None: a block without the column."""
        stored, mask, end = self._written
        stop = start + sum(lengths)
        if start == end and mask is None and stop <= len(stored) and all(map(self._is_complete, parts)):
            target = stored[start:stop, 0] if self._one_dimensional else stored[start:stop]
            np.concatenate([part.values for part in parts if part is not None], out=target)
            self._written = _Written(stored, None, stop)
            return
        for part, length in zip(parts, lengths, strict=True):
            if part is not None:
                self.write(start, part)
            start += length

    def _is_complete(self, part: Column | None) -> bool:
        """Checks whether a part has all that the storage has room for in its rows, and is of the same type."""
        if part is None or part.values.dtype != self._written.values.dtype:
            return False
        width = 1 if self._one_dimensional else part.known.shape[1]
        return width == self._written.values.shape[1] and _recorded_count(part.known) == part.known.size

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

    def write(self, start: int, blocks: Sequence[Rows], room: int = 0) -> None:
        """Writes consecutive blocks of rows from row `start` on.

        New columns take storage for `room` rows if that is more. Steps and times, which are few, grow by doubling.
        """
        lengths = [len(block) for block in blocks]
        stop = start + sum(lengths)
        if stop > len(self.steps):
            added = max(stop, 2 * len(self.steps), 16) - len(self.steps)
            self.steps = np.concatenate([self.steps, np.zeros(added, np.int64)])
            self.times = np.concatenate([self.times, np.zeros(added, np.float64)])
        self.steps[start:stop] = np.concatenate([block.steps for block in blocks])
        self.times[start:stop] = np.concatenate([block.times for block in blocks])
        for axis, buffers in self.buffers.items():
            of_blocks = [as_arrays(getattr(block, axis)) for block in blocks]
            for columns in of_blocks:
                new = {name: column for name, column in columns.items() if name not in buffers}
                buffers.update(_buffers(axis, new, room if room > stop else 0))
            for name in dict.fromkeys(name for columns in of_blocks for name in columns):
                buffers[name].write_parts(start, [columns.get(name) for columns in of_blocks], lengths)


def _buffers(axis: str, columns: Mapping[str, Column], room: int) -> dict[str, ColumnBuffer]:
    """Returns the buffers of new columns. With storage for `room` rows, columns of the same width share arrays.

    Linux clears the memory that a process gets, and hands out large arrays in pages of 2 MB, smaller ones in pages of
    4 kB, which takes as long as decoding what is written to them.
    """
    by_width: dict[int, list[str]] = {}
    for name, column in columns.items():
        if room and _recorded_count(column.known):
            by_width.setdefault(1 if axis == "run" else column.known.shape[1], []).append(name)
    buffers = {name: ColumnBuffer(axis) for name in columns}
    dtype = np.dtype(_DTYPES[axis])
    for width, names in by_width.items():
        together = max(1, _SHARED // (room * width * dtype.itemsize))
        for first in range(0, len(names), together):
            shared = names[first : first + together]
            for name, storage in zip(shared, np.empty((len(shared), room, width), dtype), strict=True):
                buffers[name] = ColumnBuffer(axis, storage)
    return buffers
