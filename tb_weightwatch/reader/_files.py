"""Event files to Histories, by TensorBoard's own file loader; TensorFlow is never imported by us."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

from .. import schema
from ..history import History
from ._assembly import Assembly, Launch, Skipped

_MARK = b"weightwatch/"


def read(logdir: str | os.PathLike[str]) -> list[History]:
    """Returns the Histories of a run directory, one a launch, oldest first; [] if it holds none.

    Looks at the event files in `logdir` and in `logdir/weightwatch`. Warns of what could not be read.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    skipped = Skipped()
    found = launches(logdir, skipped, maps=True)
    for launch in found:
        skipped.update(launch.skipped)
    if skipped:
        warnings.warn(f"{os.fspath(logdir)}: not all could be read: {skipped}", RuntimeWarning, stacklevel=2)
    return [launch.history for launch in found]


def launches(logdir: str | os.PathLike[str], skipped: Skipped | None = None, *, maps: bool = False) -> list[Launch]:
    """Returns the launches of a run directory with what was skipped; `skipped` takes what belongs to no launch.

    `maps`: reads histograms, motion maps and tensors as well.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    path = _existing(logdir)
    found: list[Launch] = []
    for directory in (path, os.path.join(path, schema.PLUGIN)):
        assembly = Assembly(maps=maps)
        for file in _event_files(directory):
            _load(file, assembly)
        found += assembly.launches()
        if skipped is not None:
            skipped.update(assembly.skipped)
    return sorted(found, key=lambda launch: (launch.history.started, launch.history.launch))


def runs(logdir: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """Returns (name, directory) of all run directories in and below `logdir` that hold event files, by name.

    A directory `weightwatch` belongs to the one above it. Names are relative to `logdir`; "." is `logdir` itself.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    from tensorboard.backend.event_processing.io_wrapper import GetLogdirSubdirectories

    path = _existing(logdir)
    if _is_event_file(path):
        return [(os.path.basename(path), path)]
    found = {}
    for directory in GetLogdirSubdirectories(path):
        own = os.path.basename(directory) == schema.PLUGIN and os.path.relpath(directory, path) != "."
        place = os.path.dirname(directory) if own else directory
        found[os.path.relpath(place, path)] = place
    return sorted(found.items())


def _existing(logdir: str | os.PathLike[str]) -> str:
    path = os.fspath(logdir)
    if "://" in path:
        from tensorboard.compat import tf

        exists = bool(tf.io.gfile.exists(path))
    else:
        path = os.path.expanduser(path)
        exists = os.path.exists(path)
    if not exists:
        raise FileNotFoundError(f"there is no log directory {path!r}")
    return path


def _is_event_file(path: str) -> bool:
    return "tfevents" in os.path.basename(path) and not os.path.isdir(path)


def _event_files(directory: str) -> Iterator[str]:
    """Yields event files in the order in which TensorBoard reads them."""
    if _is_event_file(directory):
        yield directory
        return
    from tensorboard.compat import tf

    if tf.io.gfile.isdir(directory):
        for name in sorted(tf.io.gfile.listdir(directory)):
            path = os.path.join(directory, name)
            if "tfevents" in name and not tf.io.gfile.isdir(path):
                yield path


def _load(path: str, assembly: Assembly) -> None:
    """Puts a file's data into the assembly. Serialized events come one by one: only ours are parsed and kept."""
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

    name = os.path.basename(path)
    try:
        size, consumed = _size(path), 0
        for record in RawEventFileLoader(path).Load():
            consumed += len(record) + 16
            if _MARK in record:
                _put(record, assembly)
    except Exception as error:  # TensorFlow's errors and the operating system's have no common base
        assembly.skipped[f"{name} can not be read: {error}"] += 1
        return
    if consumed < size:
        assembly.skipped[f"{name} can not be read to its end: a record is damaged or was not written completely"] += 1


def _size(path: str) -> int:
    if "://" in path:
        return 0
    return os.path.getsize(path)


def _put(record: bytes, assembly: Assembly) -> None:
    try:
        for tag, data in schema.from_event(record):
            assembly.put(tag, data)
    except schema.DecodeError as error:
        assembly.skipped[str(error)] += 1
