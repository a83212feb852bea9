"""Rows that are not written yet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .. import schema
from ..history import Column, Rows

MAX_CELLS = schema.MAX_CELLS // 2  # values in a block, with room for what joining adds


class PendingRows:
    """Collects rows until they are written as one block."""

    def __init__(self) -> None:
        self._parts: list[Rows] = []
        self._cells = 0

    def __bool__(self) -> bool:
        """Whether there are any rows."""
        return bool(self._parts)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    @property
    def first_step(self) -> int:
        """The step of the first row."""
        return int(self._parts[0].steps[0])

    def fits(self, rows: Rows) -> bool:
        """Checks whether the block with these rows is small enough."""
        return self._cells + schema.cell_count(rows) <= MAX_CELLS

    def add(self, rows: Rows) -> None:
        """Adds rows."""
        self._parts.append(rows)
        self._cells += schema.cell_count(rows)

    def joined(self) -> Rows:
        """Returns all rows as one block."""
        return _joined(self._parts)

    def clear(self) -> None:
        """Removes all rows."""
        self._parts, self._cells = [], 0


def in_parts(rows: Rows) -> Iterator[Rows]:
    """Yields the rows in parts, each of which is small enough for a block."""
    rows_in_part = max(1, MAX_CELLS // max(1, schema.cell_count(rows) // len(rows)))
    for start in range(0, len(rows), rows_in_part):
        yield _slice(rows, start, min(start + rows_in_part, len(rows)))


def last_row(rows: Rows) -> Rows:
    """Returns the last row."""
    return _slice(rows, len(rows) - 1, len(rows))


def _slice(rows: Rows, start: int, stop: int) -> Rows:
    part = Rows(rows.steps[start:stop], rows.times[start:stop])
    for axis, columns in rows.axes():
        getattr(part, axis).update({name: Column(v[start:stop], k[start:stop]) for name, (v, k) in columns.items()})
    return part


def _joined(parts: list[Rows]) -> Rows:
    """Returns one block; what a part lacks (a column, or variables that came later) was not recorded there."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *map(len, parts)]).tolist()
    length = starts[-1]
    block = Rows(np.concatenate([p.steps for p in parts]), np.concatenate([p.times for p in parts]))
    for axis, columns in block.axes():
        columns_of_part = [getattr(part, axis) for part in parts]
        for name in dict.fromkeys(name for columns_of in columns_of_part for name in columns_of):
            pieces: list[tuple[int, Column]] = [
                (start, columns_of[name])
                for start, columns_of in zip(starts, columns_of_part, strict=False)
                if name in columns_of
            ]
            columns[name] = _joined_column(pieces, length)
    return block


def _joined_column(pieces: list[tuple[int, Column]], length: int) -> Column:
    """Returns a column of `length` rows from its pieces, each with the index of its first row."""
    shape = (length, *np.max([column.known.shape[1:] for _, column in pieces], axis=0).astype(int))
    values, known = np.full(shape, np.nan, pieces[0][1].values.dtype), np.zeros(shape, bool)
    for start, column in pieces:
        at = (slice(start, start + len(column.known)), *map(slice, column.known.shape[1:]))
        values[at], known[at] = column
    return Column(values, known)
