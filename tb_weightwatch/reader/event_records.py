"""The records of an event file: what they hold of ours, and what others have logged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from .. import schema
from .assembly import RunAssembler
from .launch import SkipCounts
from .record_file import local_record_batches
from .third_party import AlikeRecords, TagCollector, event_heads

_BATCH = 1 << 20  # bytes of remote records that are put together
FRAME = 16  # bytes around a record: its length and two checksums
_OUR_NAME = schema.PLUGIN.encode()  # in the tag and in the metadata of each of our values


def put_records(path: str, assembler: RunAssembler, collector: TagCollector) -> None:
    """Puts a file's data, record by record, into the assembler or, while it has none, into the collector."""
    name = os.path.basename(path)
    alike = AlikeRecords(collector)
    try:
        size, consumed = _file_size(path), 0
        try:
            for records in _record_batches(path):
                consumed += sum(map(len, records)) + FRAME * len(records)
                is_ours = bool(assembler)
                for record, head, step in zip(records, *event_heads(records), strict=True):
                    if is_ours or not alike.put_record(record, head, step):
                        put_record(record, assembler, alike)
                        is_ours = bool(assembler)
        finally:
            alike.flush()
    except Exception as error:  # the errors of TensorFlow and of the operating system have no common base
        assembler.skipped.note(f"{name} cannot be read: {error or type(error).__name__}")
        return
    if consumed < size:
        assembler.skipped.note(f"{name} cannot be read to its end: a record is damaged or was not written completely")


def _record_batches(path: str) -> Iterator[list[bytes]]:
    """Yields the records of a file up to its end or to the first damaged one; remote ones by TensorBoard's loader."""
    if "://" not in path:
        yield from local_record_batches(path, schema.MAX_RECORD)
        return
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

    yield from _batches(RawEventFileLoader(path).Load())


def _batches(records: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yields some records together; those before an error are yielded before it is raised."""
    batch: list[bytes] = []
    size = 0
    try:
        for record in records:
            batch.append(record)
            size += len(record)
            if size > _BATCH:
                yield batch
                batch, size = [], 0
    except Exception:  # as in `put_records`
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def put_record(record: bytes, assembler: RunAssembler, collector: TagCollector | AlikeRecords) -> None:
    """Puts the data of a record into the assembler or, while that has none, those of others into the collector."""
    is_ours = _OUR_NAME in record and _put(record, assembler)
    if not is_ours and not assembler:
        _put_third_party(record, collector, assembler.skipped)


def _put(record: bytes, assembler: RunAssembler) -> bool:
    """Puts what a record holds of ours into the assembler; returns whether it holds anything of ours, or no event."""
    try:
        event = schema.from_event(record)
    except schema.DecodeError as error:
        assembler.skipped.note(str(error))
        return True
    for tag, data in event.data:
        assembler.put(tag, data)
    if event.damaged:
        assembler.skipped.note("damaged: a tag that tb_weightwatch does not write", event.damaged)
    return bool(event.data or event.damaged)


def _put_third_party(record: bytes, collector: TagCollector | AlikeRecords, skipped: SkipCounts) -> None:
    from tensorboard.compat.proto import event_pb2

    try:
        event = event_pb2.Event.FromString(record)
    except Exception:  # protobuf's DecodeError is another class in each of its implementations
        skipped.note("damaged: not an event")
        return
    collector.put(event)


def records_before_oversized(path: str, start: int = 0) -> int | None:
    """Returns how many records from byte `start` on come before one that claims to be too large; None: all are read.

    TensorFlow's reader believes any length, and ends the process if there is not that much memory.
    """
    if "://" in path:
        return None
    with open(path, "rb", buffering=0) as file:
        position, count = file.seek(start), 0
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head, "little")
            if length > schema.MAX_RECORD:
                return count
            position, count = position + length + FRAME, count + 1
            file.seek(position)
    return None


def _file_size(path: str) -> int:
    """Returns a file's size in bytes; 0 if it is not known."""
    if "://" not in path:
        return os.path.getsize(path)
    from tensorboard.compat import tf

    try:
        return int(tf.io.gfile.stat(path).length)
    except Exception:  # each file system has errors of its own; reading the file will show them
        return 0
