"""Packs series of integers: differences along time, zigzag, byte planes. zlib then makes them small."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import weightwatch_pb2 as pb
from .decode_error import DecodeError

Unsigned = NDArray[Any]


def pack(codes: Unsigned) -> pb.Packed:
    """Packs `[width, rows]` unsigned integers; differences wrap around, so that any value survives."""
    head, head_planes = _to_planes(codes[:, :1])
    differences = (codes[:, 1:] - codes[:, :-1]).view(f"i{codes.itemsize}")
    zigzag = (differences << 1) ^ (differences >> (8 * codes.itemsize - 1))
    deltas, delta_planes = _to_planes(zigzag.view(codes.dtype))
    return pb.Packed(head_planes=head_planes, delta_planes=delta_planes, data=head + deltas)


def unpack(packed: pb.Packed, width: int, rows: int, dtype: Any) -> Unsigned:
    """Returns the `[width, rows]` integers.

    Raises:
        DecodeError: the data have another size.
    """
    itemsize = np.dtype(dtype).itemsize
    head, deltas = packed.head_planes * width, packed.delta_planes * width * (rows - 1)
    if max(packed.head_planes, packed.delta_planes) > itemsize or len(packed.data) != head + deltas:
        raise DecodeError(f"damaged: the bytes of a column do not have the size that {width} x {rows} values need")
    raw = np.frombuffer(packed.data, np.uint8)
    codes = np.empty((width, rows), dtype)
    codes[:, :1] = _from_planes(raw[:head], packed.head_planes, (width, 1), dtype)
    if rows > 1 and not packed.delta_planes:  # no value ever changed
        codes[:, 1:] = codes[:, :1]
        return codes
    zigzag = _from_planes(raw[head:], packed.delta_planes, (width, rows - 1), dtype)
    sign = zigzag & 1
    np.negative(sign, out=sign)
    zigzag >>= 1
    np.bitwise_xor(zigzag, sign, out=codes[:, 1:])
    return np.cumsum(codes, axis=1, dtype=dtype, out=codes)


def _to_planes(codes: Unsigned) -> tuple[bytes, int]:
    """Returns the bytes of the integers, all lowest bytes first, and how many planes are not zero."""
    top = int(codes.max()) if codes.size else 0
    planes = (top.bit_length() + 7) // 8
    if not planes:
        return b"", 0
    little = np.ascontiguousarray(codes, codes.dtype.newbyteorder("<"))
    split = little.view(np.uint8).reshape(-1, codes.itemsize)[:, :planes]
    return np.ascontiguousarray(split.T).tobytes(), planes


def _from_planes(raw: NDArray[np.uint8], planes: int, shape: tuple[int, int], dtype: Any) -> Unsigned:
    if not planes:
        return np.zeros(shape, dtype)
    split = raw.reshape(planes, *shape)
    codes: Unsigned = split[0].astype(dtype)
    for plane in range(1, planes):
        codes |= split[plane].astype(dtype) << np.dtype(dtype).type(8 * plane)
    return codes
