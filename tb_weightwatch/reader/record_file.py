"""The records of a local event file (TFRecord: length, checksum, data, checksum), read in blocks without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import IO

import google_crc32c

_BLOCK = 1 << 20
_HEAD = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")


def local_records(path: str, largest: int) -> Iterator[bytes]:
    """Yields the records of a file up to its end, or to the first that is damaged, incomplete or too large.

    A file has no other marks than the lengths of its records, so what comes after a damaged one is lost.

    Args:
        path: of a local file.
        largest: bytes that a record may have; memory is taken only after this was checked.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        data, position = file.read(_BLOCK), 0
        while True:
            start = position + _HEAD.size
            if start > len(data):
                data, position = _continued(file, data, position, _HEAD.size), 0
                if len(data) < _HEAD.size:
                    return
                continue
            length, checksum = _HEAD.unpack_from(data, position)
            if length > largest or checksum != _checksum_of_length(length):
                return
            stop = start + length
            if stop + _CHECKSUM.size > len(data):
                size = _HEAD.size + length + _CHECKSUM.size
                data, position = _continued(file, data, position, size), 0
                if len(data) < size:
                    return
                continue
            record = data[start:stop]
            if _CHECKSUM.unpack_from(data, stop)[0] != _masked(google_crc32c.value(record)):
                return
            yield record
            position = stop + _CHECKSUM.size


def _continued(file: IO[bytes], data: bytes, position: int, size: int) -> bytes:
    """Returns the data from a position on and what follows in the file: at least `size` bytes if it has as many."""
    parts = [data[position:]]
    missing = max(size - len(parts[0]), _BLOCK)
    while missing > 0 and (part := file.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


@lru_cache(1 << 12)
def _checksum_of_length(length: int) -> int:
    return _masked(google_crc32c.value(length.to_bytes(8, "little")))


def _masked(checksum: int) -> int:
    """Returns a checksum as it stands in the file."""
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
