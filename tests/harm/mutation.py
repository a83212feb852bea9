"""Seeded mutations of byte strings, for the bounded part: bits, bytes, pieces that are cut, doubled or swapped."""

from __future__ import annotations

import random
from collections.abc import Sequence

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FF0000000000000, 0xFFFFFFFFFFFFFFFF)


def mutated(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Returns the data after one to eight random changes; the first byte, which names the target, stays."""
    changed = bytearray(data[1:])
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        _change(changed, others, rng)
    return data[:1] + bytes(changed)


def _change(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    at, length = rng.randrange(len(data) + 1), rng.randrange(1, 17)
    match rng.randrange(7):
        case 0 if at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        case 1 if at < len(data):
            data[at] = rng.randrange(256)
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = data[at : at + length]
        case 4:
            number = rng.choice(_NUMBERS)
            size = rng.choice((1, 2, 4, 8))
            data[at : at + size] = (number & (256**size - 1)).to_bytes(size, "little")
        case 5:
            other = rng.choice(others)
            start = rng.randrange(len(other))
            data[at : at + length] = other[start : start + length]
        case _:
            del data[at:]
