"""The envelope around every datum: version, checksums, bounded decompression."""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any, TypeVar

from google.protobuf.message import DecodeError as _ProtobufError
from google.protobuf.message import Message

from . import weightwatch_pb2 as pb
from .bounds import MAX_PARTS, MAX_RAW, MAX_UNCOUNTED
from .decode_error import DecodeError
from .wire_fields import NotAMessage, check_field_count

VERSION = 1
_Body = TypeVar("_Body", bound=Message)


def encode_envelope(kind: str, message: Any, started: float = 0.0, written: float = 0.0) -> bytes:
    """Returns the bytes of a message in its envelope.

    Args:
        kind: RECORDS, ROWS, NOW or MAPS.
        message: a protobuf message.
        started: when its launch started, unix seconds.
        written: when a status was written, unix seconds (`LaunchStatus.written`).

    Raises:
        ValueError: the message is larger than any reader accepts.
    """
    raw = message.SerializeToString()
    if len(raw) > MAX_RAW[kind]:
        raise ValueError(f"a datum of kind {kind} must have at most {MAX_RAW[kind]:,} bytes, got {len(raw):,}")
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
        written=written,
    )
    return envelope.SerializeToString()


def decode_envelope(kind: str, data: bytes, message_type: type[_Body], tag: str = "") -> tuple[_Body, pb.Envelope]:
    """Returns the message in an envelope of that kind, and the envelope.

    Args:
        kind: RECORDS, ROWS, NOW or MAPS.
        data: the datum.
        message_type: of the message.
        tag: under which the datum was found; "": it is not checked.

    Raises:
        DecodeError: it is damaged, of a newer version, of another kind or tag, or larger than allowed.
    """
    envelope = _envelope(data)
    if envelope.version > VERSION:
        raise DecodeError(
            f"written in schema version {envelope.version}; this tb_weightwatch reads up to {VERSION}: upgrade it"
        )
    if _checksum(envelope.body, envelope.raw_size, envelope.started) != envelope.crc32:
        raise DecodeError("damaged: the checksum does not match")
    if envelope.kind != pb.Envelope.Kind.Value(kind):
        raise DecodeError(f"expected a datum of kind {kind}, got kind {envelope.kind}")
    if not _is_under(envelope, tag):
        raise DecodeError("damaged: it was not written under this tag")
    body = _decompressed(envelope.body, envelope.raw_size, MAX_RAW[kind])
    try:
        if len(body) > MAX_UNCOUNTED:
            check_field_count(body, *MAX_PARTS[kind])
        return message_type.FromString(body), envelope
    except (_ProtobufError, NotAMessage):
        raise DecodeError(f"damaged: it does not hold what a datum of kind {kind} holds") from None


def sealed(data: bytes, tag: str) -> bytes:
    """Returns a datum with a checksum over its tag and its envelope, which earlier versions ignore; noise unchanged."""
    try:
        envelope = _envelope(data)
    except DecodeError:
        return data
    envelope.seal = _seal(envelope, tag)
    return envelope.SerializeToString()


def status_time(data: bytes, tag: str) -> float:
    """Returns when a status was written, without decompressing it: unix seconds.

    Returns 0 if an earlier version wrote it, which did not say so, and infinity if it is damaged, so that whoever looks
    for the latest status notices.
    """
    try:
        envelope = _envelope(data)
    except DecodeError:
        return math.inf
    if not envelope.seal:
        return 0.0
    return envelope.written if _is_under(envelope, tag) and math.isfinite(envelope.written) else math.inf


def _envelope(data: bytes) -> pb.Envelope:
    try:
        return pb.Envelope.FromString(bytes(data))
    except _ProtobufError:
        raise DecodeError("damaged: not an envelope") from None


def _checksum(body: bytes, size: int, started: float) -> int:
    return zlib.crc32(body, zlib.crc32(struct.pack("<Id", size, started)))


def _seal(envelope: pb.Envelope, tag: str) -> int:
    fields = struct.pack("<iIId", envelope.kind, envelope.version, envelope.crc32, envelope.written)
    return zlib.crc32(tag.encode(errors="replace"), zlib.crc32(fields)) or 1


def _is_under(envelope: pb.Envelope, tag: str) -> bool:
    return not tag or not envelope.seal or envelope.seal == _seal(envelope, tag)


def _decompressed(body: bytes, size: int, most: int) -> bytes:
    if size > most:
        raise DecodeError(f"too large: it claims to hold {size:,} bytes; at most {most:,} are read")
    decompressor = zlib.decompressobj()
    try:
        raw = decompressor.decompress(body, size + 1)
    except zlib.error:
        raise DecodeError("damaged: it cannot be decompressed") from None
    if len(raw) != size or not decompressor.eof:
        raise DecodeError(f"damaged: it claims to hold {size:,} bytes but decompresses to another size")
    return raw
