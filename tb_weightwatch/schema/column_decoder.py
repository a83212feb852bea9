"""`Series` messages of blocks to columns. Columns of the same form are decoded together, in few operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import Column, Rows
from ..statistics import QUANTITIES
from . import weightwatch_pb2 as pb
from .column_series import DTYPES
from .decode_error import DecodeError
from .delta_packing import Planes, checked_data, unpack
from .quantizers import CODECS

_AXES = {number: name.lower() for name, number in pb.Series.Axis.items()}
_ENCODINGS = {number: name.lower() for name, number in pb.Series.Encoding.items()}
_ITEMSIZES = {encoding: codec.itemsize for encoding, codec in CODECS.items()}
_VALUES = 1 << 17  # decoded together at most, apart from a larger column: they stay in the cache, and memory is bounded


class CodedColumn(NamedTuple):
    """A column that was checked and is not decoded yet.

    Attributes:
        name: of its quantity.
        axis: "variable", "layer" or "run".
        encoding: of its values.
        width: values in a row.
        packed: its codes, `checked_data`; None if nothing was recorded.
        planes: of these.
        known_bits: `[width, rows]` bits, which values were recorded; b"" if all were.
    """

    name: str
    axis: str
    encoding: str
    width: int
    packed: bytes | None
    planes: Planes
    known_bits: bytes


@lru_cache(1 << 10)
def known_kind(name: str, axis: int, encoding: int) -> tuple[str, str]:
    """Returns the axis and the encoding of a column; "", "" if this version has no such column."""
    quantity = QUANTITIES.get(name)
    if quantity is None or quantity.axis != _AXES.get(axis) or _ENCODINGS.get(encoding) not in CODECS:
        return "", ""
    return quantity.axis, _ENCODINGS[encoding]


def coded_column(block: pb.Block, series: pb.Series, name: str, kind: tuple[str, str], width: int) -> CodedColumn:
    """Returns a column of a block, not decoded yet.

    Args:
        block: the block, whose number of rows and values is within the bounds.
        series: the column.
        name: of its quantity.
        kind: from `known_kind`.
        width: values in a row.

    Raises:
        DecodeError: it is damaged.
    """
    known, same = series.known, series.same
    if known == pb.Series.NOTHING or not width:
        return CodedColumn(name, *kind, width, None, (0, 0), b"")
    known_bits = b"" if known == pb.Series.ALL else _known_bits(series, width * block.rows)
    if same > len(block.columns):
        raise DecodeError(f"damaged: column {name!r} refers to a column that does not exist")
    values = (block.columns[same - 1] if same else series).values
    data, planes = checked_data(values, width, block.rows, _ITEMSIZES[kind[1]])
    return CodedColumn(name, *kind, width, data, planes, known_bits)


def decode_columns(blocks: Iterable[tuple[Rows, Sequence[CodedColumn]]]) -> None:
    """Adds their columns to blocks of rows, in their order. Their arrays may be read-only.

    Columns of the same axis, encoding, width, rows and byte planes are decoded together, whichever blocks they are of.
    """
    alike: dict[tuple[int, str, str, int, Planes], list[tuple[Rows, CodedColumn]]] = defaultdict(list)
    for rows, columns in blocks:
        count = len(rows)
        for column in columns:
            name, axis, encoding, width, packed, planes, _ = column
            getattr(rows, axis)[name] = _nothing(count, width, axis)
            if packed is not None:
                alike[count, axis, encoding, width, planes].append((rows, column))
    for (count, _, _, width, _), group in alike.items():
        most = max(1, _VALUES // (count * width))
        for start in range(0, len(group), most):
            _decode(group[start : start + most])


def _decode(group: Sequence[tuple[Rows, CodedColumn]]) -> None:
    """Decodes columns that are alike."""
    rows, (_, axis, encoding, width, _, planes, _) = group[0]
    shape, codec = (len(rows), width), CODECS[encoding]
    packed = [column.packed for _, column in group if column.packed is not None]
    codes = unpack(packed, planes, width, len(rows), codec.dtype)
    values = codec.decode(codes).astype(DTYPES[axis], copy=False)
    if len(values) < shape[0]:
        values = np.broadcast_to(values, (shape[0], *values.shape[1:]))
    all_known = _constant(True, np.bool_, shape)
    for i, (rows, (name, *_, known_bits)) in enumerate(group):
        column = Column(values[:, i], all_known)
        if known_bits:
            known = _unpacked_bits(known_bits, shape)
            column = Column(np.where(known, column.values, values.dtype.type(np.nan)), known)
        getattr(rows, axis)[name] = Column(column.values[:, 0], column.known[:, 0]) if axis == "run" else column


def _nothing(rows: int, width: int, axis: str) -> Column:
    """Returns a column in which nothing was recorded.

    It takes no memory: blocks of many such columns are small, and must be so when read.
    """
    shape = (rows,) if axis == "run" else (rows, width)
    return Column(_constant(np.nan, DTYPES[axis], shape), _constant(False, np.bool_, shape))


@lru_cache(64)
def _constant(value: float, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Returns a read-only array that holds one value everywhere, in the memory of that value."""
    return np.broadcast_to(np.array(value, dtype), shape)


def _known_bits(series: pb.Series, size: int) -> bytes:
    bits: bytes = series.known_bits
    if series.known != pb.Series.SOME or len(bits) != (size + 7) // 8:
        raise DecodeError(f"damaged: it is not clear which values of {series.name!r} were recorded")
    return bits


def _unpacked_bits(bits: bytes, shape: tuple[int, int]) -> NDArray[np.bool_]:
    unpacked = np.unpackbits(np.frombuffer(bits, np.uint8), count=shape[0] * shape[1])
    return np.ascontiguousarray(unpacked.view(bool).reshape(shape[::-1]).T)
