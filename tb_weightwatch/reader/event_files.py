"""Event files to launches; this module never imports TensorFlow."""

from __future__ import annotations

import os
import warnings

from .. import schema
from ..history import History
from .assembly import RunAssembler
from .event_records import put_records
from .file_kinds import readable_files
from .launch import Launch, SkipCounts
from .run_directories import checked_path, event_files
from .third_party import TagCollector
from .third_party_logs import read_third_party


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
            put_records(file, assembler, collectors[-1])
        result += assembler.launches(settled=True)
        skipped.note_all(assembler.skipped)
    if not result:
        result = read_third_party(path, collectors, files, within=root is not None)
    return sorted(result, key=lambda launch: (launch.history.started, launch.history.launch))
