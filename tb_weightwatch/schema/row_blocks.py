"""Blocks of rows to bytes and back, and `as_stored`: the rows as a reader will get them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import Rows
from . import weightwatch_pb2 as pb
from .bounds import MAX_CELLS, MAX_COLUMNS, MAX_NAME, MAX_ROWS, MAX_STEP, MAX_TIME, MAX_WIDTH
from .column_decoder import CodedColumn, coded_column, decode_columns, known_kind
from .column_series import SeriesWriter, encoded
from .decode_error import DecodeError
from .delta_packing import checked_data, pack, unpack
from .envelope import decode_envelope, encode_envelope


class RowBlock(NamedTuple):
    """A block of rows as read.

    Attributes:
        first: index of its first row within the launch.
        rows: the rows.
        unknown_columns: names of columns that this version does not know; they are not in `rows`.
        started: when the launch started, unix seconds.
    """

    first: int
    rows: Rows
    unknown_columns: tuple[str, ...]
    started: float


class CodedBlock(NamedTuple):
    """A block of rows that was checked, and whose columns are not decoded yet.

    Attributes:
        first, unknown_columns, started: as in the `RowBlock` that it becomes.
        rows: the rows, without columns.
        columns: their columns.
    """

    first: int
    rows: Rows
    columns: tuple[CodedColumn, ...]
    unknown_columns: tuple[str, ...]
    started: float

    @property
    def cells(self) -> int:
        """The number of values, as `cell_count` gives it for the decoded rows."""
        return len(self.rows) * sum(column.width for column in self.columns)


def as_stored(rows: Rows) -> Rows:
    """Returns the rows as a reader will get them: to the bit what decoding their encoding gives, row by row.

    Raises:
        ValueError: a column is not in the table of quantities, or has another axis there.
    """
    stored = Rows(np.asarray(rows.steps, np.int64), _milliseconds(rows.times) / 1000.0)
    for axis, columns in rows.axes():
        by_name = {column.name: column.as_stored() for column in encoded(axis, columns)}
        getattr(stored, axis).update((name, by_name[name]) for name in columns)
    return stored


def encode_rows(rows: Rows, first: int = 0, *, started: float = 0.0) -> bytes:
    """Returns the bytes of a block of rows.

    Args:
        rows: the rows.
        first: index of its first row within the launch.
        started: when the launch started, unix seconds.

    Raises:
        ValueError: a column is not in the table of quantities, or the block is larger than any reader accepts.
    """
    return encode_envelope("ROWS", to_block(rows, first), started)


def decode_row_block(data: bytes, tag: str = "") -> RowBlock:
    """Returns a block of rows; columns that this version does not know are left out and named.

    Args:
        data: the datum.
        tag: under which it was found; "": it is not checked.

    Raises:
        DecodeError: the block cannot be read.
    """
    (row_block,) = decode_row_blocks([coded_block(data, tag)])
    return row_block


def coded_block(data: bytes, tag: str = "") -> CodedBlock:
    """Checks a block of rows, with the arguments and errors of `decode_row_block`. To decode it later raises none."""
    block, envelope = decode_envelope("ROWS", data, pb.Block, tag)
    return CodedBlock(block.first, *_checked(block), envelope.started)


def decode_row_blocks(blocks: Sequence[CodedBlock]) -> list[RowBlock]:
    """Returns blocks of rows, several times as fast as one by one if they are small."""
    decode_columns((block.rows, block.columns) for block in blocks)
    return [RowBlock(block.first, block.rows, block.unknown_columns, block.started) for block in blocks]


def cell_count(rows: Rows) -> int:
    """Returns how many values the rows hold (a reader accepts at most MAX_CELLS in a block)."""
    return sum(column.known.size for _, columns in rows.axes() for column in columns.values())


def to_block(rows: Rows, first: int) -> pb.Block:
    """Returns the message of a block of rows; arguments and errors are those of `encode_rows`."""
    cells = cell_count(rows)
    if not 0 < len(rows) <= MAX_ROWS or cells > MAX_CELLS:
        raise ValueError(
            f"a block must have 1 to {MAX_ROWS:,} rows and at most {MAX_CELLS:,} values, "
            f"got {len(rows):,} and {cells:,}"
        )
    block = pb.Block(
        first=first,
        rows=len(rows),
        steps=_pack_integers(np.asarray(rows.steps, np.int64)),
        times=_pack_integers(_milliseconds(rows.times)),
    )
    series_writer = SeriesWriter(block)
    for axis, columns in rows.axes():
        by_name = {column.name: column for column in encoded(axis, columns)}
        for name in columns:
            series_writer.add(by_name[name])
    return block


def from_block(block: pb.Block) -> tuple[Rows, tuple[str, ...]]:
    """Returns the rows of a block and the names of the columns that this version does not know.

    Raises:
        DecodeError: the block is damaged, or larger than allowed; sizes are checked before memory is taken.
    """
    rows, columns, unknown_columns = _checked(block)
    decode_columns([(rows, columns)])
    return rows, unknown_columns


def _checked(block: pb.Block) -> tuple[Rows, tuple[CodedColumn, ...], tuple[str, ...]]:
    """Returns the rows of a block without columns, its columns, and the names of those that are not known."""
    count: int = block.rows
    if not 0 < count <= MAX_ROWS or not 0 <= block.first <= MAX_STEP or len(block.columns) > MAX_COLUMNS:
        raise DecodeError("out of bounds: number of rows or columns")
    if count * sum(max(1, series.width) for series in block.columns) > MAX_CELLS:
        raise DecodeError(f"out of bounds: more than {MAX_CELLS:,} values in a block")
    steps = _unpack_integers(block.steps, count)
    if steps[0] < 1 or steps[-1] > MAX_STEP or np.any(steps[1:] <= steps[:-1]):
        raise DecodeError("damaged: steps do not increase")
    rows = Rows(steps, _unpack_integers(block.times, count) / 1000.0)
    if np.abs(rows.times).max() > MAX_TIME:
        raise DecodeError("out of bounds: times of rows")
    columns: dict[str, CodedColumn] = {}
    unknown_columns: list[str] = []
    for series in block.columns:
        name, width = series.name, series.width
        if not 0 < len(name) <= MAX_NAME or width > MAX_WIDTH:
            raise DecodeError("out of bounds: name or width of a column")
        kind = axis, _ = known_kind(name, series.axis, series.encoding)
        if not axis:
            unknown_columns.append(name)
            continue
        if name in columns or (axis == "run" and width != 1):
            raise DecodeError(f"damaged: column {name!r} occurs twice or has a wrong width")
        columns[name] = coded_column(block, series, name, kind, width)
    return rows, tuple(columns.values()), tuple(unknown_columns)


def _milliseconds(times: Any) -> NDArray[np.int64]:
    seconds = np.asarray(times, np.float64)
    return np.rint(np.clip(np.where(np.isfinite(seconds), seconds, 0.0), -MAX_TIME, MAX_TIME) * 1000.0).astype(np.int64)


def _pack_integers(numbers: NDArray[np.int64]) -> pb.Packed:
    return pack(np.ascontiguousarray(numbers).view(np.uint64)[None, :])


def _unpack_integers(packed: pb.Packed, count: int) -> NDArray[np.int64]:
    data, planes = checked_data(packed, 1, count, 8)
    numbers = unpack([data], planes, 1, count, np.uint64)[:, 0, 0].view(np.int64)
    return numbers if len(numbers) == count else np.repeat(numbers, count)
