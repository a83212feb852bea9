"""Event files to launches, by TensorBoard's own file loader; this module never imports TensorFlow."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from itertools import islice

from .. import schema
from ..history import History
from .assembly import RunAssembler
from .file_kinds import ReadableFiles, readable_files
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

FRAME = 16  # bytes around a record: its length and two checksums
_OUR_NAME = schema.PLUGIN.encode()  # in the tag and in the metadata of each of our values


def read(logdir: str | os.PathLike[str]) -> list[History]:
    """Returns the Histories of a run directory, one for each launch, oldest first; [] if it holds none.

    Reads the event files in `logdir` and in `logdir/weightwatch`. If tb_weightwatch recorded nothing there, third-party
    scalars and histograms are converted as far as possible (`facts["foreign"]` names their source and which columns are
    estimates). Links that lead out of `logdir` are followed only if the environment variable
    TB_WEIGHTWATCH_FOLLOW_LINKS is 1. Warns if something could not be read.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    skipped = SkipCounts()
    read_launches = launches(logdir, skipped, maps=True)
    for launch in read_launches:
        skipped.note_all(launch.skipped)
    if skipped:
        warnings.warn(f"{os.fspath(logdir)}: not all could be read: {skipped}", RuntimeWarning, stacklevel=2)
    return [launch.history for launch in read_launches]


def launches(
    logdir: str | os.PathLike[str],
    skipped: SkipCounts | None = None,
    *,
    maps: bool = False,
    root: str | None = None,
    follow_links: bool | None = None,
) -> list[Launch]:
    """Returns the launches of a run directory, oldest first.

    If tb_weightwatch recorded none, they are converted from the logs of Keras' TensorBoard callback, `tf.summary` or
    PyTorch's SummaryWriter, or from text files: `trainer_state.json` of the Hugging Face Trainer, CSV, JSON Lines.

    Args:
        logdir: a run directory, an event file, or a text file of metrics.
        skipped: gets the counts of what could not be read and belongs to no launch.
        maps: histograms, motion maps and tensors are read as well.
        root: the log directory out of which links must not lead; None: `logdir`.
        follow_links: whether links that lead out of it are followed; None: as the environment variable
            TB_WEIGHTWATCH_FOLLOW_LINKS says (1: they are).

    Raises:
        FileNotFoundError: there is no such directory.
    """
    path = checked_path(logdir)
    skipped = SkipCounts() if skipped is None else skipped
    files = readable_files(path if root is None or "://" in path else checked_path(root), follow_links, skipped)
    result: list[Launch] = []
    collectors: list[TagCollector] = []
    for directory in (path, os.path.join(path, schema.PLUGIN)):
        if directory != path and not files.may_follow(directory):
            continue
        assembler = RunAssembler(maps=maps)
        for file in event_files(directory, files):
            collectors.append(TagCollector())
            _load(file, assembler, collectors[-1])
        result += assembler.launches(settled=True)
        skipped.note_all(assembler.skipped)
    if not result:
        validation = _validation_half(path)
        if validation and root is not None and not files.is_inside(validation):
            validation = ""
        result = _third_party(path, validation, collectors, files)
    return sorted(result, key=lambda launch: (launch.history.started, launch.history.launch))


def _third_party(path: str, validation: str, collectors: list[TagCollector], files: ReadableFiles) -> list[Launch]:
    """Returns the launches that event files hold, or else those in text files.

    Args:
        path: the run directory, or the file.
        validation: directory of the validation that belongs to it; "" if there is none.
        collectors: what its event files hold.
        files: decides which files are read, and counts what is not.
    """
    directory = os.path.dirname(path) if is_event_file(path) else path
    if any(collectors) and validation:
        collector = TagCollector()
        for file in event_files(validation, replace(files, root=validation)):
            _load(file, RunAssembler(), collector)
        add_validation(collectors[-1], collector)
    result = third_party_launches(collectors, directory)
    if not result:
        texts = [read_metric_file(file) for file in metric_files(path) if files.may_read(file)]
        result = third_party_launches(texts, directory)
        for text in texts:
            if not text:
                files.skipped.note_all(text.skipped)
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
        assembler.skipped.note(f"{name} cannot be read: {error or type(error).__name__}")
        return
    if consumed < size:
        assembler.skipped.note(f"{name} cannot be read to its end: a record is damaged or was not written completely")


def put_record(record: bytes, assembler: RunAssembler, collector: TagCollector) -> None:
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


def _put_third_party(record: bytes, collector: TagCollector, skipped: SkipCounts) -> None:
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
