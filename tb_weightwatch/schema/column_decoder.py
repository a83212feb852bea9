"""`Series` messages of a block to columns. Columns of the same form are decoded together, in few operations."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..history import Column
from ..statistics import QUANTITIES
from . import weightwatch_pb2 as pb
from .column_series import DTYPES
from .decode_error import DecodeError
from .delta_packing import checked_planes, unpack
from .quantizers import CODECS, Codec

_AXES = {number: name.lower() for name, number in pb.Series.Axis.items()}
_ENCODINGS = {number: name.lower() for name, number in pb.Series.Encoding.items()}
_VALUES = 1 << 17  # decoded together at most, apart from a larger column: they stay in the cache, and memory is bounded


# A column that is not decoded yet: its name, its codes, and `[width, rows]` bits of which were recorded (b"": all).
_Coded = tuple[str, pb.Packed, bytes]


def known_axis(series: pb.Series, name: str) -> str:
    """Returns the axis of a column; "" if the table of this version has none of that name, axis and encoding."""
    quantity = QUANTITIES.get(name)
    if quantity is None or quantity.axis != _AXES.get(series.axis) or _ENCODINGS.get(series.encoding) not in CODECS:
        return ""
    return quantity.axis


class ColumnDecoder:
    """Decodes columns of a block: `add` them, which checks them, then ask for all.

    Args:
        block: the block, whose number of rows and values is within the bounds.
    """

    def __init__(self, block: pb.Block) -> None:
        self._block = block
        self._rows: int = block.rows
        self._columns: dict[str, Column | None] = {}
        # Alike are columns of the same axis, encoding, width and numbers of byte planes.
        self._alike: dict[tuple[str, str, int, tuple[int, int]], list[_Coded]] = defaultdict(list)

    def add(self, series: pb.Series, name: str, axis: str, width: int) -> None:
        """Adds a column that this version knows, of that axis and width, under a name that is new.

        Raises:
            DecodeError: it is damaged.
        """
        known = series.known
        if known == pb.Series.NOTHING or not width:
            self._columns[name] = _nothing(self._rows, width, axis)
            return
        known_bits = b"" if known == pb.Series.ALL else _known_bits(series, width * self._rows)
        encoding = _ENCODINGS[series.encoding]
        packed = self._block.columns[self._earlier(series)].values if series.same else series.values
        planes = checked_planes(packed, width, self._rows, CODECS[encoding].itemsize)
        self._columns[name] = None
        self._alike[axis, encoding, width, planes].append((name, packed, known_bits))

    def columns(self) -> dict[str, Column]:
        """Returns the columns by name, in the order in which they were added. Their arrays may be read-only."""
        for (axis, encoding, width, _), alike in self._alike.items():
            most = max(1, _VALUES // (self._rows * width))
            for start in range(0, len(alike), most):
                self._decode(axis, CODECS[encoding], width, alike[start : start + most])
        return {name: column for name, column in self._columns.items() if column is not None}

    def _decode(self, axis: str, codec: Codec, width: int, alike: list[_Coded]) -> None:
        shape = (self._rows, width)
        codes = unpack([packed for _, packed, _ in alike], width, self._rows, codec.dtype)
        values = codec.decode(codes).astype(DTYPES[axis], copy=False)
        if len(values) < self._rows:
            values = np.broadcast_to(values, (self._rows, *values.shape[1:]))
        all_known = _constant(True, np.bool_, shape)
        for i, (name, _, known_bits) in enumerate(alike):
            column = Column(values[:, i], all_known)
            if known_bits:
                known = _unpacked_bits(known_bits, shape)
                column = Column(np.where(known, column.values, values.dtype.type(np.nan)), known)
            self._columns[name] = Column(column.values[:, 0], column.known[:, 0]) if axis == "run" else column

    def _earlier(self, series: pb.Series) -> int:
        """Returns the index of the column whose codes a column shares."""
        if series.same > len(self._block.columns):
            raise DecodeError(f"damaged: column {series.name!r} refers to a column that does not exist")
        return series.same - 1


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
