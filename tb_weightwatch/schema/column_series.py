"""Columns of a block of rows to `Series` messages; `column_decoder` reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import Column
from ..statistics import QUANTITIES
from . import weightwatch_pb2 as pb
from .bounds import MAX_WIDTH
from .delta_packing import pack
from .quantizers import CODECS, Codes

DTYPES: dict[str, Any] = {"variable": np.float32, "layer": np.float32, "run": np.float64}  # of values, by axis


class EncodedColumn(NamedTuple):
    """A column as integer codes.

    Attributes:
        name: of its quantity.
        axis: "variable", "layer" or "run".
        encoding: of its quantity.
        codes: `[n]` or `[n, width]`.
        known: of the same shape, which of them were recorded.
    """

    name: str
    axis: str
    encoding: str
    codes: Codes
    known: NDArray[np.bool_]

    def as_stored(self) -> Column:
        """Returns the column as a reader will get it."""
        return Column(_as_stored(CODECS[self.encoding].decode(self.codes), self.known, self.axis), self.known)


def encoded(axis: str, columns: Mapping[str, Column]) -> Iterator[EncodedColumn]:
    """Yields the columns of an axis as codes, in any order; columns of the same encoding are encoded together.

    Raises:
        ValueError: a column is not in the table of quantities, or has another axis there.
    """
    alike: dict[Any, list[str]] = defaultdict(list)
    for name, column in columns.items():
        alike[_encoding(name, axis), np.shape(column.known)].append(name)
    for (encoding, shape), names in alike.items():
        values, known = np.empty((len(names), *shape), np.float64), np.empty((len(names), *shape), bool)
        for i, name in enumerate(names):
            values[i], known[i] = columns[name]
        if not known.all():
            values[~known] = 0.0
        codes = CODECS[encoding].encode(values)
        yield from (EncodedColumn(name, axis, encoding, codes[i], known[i]) for i, name in enumerate(names))


def _encoding(name: str, axis: str) -> str:
    quantity = QUANTITIES.get(name)
    if quantity is None or quantity.axis != axis:
        raise ValueError(f"a column must be in the table of quantities with its axis, got {name!r} per {axis}")
    return quantity.encoding


class SeriesWriter:
    """Adds columns to the message of a block.

    A column with the same codes as an earlier one (a gradient that was not clipped, say) only names the earlier one.
    """

    def __init__(self, block: pb.Block) -> None:
        self._block = block
        self._numbers: dict[tuple[Any, ...], int] = {}  # packed codes -> number of their series, from 1

    def add(self, column: EncodedColumn) -> None:
        """Adds a column.

        Raises:
            ValueError: it has another number of rows than the block, or too many values in a row.
        """
        block = self._block
        known = column.known.reshape(len(column.known), -1).T  # [width, rows]
        codes = column.codes.reshape(len(column.codes), -1).T
        width, rows = known.shape
        if rows != block.rows or width > MAX_WIDTH:
            raise ValueError(
                f"column {column.name!r} must have {block.rows} rows of at most {MAX_WIDTH:,} values, "
                f"got {rows} of {width:,}"
            )
        series = block.columns.add(
            name=column.name,
            axis=pb.Series.Axis.Value(column.axis.upper()),
            encoding=pb.Series.Encoding.Value(column.encoding.upper()),
            width=width,
        )
        if not known.any():
            series.known = pb.Series.NOTHING
            return
        if not known.all():
            series.known = pb.Series.SOME
            series.known_bits = np.packbits(known).tobytes()
            codes = _forward_filled(codes, known)
        packed = pack(codes)
        key = (column.encoding, width, packed.head_planes, packed.delta_planes, packed.data)
        series.same = self._numbers.get(key, 0) if packed.data else 0
        if not series.same:
            self._numbers[key] = len(block.columns)
            series.values.CopyFrom(packed)


def _forward_filled(codes: Codes, known: NDArray[np.bool_]) -> Codes:
    """Replaces codes that were not recorded by the last recorded one, `[width, rows]`: a repetition costs no bytes."""
    last = np.maximum.accumulate(np.where(known, np.arange(known.shape[1]), 0), axis=1)
    return np.asarray(np.take_along_axis(np.where(known, codes, codes.dtype.type(0)), last, axis=1))


def _as_stored(values: NDArray[np.float64], known: NDArray[np.bool_], axis: str) -> NDArray[Any]:
    stored = values.astype(DTYPES[axis], order="C")
    if not known.all():
        stored[~known] = np.nan
    return stored
