"""Ways to damage an event file: each yields whole files."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from tensorboard.summary.writer.record_writer import masked_crc32c

HEAD, FOOT = 12, 4  # bytes of a record before and after its data


def framed(data: bytes) -> bytes:
    """Returns a record with the checksums that TensorBoard wants."""
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc32c(head)) + data + struct.pack("<I", masked_crc32c(data))


def tails(file: bytes, number: int, rng: random.Random) -> Iterator[bytes]:
    """Zeros after the file, and zeros in place of its end."""
    for i in range(number):
        size = 1 + i // 2 if i < number // 2 else rng.randrange(1, len(file))
        yield file + bytes(size) if i % 2 else file[:-size] + bytes(size)


def duplicates(file: bytes, records: list[bytes], number: int, rng: random.Random) -> Iterator[bytes]:
    """A record twice, the second one anywhere after the first."""
    for i in range(number):
        first = i % len(records)
        second = rng.randrange(first, len(records)) + 1
        yield b"".join([*records[:second], records[first], *records[second:]])


def shuffles(records: list[bytes], number: int, rng: random.Random) -> Iterator[bytes]:
    """The records in any order, or two of them exchanged."""
    for i in range(number):
        order = list(records)
        if i % 2:
            rng.shuffle(order)
        else:
            a, b = rng.randrange(len(order)), rng.randrange(len(order))
            order[a], order[b] = order[b], order[a]
        yield b"".join(order)


def flips(records: list[bytes], number: int, rng: random.Random) -> Iterator[bytes]:
    """One bit of a record's data, beneath a checksum that is right again."""
    for i in range(number):
        place = 1 + i % (len(records) - 1)  # the first record is TensorBoard's own
        data = bytearray(records[place][HEAD:-FOOT])
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        yield b"".join([*records[:place], framed(bytes(data)), *records[place + 1 :]])


def plain_flips(file: bytes, number: int, rng: random.Random) -> Iterator[bytes]:
    """One bit of the file."""
    for _ in range(number):
        place = rng.randrange(len(file))
        yield file[:place] + bytes([file[place] ^ (1 << rng.randrange(8))]) + file[place + 1 :]


def truncations(file: bytes, number: int, rng: random.Random) -> Iterator[bytes]:
    """The file without its end: at every byte, or at so many of them."""
    places = range(len(file)) if number >= len(file) else sorted(rng.sample(range(len(file)), number))
    yield from (file[:place] for place in places)
