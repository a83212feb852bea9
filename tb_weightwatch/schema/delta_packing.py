"""Integer series to few bytes: differences along time, zigzag, byte planes (what zlib can then make small)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import weightwatch_pb2 as pb
from .envelope import DecodeError

Unsigned = NDArray[Any]


def pack(codes: Unsigned) -> pb.Packed:
    """Packs `[width, rows]` unsigned integers; differences wrap around, so any value is kept."""
    head, head_planes = _planes(codes[:, :1])
    signed = (codes[:, 1:] - codes[:, :-1]).view(f"i{codes.itemsize}")
    zigzag = (signed << 1) ^ (signed >> (8 * codes.itemsize - 1))
    deltas, delta_planes = _planes(zigzag.view(codes.dtype))
    return pb.Packed(head_planes=head_planes, delta_planes=delta_planes, data=head + deltas)


def unpack(packed: pb.Packed, width: int, rows: int, dtype: Any) -> Unsigned:
    """Returns the `[width, rows]` integers; raises DecodeError if the data are not that many."""
    size = np.dtype(dtype).itemsize
    head, deltas = packed.head_planes * width, packed.delta_planes * width * (rows - 1)
    if max(packed.head_planes, packed.delta_planes) > size or len(packed.data) != head + deltas:
        raise DecodeError(f"damaged: a column of {width} x {rows} does not have the bytes that it needs")
    raw = np.frombuffer(packed.data, np.uint8)
    codes = np.empty((width, rows), dtype)
    codes[:, :1] = _joined(raw[:head], packed.head_planes, (width, 1), dtype)
    if rows > 1 and not packed.delta_planes:  # nothing ever changed
        codes[:, 1:] = codes[:, :1]
        return codes
    zigzag = _joined(raw[head:], packed.delta_planes, (width, rows - 1), dtype)
    sign = zigzag & 1
    np.negative(sign, out=sign)
    zigzag >>= 1
    np.bitwise_xor(zigzag, sign, out=codes[:, 1:])
    return np.cumsum(codes, axis=1, dtype=dtype, out=codes)


def _planes(codes: Unsigned) -> tuple[bytes, int]:
    top = int(codes.max()) if codes.size else 0
    count = (top.bit_length() + 7) // 8
    little = np.ascontiguousarray(codes, codes.dtype.newbyteorder("<"))
    if not count:
        return b"", 0
    split = little.view(np.uint8).reshape(-1, codes.itemsize)[:, :count]
    return np.ascontiguousarray(split.T).tobytes(), count


def _joined(raw: NDArray[np.uint8], planes: int, shape: tuple[int, int], dtype: Any) -> Unsigned:
    if not planes:
        return np.zeros(shape, dtype)
    split = raw.reshape(planes, *shape)
    codes: Unsigned = split[0].astype(dtype)
    for place in range(1, planes):
        codes |= split[place].astype(dtype) << np.dtype(dtype).type(8 * place)
    return codes
