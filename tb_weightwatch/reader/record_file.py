"""The records of a local event file (TFRecord: length, checksum, data, checksum), read in blocks without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import IO

import google_crc32c
import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 20
_HEAD = struct.Struct("<QI")
_CHECKSUM_SIZE = 4


def local_record_batches(path: str, largest: int) -> Iterator[list[bytes]]:
    """Yields the records of a file up to its end, or to the first that is damaged, incomplete or too large.

    A file has no other marks than the lengths of its records, so what comes after a damaged one is lost. A batch is
    what one read from the disk completes: it is yielded before more is read, which may fail.

    Args:
        path: of a local file.
        largest: bytes that a record may have; memory is taken only after this was checked.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        data = file.read(_BLOCK)
        while True:
            records, position, size = _framed_records(data, largest)
            if records:
                yield records
            if not size:
                return
            data = _continued(file, data, position, size)
            if len(data) < size:
                return


def _framed_records(data: bytes, largest: int) -> tuple[list[bytes], int, int]:
    """Returns the records at the start of some data, where they end, and how many bytes the next one needs; 0: none."""
    records: list[bytes] = []
    stops: list[int] = []
    position, end = 0, len(data) - _CHECKSUM_SIZE
    while True:
        start = position + _HEAD.size
        if start > len(data):
            missing = _HEAD.size
            break
        length, checksum = _HEAD.unpack_from(data, position)
        if length > largest or checksum != _checksum_of_length(length):
            missing = 0
            break
        stop = start + length
        if stop > end:
            missing = _HEAD.size + length + _CHECKSUM_SIZE
            break
        records.append(data[start:stop])
        stops.append(stop)
        position = stop + _CHECKSUM_SIZE
    valid = _valid_count(data, records, stops)
    return (records, position, missing) if valid == len(records) else (records[:valid], 0, 0)


def _valid_count(data: bytes, records: Sequence[bytes], stops: Sequence[int]) -> int:
    """Returns how many records come before the first whose checksum is another; the checksums stand at `stops`."""
    places = np.array(stops, np.int64)[:, None] + np.arange(_CHECKSUM_SIZE)
    stored = np.frombuffer(data, np.uint8)[places].view("<u4")[:, 0]
    computed = np.fromiter(map(google_crc32c.value, records), np.uint32, len(records))
    wrong = np.flatnonzero(_masked(computed) != stored)
    return int(wrong[0]) if len(wrong) else len(records)


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
    return int(_masked(np.array([google_crc32c.value(length.to_bytes(8, "little"))], np.uint32))[0])


def _masked(checksums: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Returns checksums as they stand in the file."""
    return np.asarray((checksums >> 15 | checksums << 17) + np.uint32(0xA282EAD8), np.uint32)
