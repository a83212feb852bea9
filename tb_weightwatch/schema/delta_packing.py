"""Packs series of integers: differences along time, zigzag, byte planes. zlib then makes them small."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import weightwatch_pb2 as pb
from .decode_error import DecodeError

Unsigned = NDArray[Any]
Planes = tuple[int, int]  # in how many byte planes the first integers are, and the differences
_LONG_ROW = 256  # integers; from here on it is faster to add row to row


def pack(codes: Unsigned) -> pb.Packed:
    """Packs `[width, rows]` unsigned integers; differences wrap around, so that any value survives."""
    head, head_planes = _to_planes(codes[:, :1])
    differences = (codes[:, 1:] - codes[:, :-1]).view(f"i{codes.itemsize}")
    zigzag = (differences << 1) ^ (differences >> (8 * codes.itemsize - 1))
    deltas, delta_planes = _to_planes(zigzag.view(codes.dtype))
    return pb.Packed(head_planes=head_planes, delta_planes=delta_planes, data=head + deltas)


def checked_data(packed: pb.Packed, width: int, rows: int, itemsize: int) -> tuple[bytes, Planes]:
    """Returns the bytes of `[width, rows]` integers.

    Raises:
        DecodeError: they are not as many as these integers need.
    """
    head_planes, delta_planes, data = packed.head_planes, packed.delta_planes, packed.data
    size = head_planes * width + delta_planes * width * (rows - 1)
    if head_planes > itemsize or delta_planes > itemsize or len(data) != size:
        raise DecodeError(f"damaged: the bytes of a column do not have the size that {width} x {rows} values need")
    return data, (head_planes, delta_planes)


def unpack(packed: Sequence[bytes], planes: Planes, width: int, rows: int, dtype: Any) -> Unsigned:
    """Returns the integers of some `checked_data` with the same planes.

    They are `[rows, packed, width]`; `[1, packed, width]` if no value ever changed. A row of all of them is
    contiguous, so that rows are added up with few operations.
    """
    head_planes, delta_planes = planes
    head, deltas = head_planes * width, delta_planes * width * (rows - 1)
    rows = rows if deltas else 1
    raw = np.frombuffer(b"".join(packed), np.uint8).reshape(len(packed), head + deltas)
    codes = np.zeros((rows, len(packed), width), np.dtype(dtype).newbyteorder("<"))
    code_bytes = codes.view(np.uint8).reshape(*codes.shape, codes.itemsize)
    heads = raw[:, :head].reshape(len(packed), head_planes, width)
    for plane in range(head_planes):
        code_bytes[0, :, :, plane] = heads[:, plane]
    zigzag = raw[:, head:].reshape(len(packed), delta_planes, width, rows - 1)
    if delta_planes == 2 == codes.itemsize:  # as nearly all: put together before they are transposed is faster
        both = zigzag[:, 1].astype(codes.dtype)
        both <<= 8
        both |= zigzag[:, 0]
        codes[1:] = both.transpose(2, 0, 1)
    else:
        for plane in range(delta_planes):
            code_bytes[1:, :, :, plane] = zigzag[:, plane].transpose(2, 0, 1)
    codes = codes.astype(dtype, copy=False)
    _from_zigzag(codes[1:])
    _add_up(codes)
    return codes


def _from_zigzag(codes: Unsigned) -> None:
    sign = codes & 1
    np.negative(sign, out=sign)
    codes >>= 1
    codes ^= sign


def _add_up(codes: Unsigned) -> None:
    """Adds to each row the sum of the rows before it. NumPy's own sum goes element by element, where rows are long."""
    if codes[0].size < _LONG_ROW:
        np.add.accumulate(codes, axis=0, dtype=codes.dtype, out=codes)
        return
    for before, row in pairwise(codes):
        np.add(before, row, out=row)


def _to_planes(codes: Unsigned) -> tuple[bytes, int]:
    """Returns the bytes of the integers, all lowest bytes first, and how many planes are not zero."""
    top = int(codes.max()) if codes.size else 0
    planes = (top.bit_length() + 7) // 8
    if not planes:
        return b"", 0
    little = np.ascontiguousarray(codes, codes.dtype.newbyteorder("<"))
    split = little.view(np.uint8).reshape(-1, codes.itemsize)[:, :planes]
    return np.ascontiguousarray(split.T).tobytes(), planes
