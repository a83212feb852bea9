"""The envelope around every datum: version, CRC-32, bounded decompression."""

from __future__ import annotations

import struct
import zlib
from typing import Any, TypeVar

from google.protobuf.message import DecodeError as _ProtobufError
from google.protobuf.message import Message

from . import weightwatch_pb2 as pb

VERSION = 1
MAX_RAW = 1 << 26  # bytes of a decompressed body
_Body = TypeVar("_Body", bound=Message)


class DecodeError(ValueError):
    """A datum cannot be read; the message says why."""


def encode_envelope(kind: str, message: Any, started: float = 0.0) -> bytes:
    """Returns the bytes of a message in its envelope.

    Args:
        kind: RECORDS, ROWS, NOW or MAPS.
        message: a protobuf message.
        started: when its launch started, unix seconds.

    Raises:
        ValueError: the message is larger than any reader accepts.
    """
    raw = message.SerializeToString()
    if len(raw) > MAX_RAW:
        raise ValueError(f"a datum must have at most {MAX_RAW:,} bytes, got {len(raw):,}")
    # Byte planes hold runs and noise but no repeated strings: Z_RLE compresses them as well as level 6 does, several
    # times as fast.
    strategy = zlib.Z_RLE if kind == "ROWS" else zlib.Z_DEFAULT_STRATEGY
    compressor = zlib.compressobj(6, zlib.DEFLATED, 15, 9, strategy)
    body = compressor.compress(raw) + compressor.flush()
    envelope = pb.Envelope(
        version=VERSION,
        crc32=_checksum(body, len(raw), started),
        raw_size=len(raw),
        kind=kind,
        started=started,
        body=body,
    )
    return envelope.SerializeToString()


def decode_envelope(kind: str, data: bytes, message_type: type[_Body]) -> tuple[_Body, float]:
    """Returns the message in an envelope of that kind, and when its launch started, in unix seconds.

    Raises:
        DecodeError: it is damaged, of a newer version, of another kind, or larger than allowed.
    """
    try:
        envelope = pb.Envelope.FromString(bytes(data))
    except _ProtobufError:
        raise DecodeError("damaged: not an envelope") from None
    if envelope.version > VERSION:
        raise DecodeError(
            f"written in schema version {envelope.version}; this tb_weightwatch reads up to {VERSION}: upgrade it"
        )
    if _checksum(envelope.body, envelope.raw_size, envelope.started) != envelope.crc32:
        raise DecodeError("damaged: the checksum does not match")
    if envelope.kind != pb.Envelope.Kind.Value(kind):
        raise DecodeError(f"expected a datum of kind {kind}, got kind {envelope.kind}")
    body = _decompressed(envelope.body, envelope.raw_size)
    try:
        return message_type.FromString(body), envelope.started
    except _ProtobufError:
        raise DecodeError(f"damaged: it does not hold what a datum of kind {kind} holds") from None


def _checksum(body: bytes, size: int, started: float) -> int:
    return zlib.crc32(body, zlib.crc32(struct.pack("<Id", size, started)))


def _decompressed(body: bytes, size: int) -> bytes:
    if size > MAX_RAW:
        raise DecodeError(f"too large: it claims to hold {size:,} bytes; at most {MAX_RAW:,} are read")
    decompressor = zlib.decompressobj()
    try:
        raw = decompressor.decompress(body, size + 1)
    except zlib.error:
        raise DecodeError("damaged: it cannot be decompressed") from None
    if len(raw) != size or not decompressor.eof:
        raise DecodeError(f"damaged: it claims to hold {size:,} bytes but decompresses to another size")
    return raw
