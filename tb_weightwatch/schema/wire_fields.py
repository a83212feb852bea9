"""Counts the fields of a protobuf message before it is parsed: each that is repeated takes memory of its own."""

from __future__ import annotations

from collections.abc import Iterator

from .decode_error import DecodeError

_FIXED = {1: 8, 5: 4}  # wire type -> bytes


class NotAMessage(ValueError):
    """The bytes are no message as we write them: they end within a field, or have groups."""


def check_field_count(raw: bytes, most: int, inner: int = 0, most_inner: int = 0, packed: int = 0) -> None:
    """Checks how many fields a message has, and how many its inner messages have.

    Args:
        raw: the message.
        most: how many fields it may have.
        inner: number of the field that holds inner messages; 0: they are not looked at.
        most_inner: how many fields the inner messages may have together.
        packed: number of a field of theirs that holds packed numbers; each byte counts as a field. 0: there is none.

    Raises:
        DecodeError: it has more.
        NotAMessage: it is none.
    """
    count_inner = 0
    for count, (number, start, stop) in enumerate(_fields(raw, 0, len(raw)), 1):
        if number == inner:
            for inner_number, inner_start, inner_stop in _fields(raw, start, stop):
                count_inner += 1 + (inner_stop - inner_start) * (inner_number == packed)
                if count_inner > most_inner:
                    break
        if count > most or count_inner > most_inner:
            raise DecodeError(f"out of bounds: more than {most:,} parts")


def _fields(raw: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yields number, start and end of each field between two positions."""
    if end > len(raw):
        raise NotAMessage
    while position < end:
        key = raw[position]
        position += 1
        if key > 127:  # most keys have one byte
            key, position = _varint(raw, position - 1)
        kind = key & 7
        if kind == 2:
            size, position = _varint(raw, position)
        elif kind == 0:
            size = 0
            _, position = _varint(raw, position)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise NotAMessage
        yield key >> 3, position, position + size
        position += size


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(raw) and shift < 70:
        byte = raw[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise NotAMessage
