"""The records of a local event file: all up to the first that is damaged, incomplete or too large."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch.reader import event_records, record_file
from tb_weightwatch.reader.record_file import local_record_batches

LARGEST = 1 << 12
RECORDS = [b"one", b"", b"x" * 100, bytes(range(256)) * 10, b"last"]


def masked(data: bytes) -> bytes:
    checksum = google_crc32c.value(data)
    return struct.pack("<I", (((checksum >> 15) | (checksum << 17 & 0xFFFFFFFF)) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(record: bytes) -> bytes:
    length = struct.pack("<Q", len(record))
    return length + masked(length) + record + masked(record)


def read(tmp_path: Path, data: bytes) -> list[bytes]:
    path = tmp_path / "events.out.tfevents.1.test"
    path.write_bytes(data)
    return list(chain.from_iterable(local_record_batches(str(path), LARGEST)))


@pytest.fixture(params=[1, 7, 64, 1 << 20])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many bytes are read at once: also fewer than a length takes, and than a record."""
    monkeypatch.setattr(record_file, "_BLOCK", request.param)
    return int(request.param)


@pytest.mark.usefixtures("block")
def test_all_records_are_read(tmp_path: Path) -> None:
    """Wherever blocks end."""
    assert read(tmp_path, b"".join(map(framed, RECORDS))) == RECORDS
    assert read(tmp_path, b"") == []


@pytest.mark.usefixtures("block")
def test_a_record_that_was_cut_off_ends_the_file(tmp_path: Path) -> None:
    """Wherever it was cut."""
    whole = framed(b"whole")
    for size in range(len(framed(b"cut off"))):
        assert read(tmp_path, whole + framed(b"cut off")[:size]) == [b"whole"]


@pytest.mark.usefixtures("block")
def test_a_damaged_record_ends_the_file(tmp_path: Path) -> None:
    """Whichever bit of length, checksums or data is another."""
    before, damaged, after = map(framed, (b"before", b"damaged", b"after"))
    for bit in range(0, 8 * len(damaged), 5):
        other = bytearray(damaged)
        other[bit // 8] ^= 1 << bit % 8
        assert read(tmp_path, before + bytes(other) + after) == [b"before"]


def test_a_record_that_is_too_large_ends_the_file_before_memory_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The length is checked before the file is read on."""
    sizes: list[int] = []
    real = record_file._continued

    def continued(file: IO[bytes], data: bytes, position: int, size: int) -> bytes:
        sizes.append(size)
        return real(file, data, position, size)

    monkeypatch.setattr(record_file, "_continued", continued)
    assert read(tmp_path, framed(b"x" * LARGEST) + framed(b"")) == [b"x" * LARGEST, b""]
    length = struct.pack("<Q", 1 << 40)
    assert read(tmp_path, framed(b"one") + length + masked(length) + b"x" * 100) == [b"one"]
    assert max(sizes) <= LARGEST + 16


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_exception(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Noise holds no records, and what comes before it is read."""
    assert read(tmp_path_factory.mktemp("noise"), framed(b"first") + data)[:1] == [b"first"]


def test_remote_records_before_an_error_are_put_before_it_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches of some bytes."""
    monkeypatch.setattr(event_records, "_BATCH", 5)

    def records() -> Iterator[bytes]:
        yield from (b"123", b"456", b"7", b"8")
        raise OSError("the disk is away")

    batches = event_records._batches(records())
    assert [next(batches), next(batches)] == [[b"123", b"456"], [b"7", b"8"]]
    with pytest.raises(OSError, match="away"):
        next(batches)
    assert list(event_records._batches([b"1"])) == [[b"1"]]
    assert list(event_records._batches([])) == []
