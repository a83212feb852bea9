"""What the decoder fuzzer feeds, and what may come of it: a result, or our own `DecodeError`.

The first byte of an input says what the rest is: a datum as it stands in a file, a message beneath a valid checksum, a
serialized event, a tag, or a whole event file, as it is or with its checksums made valid again. Whatever can be decoded
is assembled to launches, too, which may raise nothing.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tensorboard.summary.writer.record_writer import masked_crc32c

from tb_weightwatch import reader, schema
from tb_weightwatch.history import Rows
from tb_weightwatch.schema import Tag
from tb_weightwatch.schema import weightwatch_pb2 as pb
from tb_weightwatch.statistics import QUANTITIES
from tests.support import synthetic_runs
from tests.support.event_files import event_file, framed_records

KINDS = {"header": "RECORDS", "rows": "ROWS", "now": "NOW", "maps": "MAPS"}
_DECODE: dict[str, Callable[[bytes], Any]] = {
    "header": schema.decode_records,
    "rows": schema.decode_row_block,
    "now": schema.decode_now,
    "maps": schema.decode_maps,
}
_EVENT, _TAG, _FILE, _VALID_FILE = range(2 * len(KINDS), 2 * len(KINDS) + 4)
_TARGETS = _VALID_FILE + 1


def feed(data: bytes) -> None:
    """Feeds one input to the decoder.

    Raises:
        Exception: the decoder failed; it must not.
    """
    which, rest = (data[0] % _TARGETS, data[1:]) if data else (0, b"")
    names = list(KINDS)
    if which < len(KINDS):
        _decode(names[which], rest)
    elif which < 2 * len(KINDS):
        name = names[which - len(KINDS)]
        _decode(name, in_envelope(KINDS[name], rest))
    elif which == _EVENT:
        _from_event(rest)
    elif which == _TAG:
        schema.parse_tag(rest.decode("utf-8", "replace"))
    else:
        _whole_file(rest if which == _FILE else with_valid_checksums(rest))


def _decode(name: str, data: bytes) -> None:
    try:
        _DECODE[name](data)
    except schema.DecodeError:
        return
    assembler = reader.RunAssembler(maps=True)
    assembler.put(Tag("a1", name), data)
    assembler.launches()


def _from_event(record: bytes) -> None:
    assembler = reader.RunAssembler(maps=True)
    try:
        for tag, data in schema.from_event(record).data:
            assembler.put(tag, data)
    except schema.DecodeError:
        return
    assembler.launches()


def _whole_file(content: bytes) -> None:
    file = _file()
    file.seek(0)
    file.truncate()
    file.write(content)
    reader.launches(file.name, reader.SkipCounts(), maps=True)


@cache
def _file() -> Any:
    """Returns the one file that is written again and again: to open one takes longer than to read it."""
    return tempfile.NamedTemporaryFile(prefix="events.out.tfevents.1.", buffering=0)


def in_envelope(kind: str, body: bytes) -> bytes:
    """Returns bytes beneath a valid checksum, as the body of a datum."""
    packed = zlib.compress(body, 1)
    checksum = zlib.crc32(packed, zlib.crc32(struct.pack("<Id", len(body), 1.0)))
    envelope = pb.Envelope(version=1, crc32=checksum, raw_size=len(body), kind=kind, started=1.0, body=packed)
    return bytes(envelope.SerializeToString())


def seeds() -> Iterator[bytes]:
    """Yields valid inputs of every target: those that a short recording holds."""
    names = list(KINDS)
    with tempfile.TemporaryDirectory(prefix="harm-seeds-") as folder:
        logdir = Path(folder)
        synthetic_runs.write(logdir, 16, variables=synthetic_runs.NAMES[:2], change=one_column_of_each_encoding)
        records = framed_records(event_file(logdir))
    for record in records:
        event = record[12:-4]
        yield bytes([_EVENT]) + event
        for tag, data in schema.from_event(event).data:
            number = names.index(tag.kind)
            yield bytes([number]) + data
            yield bytes([number + len(KINDS)]) + zlib.decompress(pb.Envelope.FromString(data).body)
            yield bytes([_TAG]) + str(tag).encode()
    for data in _maps():
        yield bytes([names.index("maps")]) + data
        yield bytes([names.index("maps") + len(KINDS)]) + zlib.decompress(pb.Envelope.FromString(data).body)
    for target in (_FILE, _VALID_FILE):
        yield bytes([target]) + b"".join(records[:6])


def one_column_of_each_encoding(rows: Rows) -> None:
    """Removes columns that are stored as another one is, so that an input is read in less than a millisecond."""
    for _, columns in rows.axes():
        first = {QUANTITIES[name].encoding: name for name in reversed(columns)}
        for name in columns.keys() - first.values():
            del columns[name]


def _maps() -> Iterator[bytes]:
    import numpy as np

    from tb_weightwatch.maps import Map

    values = np.linspace(0, 1, 64, dtype="float32").reshape(8, 8)
    yield from schema.encode_maps([Map(3, "dense/kernel", kind, values, 1.0) for kind in ("update_map", "gradient")])


def with_valid_checksums(content: bytes) -> bytes:
    """Returns an event file whose records have valid checksums and lengths again."""
    records = []
    while len(content) > 16:
        size = min(struct.unpack("<Q", content[:8])[0], len(content) - 16)
        head, body = struct.pack("<Q", size), content[12 : 12 + size]
        records.append(head + struct.pack("<I", masked_crc32c(head)) + body + struct.pack("<I", masked_crc32c(body)))
        content = content[16 + size :]
    return b"".join(records)
