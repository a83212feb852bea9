"""Event files to Histories, by TensorBoard's own file loader; TensorFlow is never imported by us."""

from __future__ import annotations

import os
import warnings
from itertools import islice

from .. import schema
from ..history import History
from .assembly import Launch, RunAssembler, SkipCounts
from .run_directories import event_files, existing, is_event_file
from .third_party.history import third_party_launches
from .third_party.series import TagCollector

MAX_RECORD = 1 << 30  # bytes
_MARK = b"weightwatch/"


def read(logdir: str | os.PathLike[str]) -> list[History]:
    """Returns the Histories of a run directory, one a launch, oldest first; [] if it holds none.

    Looks at the event files in `logdir` and in `logdir/weightwatch`. Where tb_weightwatch recorded nothing, scalars and
    histograms that others wrote give what they can (`facts["foreign"]` says from which, and what is an estimate).
    Warns of what could not be read.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    skipped = SkipCounts()
    found = launches(logdir, skipped, maps=True)
    for launch in found:
        skipped.update(launch.skipped)
    if skipped:
        warnings.warn(f"{os.fspath(logdir)}: not all could be read: {skipped}", RuntimeWarning, stacklevel=2)
    return [launch.history for launch in found]


def launches(logdir: str | os.PathLike[str], skipped: SkipCounts | None = None, *, maps: bool = False) -> list[Launch]:
    """Returns the launches of a run directory with what was skipped; `skipped` takes what belongs to no launch.

    Where nothing was recorded by tb_weightwatch, they come from what others wrote: Keras' TensorBoard callback,
    `tf.summary` or PyTorch's SummaryWriter.

    `maps`: reads histograms, motion maps and tensors as well.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    path = existing(logdir)
    found: list[Launch] = []
    curves: list[TagCollector] = []
    for directory in (path, os.path.join(path, schema.PLUGIN)):
        assembly = RunAssembler(maps=maps)
        for file in event_files(directory):
            curves.append(TagCollector())
            _load(file, assembly, curves[-1])
        found += assembly.launches()
        if skipped is not None:
            skipped.update(assembly.skipped)
    if not found:
        found = third_party_launches(curves, os.path.dirname(path) if is_event_file(path) else path)
    return sorted(found, key=lambda launch: (launch.history.started, launch.history.launch))


def _load(path: str, assembly: RunAssembler, curves: TagCollector) -> None:
    """Puts a file's data into the assembly, or what others wrote into `curves`; serialized events come one by one."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

    name = os.path.basename(path)
    try:
        size, consumed = _size(path), 0
        for record in islice(RawEventFileLoader(path).Load(), _sound(path)):
            consumed += len(record) + 16
            if _MARK in record:
                _put(record, assembly)
            elif not assembly:
                _put_foreign(record, curves, assembly)
    except Exception as error:  # TensorFlow's errors and the operating system's have no common base
        assembly.skipped[f"{name} can not be read: {error or type(error).__name__}"] += 1
        return
    if consumed < size:
        assembly.skipped[f"{name} can not be read to its end: a record is damaged or was not written completely"] += 1


def _put_foreign(record: bytes, curves: TagCollector, assembly: RunAssembler) -> None:
    from tensorboard.compat.proto import event_pb2

    try:
        event = event_pb2.Event.FromString(record)
    except Exception:  # protobuf's own DecodeError, which stands elsewhere in each of its implementations
        assembly.skipped["damaged: not an event"] += 1
        return
    curves.put(event)


def _sound(path: str) -> int | None:
    """Returns how many records stand before one that claims to be too large; None: all of them may be read.

    TensorFlow's reader believes any length, and ends the process if there is not so much memory.
    """
    if "://" in path:
        return None
    with open(path, "rb", buffering=0) as file:
        place = count = 0
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head, "little")
            if length > MAX_RECORD:
                return count
            place, count = place + length + 16, count + 1
            file.seek(place)
    return None


def _size(path: str) -> int:
    """Returns a file's bytes; 0 where they are not known."""
    if "://" not in path:
        return os.path.getsize(path)
    from tensorboard.compat import tf

    try:
        return int(tf.io.gfile.stat(path).length)
    except Exception:  # each kind of place has errors of its own; reading will tell
        return 0


def _put(record: bytes, assembly: RunAssembler) -> None:
    try:
        for tag, data in schema.from_event(record):
            assembly.put(tag, data)
    except schema.DecodeError as error:
        assembly.skipped[str(error)] += 1
