"""The envelope of every datum: version, CRC-32, bounded decompression."""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError as _ProtobufError

from . import weightwatch_pb2 as pb

VERSION = 1
MAX_RAW = 1 << 26  # bytes of a decompressed body


class DecodeError(ValueError):
    """A datum that can not be read; the message says why."""


class Opened(NamedTuple):
    """A datum's decompressed body and when its launch started (unix seconds)."""

    body: bytes
    started: float


def seal(kind: str, message: Any, started: float = 0.0) -> bytes:
    """Returns the envelope of a message; `kind` is one of RECORDS, ROWS, NOW, MAPS.

    Raises:
        ValueError: the message is larger than any reader accepts.
    """
    raw = message.SerializeToString()
    if len(raw) > MAX_RAW:
        raise ValueError(f"a datum must stay below {MAX_RAW:,} bytes, got {len(raw):,}")
    # Runs and entropy are all there is to find in byte planes, so Z_RLE: as small as level 6, several times as fast.
    strategy = zlib.Z_RLE if kind == "ROWS" else zlib.Z_DEFAULT_STRATEGY
    press = zlib.compressobj(6, zlib.DEFLATED, 15, 9, strategy)
    body = press.compress(raw) + press.flush()
    envelope = pb.Envelope(
        version=VERSION,
        crc32=_checksum(body, len(raw), started),
        raw_size=len(raw),
        kind=kind,
        started=started,
        body=body,
    )
    return envelope.SerializeToString()


def unseal(kind: str, data: bytes) -> Opened:
    """Returns the body of a datum of that kind.

    Raises:
        DecodeError: it is damaged, newer than this version, of another kind, or larger than allowed.
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
        raise DecodeError(f"expected a datum of kind {kind}, got {envelope.kind}")
    return Opened(_inflate(envelope.body, envelope.raw_size), envelope.started)


def _checksum(body: bytes, size: int, started: float) -> int:
    return zlib.crc32(body, zlib.crc32(struct.pack("<Id", size, started)))


def _inflate(body: bytes, size: int) -> bytes:
    if size > MAX_RAW:
        raise DecodeError(f"too large: says it holds {size:,} bytes; at most {MAX_RAW:,} are read")
    inflate = zlib.decompressobj()
    try:
        raw = inflate.decompress(body, size + 1)
    except zlib.error:
        raise DecodeError("damaged: can not be decompressed") from None
    if len(raw) != size or not inflate.eof:
        raise DecodeError(f"damaged: decompresses to something else than the {size:,} bytes it says it holds")
    return raw
