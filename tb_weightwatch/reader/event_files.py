"""Event files to launches, by TensorBoard's own file loader; this module never imports TensorFlow."""

from __future__ import annotations

import os
import warnings
from itertools import islice

from .. import schema
from ..history import History
from .assembly import RunAssembler
from .launch import Launch, SkipCounts
from .run_directories import checked_path, event_files, is_event_file
from .third_party import (
    TagCollector,
    add_validation,
    is_training,
    metric_files,
    read_metric_file,
    third_party_launches,
    validation_halves,
)

MAX_RECORD = 1 << 30  # bytes
FRAME = 16  # bytes around a record: its length and two checksums
_OUR_PREFIX = f"{schema.PLUGIN}/".encode()


def read(logdir: str | os.PathLike[str]) -> list[History]:
    """Returns the Histories of a run directory, one for each launch, oldest first; [] if it holds none.

    Reads the event files in `logdir` and in `logdir/weightwatch`. If tb_weightwatch recorded nothing there, third-party
    scalars and histograms are converted as far as possible (`facts["foreign"]` names their source and which columns are
    estimates). Warns if something could not be read.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    skipped = SkipCounts()
    read_launches = launches(logdir, skipped, maps=True)
    for launch in read_launches:
        skipped.update(launch.skipped)
    if skipped:
        warnings.warn(f"{os.fspath(logdir)}: not all could be read: {skipped}", RuntimeWarning, stacklevel=2)
    return [launch.history for launch in read_launches]


def launches(logdir: str | os.PathLike[str], skipped: SkipCounts | None = None, *, maps: bool = False) -> list[Launch]:
    """Returns the launches of a run directory, oldest first.

    If tb_weightwatch recorded none, they are converted from the logs of Keras' TensorBoard callback, `tf.summary` or
    PyTorch's SummaryWriter, or from text files: `trainer_state.json` of the Hugging Face Trainer, CSV, JSON Lines.

    Args:
        logdir: a run directory, an event file, or a text file of metrics.
        skipped: gets the counts of what could not be read and belongs to no launch.
        maps: histograms, motion maps and tensors are read as well.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    path = checked_path(logdir)
    result: list[Launch] = []
    collectors: list[TagCollector] = []
    for directory in (path, os.path.join(path, schema.PLUGIN)):
        assembler = RunAssembler(maps=maps)
        for file in event_files(directory):
            collectors.append(TagCollector())
            _load(file, assembler, collectors[-1])
        result += assembler.launches()
        if skipped is not None:
            skipped.update(assembler.skipped)
    if not result:
        result = _third_party(path, collectors, skipped)
    return sorted(result, key=lambda launch: (launch.history.started, launch.history.launch))


def _third_party(path: str, collectors: list[TagCollector], skipped: SkipCounts | None) -> list[Launch]:
    """Returns the launches that event files hold, or else those in text files."""
    directory = os.path.dirname(path) if is_event_file(path) else path
    if any(collectors):
        collector = TagCollector()
        for file in event_files(_validation_half(path)):
            _load(file, RunAssembler(), collector)
        add_validation(collectors[-1], collector)
    result = third_party_launches(collectors, directory)
    if not result:
        texts = [read_metric_file(file) for file in metric_files(path)]
        result = third_party_launches(texts, directory)
        for text in texts:
            if skipped is not None and not text:
                skipped.update(text.skipped)
    return result


def _validation_half(path: str) -> str:
    """Returns the local directory of the validation that belongs to a training; "" if there is none."""
    if "://" in path or not is_training(path):
        return ""
    training = os.path.abspath(path)
    parent = os.path.dirname(training)
    return validation_halves(os.path.join(parent, name) for name in os.listdir(parent)).get(training, "")


def _load(path: str, assembler: RunAssembler, collector: TagCollector) -> None:
    """Puts a file's data, record by record, into the assembler or, while it has none, into the collector."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

    name = os.path.basename(path)
    try:
        size, consumed = _file_size(path), 0
        for record in islice(RawEventFileLoader(path).Load(), records_before_oversized(path)):
            consumed += len(record) + FRAME
            put_record(record, assembler, collector)
    except Exception as error:  # the errors of TensorFlow and of the operating system have no common base
        assembler.skipped[f"{name} cannot be read: {error or type(error).__name__}"] += 1
        return
    if consumed < size:
        assembler.skipped[f"{name} cannot be read to its end: a record is damaged or was not written completely"] += 1


def put_record(record: bytes, assembler: RunAssembler, collector: TagCollector) -> None:
    """Puts the data of a record into the assembler or, while that has none, those of others into the collector."""
    if _OUR_PREFIX in record:
        _put(record, assembler)
    elif not assembler:
        _put_third_party(record, collector, assembler.skipped)


def _put(record: bytes, assembler: RunAssembler) -> None:
    try:
        for tag, data in schema.from_event(record):
            assembler.put(tag, data)
    except schema.DecodeError as error:
        assembler.skipped[str(error)] += 1


def _put_third_party(record: bytes, collector: TagCollector, skipped: SkipCounts) -> None:
    from tensorboard.compat.proto import event_pb2

    try:
        event = event_pb2.Event.FromString(record)
    except Exception:  # protobuf's DecodeError is another class in each of its implementations
        skipped["damaged: not an event"] += 1
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
            if length > MAX_RECORD:
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
