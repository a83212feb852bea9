"""Blocks of rows to bytes and back, and `as_stored`: what a reader will get."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError as _ProtobufError
from numpy.typing import NDArray

from ..history import Column, Rows
from ..statistics import QUANTITIES
from . import weightwatch_pb2 as pb
from .delta_packing import pack, unpack
from .envelope import DecodeError, seal, unseal
from .quantizers import CODECS, Codes

MAX_ROWS = 1 << 16
MAX_WIDTH = 1 << 17  # variables or layers
MAX_COLUMNS = 256
MAX_CELLS = 1 << 23  # rows x width, summed over columns
MAX_NAME = 200
_DTYPES: dict[str, Any] = {"variable": np.float32, "layer": np.float32, "run": np.float64}


class RowBlock(NamedTuple):
    """A block of rows as read.

    Attributes:
        first: index of its first row within the launch.
        rows: the rows.
        foreign: names of columns that this version does not know and left out.
        started: of the launch, unix seconds.
    """

    first: int
    rows: Rows
    foreign: tuple[str, ...]
    started: float


def as_stored(rows: Rows) -> Rows:
    """Returns the rows as a reader will get them: the same as decoding their encoding, row by row and to the bit.

    Raises:
        ValueError: a column is not in the table of quantities, or stands on another axis than there.
    """
    settled = Rows(np.asarray(rows.steps, np.int64), _settled_times(rows.times))
    for axis, columns in rows.axes():
        found = {
            name: Column(_as_kept(CODECS[kind].decode(codes), known, axis), known)
            for name, kind, codes, known in _encoded(axis, columns)
        }
        getattr(settled, axis).update((name, found[name]) for name in columns)
    return settled


def encode_rows(rows: Rows, first: int = 0, *, started: float = 0.0) -> bytes:
    """Returns the bytes of a block of rows; `first` is the index of its first row within the launch.

    Raises:
        ValueError: a column is not in the table of quantities, or the block is larger than any reader accepts.
    """
    return seal("ROWS", to_block(rows, first), started)


def decode_rows(data: bytes) -> Rows:
    """Returns the rows of a block; columns that this version does not know are left out.

    Raises:
        DecodeError: the block can not be read.
    """
    return decode_chunk(data).rows


def decode_chunk(data: bytes) -> RowBlock:
    """Returns a block with its place in the launch.

    Raises:
        DecodeError: the block can not be read.
    """
    body, started = unseal("ROWS", data)
    try:
        block = pb.Block.FromString(body)
    except _ProtobufError:
        raise DecodeError("damaged: not a block of rows") from None
    rows, foreign = from_block(block)
    return RowBlock(block.first, rows, foreign, started)


def cells(rows: Rows) -> int:
    """Returns how many values a block holds (a reader accepts at most MAX_CELLS)."""
    return sum(column.known.size for _, columns in rows.axes() for column in columns.values())


def to_block(rows: Rows, first: int) -> pb.Block:
    """Returns the message of a block of rows."""
    if not 0 < len(rows) <= MAX_ROWS or cells(rows) > MAX_CELLS:
        raise ValueError(
            f"a block must have 1 to {MAX_ROWS:,} rows and at most {MAX_CELLS:,} values, "
            f"got {len(rows):,} and {cells(rows):,}"
        )
    block = pb.Block(
        first=first,
        rows=len(rows),
        steps=_pack_line(np.asarray(rows.steps, np.int64)),
        times=_pack_line(_milliseconds(rows.times)),
    )
    places: dict[tuple[Any, ...], int] = {}
    for axis, columns in rows.axes():
        found = {name: (kind, codes, known) for name, kind, codes, known in _encoded(axis, columns)}
        for name in columns:
            _add_series(block, axis, name, *found[name], places)
    return block


def from_block(block: pb.Block) -> tuple[Rows, tuple[str, ...]]:
    """Returns the rows of a block and the names of the columns that this version does not know."""
    count = block.rows
    if not 0 < count <= MAX_ROWS or block.first < 0 or len(block.columns) > MAX_COLUMNS:
        raise DecodeError("out of bounds: number of rows or columns")
    if sum(count * max(1, series.width) for series in block.columns) > MAX_CELLS:
        raise DecodeError(f"out of bounds: more than {MAX_CELLS:,} values in a block")
    steps = _unpack_line(block.steps, count)
    if steps[0] < 1 or np.any(np.diff(steps) <= 0):
        raise DecodeError("damaged: steps do not increase")
    rows = Rows(steps, _unpack_line(block.times, count) / 1000.0)
    foreign: list[str] = []
    for series in block.columns:
        if not 0 < len(series.name) <= MAX_NAME or series.width > MAX_WIDTH:
            raise DecodeError("out of bounds: name or width of a column")
        axis = pb.Series.Axis.Name(series.axis).lower() if series.axis in pb.Series.Axis.values() else ""
        kind = pb.Series.Encoding.Name(series.encoding).lower() if series.encoding in _ENCODINGS else ""
        if series.name not in QUANTITIES or QUANTITIES[series.name].axis != axis or kind not in CODECS:
            foreign.append(series.name)
            continue
        columns = getattr(rows, axis)
        if series.name in columns or (axis == "run" and series.width != 1):
            raise DecodeError(f"damaged: column {series.name!r} twice, or of the wrong width")
        columns[series.name] = _column(series, _packed(series, block), count, axis, kind)
    return rows, tuple(foreign)


_ENCODINGS = frozenset(pb.Series.Encoding.values())


def _encoding(name: str, axis: str) -> str:
    known = QUANTITIES.get(name)
    if known is None or known.axis != axis:
        raise ValueError(f"a column must be in the table of quantities with its axis, got {name!r} per {axis}")
    return known.encoding


def _encoded(axis: str, columns: Mapping[str, Column]) -> Iterator[tuple[str, str, Codes, NDArray[np.bool_]]]:
    """Yields name, encoding, codes and which are known of columns; those of one kind are encoded in one go."""
    alike: dict[Any, list[str]] = defaultdict(list)
    for name, column in columns.items():
        alike[_encoding(name, axis), np.shape(column.known)].append(name)
    for (kind, shape), names in alike.items():
        values, known = np.empty((len(names), *shape), np.float64), np.empty((len(names), *shape), bool)
        for place, name in enumerate(names):
            values[place], known[place] = columns[name]
        if not known.all():
            values[~known] = 0.0
        yield from ((name, kind, *of) for name, *of in zip(names, CODECS[kind].encode(values), known, strict=True))


def _add_series(  # noqa: PLR0913, PLR0917
    block: pb.Block,
    axis: str,
    name: str,
    encoding: str,
    codes: Codes,
    known: NDArray[np.bool_],
    places: dict[tuple[Any, ...], int],
) -> None:
    known, codes = known.reshape(len(known), -1).T, codes.reshape(len(codes), -1).T
    if known.shape[1] != block.rows or known.shape[0] > MAX_WIDTH:
        raise ValueError(f"column {name!r} must have {block.rows} rows and at most {MAX_WIDTH:,} places")
    series = block.columns.add(
        name=name,
        axis=pb.Series.Axis.Value(axis.upper()),
        encoding=pb.Series.Encoding.Value(encoding.upper()),
        width=known.shape[0],
    )
    if not known.any():
        series.known = pb.Series.NOTHING
        return
    if not known.all():
        series.known = pb.Series.SOME
        series.known_bits = np.packbits(known).tobytes()
        codes = _carried(codes, known)
    packed = pack(codes)
    # A column with the codes of an earlier one (a gradient that no clipping changed) only names its place, from 1.
    shape = (encoding, len(known), packed.head_planes, packed.delta_planes, packed.data)
    series.same = places.get(shape, 0) if packed.data else 0
    if not series.same:
        places[shape] = len(block.columns)
        series.values.CopyFrom(packed)


def _packed(series: pb.Series, block: pb.Block) -> pb.Packed:
    if not series.same:
        return series.values
    if series.same > len(block.columns):
        raise DecodeError(f"damaged: column {series.name!r} is said to equal one that is not there")
    return block.columns[series.same - 1].values


def _column(series: pb.Series, packed: pb.Packed, count: int, axis: str, kind: str) -> Column:
    shape = (series.width, count)
    if series.known == pb.Series.NOTHING or not series.width:
        known = np.zeros(shape, bool)
        values = np.full(shape[::-1], np.nan)
    else:
        known = _known(series, shape)
        codec = CODECS[kind]
        # Turned while they are small.
        values = codec.decode(np.ascontiguousarray(unpack(packed, *shape, codec.dtype).T))
    known = np.ascontiguousarray(known.T)
    kept = _as_kept(values, known, axis)
    return Column(kept[:, 0], known[:, 0]) if axis == "run" else Column(kept, known)


def _known(series: pb.Series, shape: tuple[int, int]) -> NDArray[np.bool_]:
    if series.known == pb.Series.ALL:
        return np.ones(shape, bool)
    size = shape[0] * shape[1]
    if series.known != pb.Series.SOME or len(series.known_bits) != (size + 7) // 8:
        raise DecodeError(f"damaged: which values of {series.name!r} were recorded")
    bits = np.unpackbits(np.frombuffer(series.known_bits, np.uint8), count=size)
    return bits.astype(bool).reshape(shape)


def _carried(codes: Codes, known: NDArray[np.bool_]) -> Codes:
    """Fills places that were not recorded with the last recorded code, which costs nothing."""
    last = np.maximum.accumulate(np.where(known, np.arange(known.shape[1]), 0), axis=1)
    return np.asarray(np.take_along_axis(np.where(known, codes, codes.dtype.type(0)), last, axis=1))


def _as_kept(values: NDArray[np.float64], known: NDArray[np.bool_], axis: str) -> NDArray[Any]:
    kept = values.astype(_DTYPES[axis], order="C")
    if not known.all():
        kept[~known] = np.nan
    return kept


def _milliseconds(times: Any) -> NDArray[np.int64]:
    wide = np.asarray(times, np.float64)
    return np.rint(np.clip(np.where(np.isfinite(wide), wide, 0.0), -1e12, 1e12) * 1000.0).astype(np.int64)


def _settled_times(times: Any) -> NDArray[np.float64]:
    return _milliseconds(times) / 1000.0


def _pack_line(numbers: NDArray[np.int64]) -> pb.Packed:
    return pack(np.ascontiguousarray(numbers).view(np.uint64)[None, :])


def _unpack_line(packed: pb.Packed, count: int) -> NDArray[np.int64]:
    return np.asarray(unpack(packed, 1, count, np.uint64)[0].view(np.int64))
