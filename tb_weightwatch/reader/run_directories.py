"""Finds run directories and the event files in them; local ones without TensorFlow."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

from .. import schema
from .file_kinds import ReadableFiles, readable_files
from .launch import SkipCounts
from .third_party import is_evaluation, is_metric_file, is_training, latest_checkpoints, metric_files

_IN_NAME, _EVENT_FILE = "tfevents", "events.out.tfevents."
_REMOTE_NEEDS = {"s3": "boto3", "gs": "TensorFlow or gcsfs"}


def runs(
    logdir: str | os.PathLike[str], skipped: SkipCounts | None = None, *, follow_links: bool | None = None
) -> list[tuple[str, str]]:
    """Returns (name, directory) of all run directories in and below `logdir` that hold event files, or other logs.

    A directory `weightwatch` belongs to the one above it. Names are relative to `logdir`; "." is `logdir` itself.
    `preferred` directories only are included: not the validation half of a Keras run, nor the third-party logs of a
    training that tb_weightwatch recorded.

    Args:
        logdir: the log directory, or an event file.
        skipped: gets the directories that are not read, because links to them lead out of the log directory.
        follow_links: as for `launches`.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    path = checked_path(logdir)
    if is_event_file(path) or ("://" not in path and is_metric_file(path)):
        return [(os.path.basename(path), path)]
    directories, recorded = {}, set()
    for directory in _directories_with_events(path, readable_files(path, follow_links, skipped)):
        is_ours = os.path.basename(directory) == schema.PLUGIN and os.path.relpath(directory, path) != "."
        run = os.path.dirname(directory) if is_ours else directory
        directories[os.path.relpath(run, path)] = run
        if is_ours:
            recorded.add(run)
    kept = latest_checkpoints(preferred(directories.values(), recorded))
    return sorted((name, directory) for name, directory in directories.items() if directory in kept)


def preferred(directories: Iterable[str], recorded: set[str]) -> set[str]:
    """Returns those directories that are runs of their own.

    An evaluation ("validation") next to its training ("train") is none, and neither of them is one if tb_weightwatch
    recorded the directory above.

    Args:
        directories: all that hold event files.
        recorded: those that tb_weightwatch recorded.
    """
    directories = set(directories)
    trained = {os.path.dirname(directory) for directory in directories if is_training(directory)}

    def is_run(directory: str) -> bool:
        parent, evaluation = os.path.dirname(directory), is_evaluation(directory)
        if evaluation and parent in trained and directory not in recorded:
            return False
        return not ((evaluation or is_training(directory)) and (parent or ".") in recorded - {directory})

    return {directory for directory in directories if is_run(directory)}


def size(directory: str) -> int:
    """Returns how many bytes of events a run directory holds; 0 if that is not known."""
    if "://" in directory:
        return 0
    directories, readable = (directory, os.path.join(directory, schema.PLUGIN)), ReadableFiles(directory, True)
    files = [file for part in directories for file in event_files(part, readable)]
    return sum(_local_size(file) for file in files or metric_files(directory))


def _local_size(file: str) -> int:
    with contextlib.suppress(OSError):  # a broken link: reading it will show the error
        return os.path.getsize(file)
    return 0


def checked_path(logdir: str | os.PathLike[str]) -> str:
    """Returns the path of a log directory or event file, "~" expanded.

    Raises:
        TypeError: it is no path.
        FileNotFoundError: it does not exist.
        OSError: it cannot be reached.
    """
    if not isinstance(logdir, (str, os.PathLike)):
        raise TypeError(
            'logdir must be a path, the directory of a run or an event file in it, as "logs/run-1"; got '
            f"{type(logdir).__name__}"
        )
    path = os.fspath(logdir)
    if "://" in path:
        exists = _exists_remotely(path)
    else:
        path = os.path.expanduser(path)
        exists = os.path.exists(path)
    if not exists:
        raise FileNotFoundError(f"there is no log directory {path!r}")
    return path


def _exists_remotely(path: str) -> bool:
    """Checks whether a directory or file exists on a remote file system.

    Raises:
        OSError: the file system cannot be reached.
    """
    from tensorboard.compat import tf

    try:
        return bool(tf.io.gfile.exists(path))
    except Exception as error:  # each file system has errors of its own
        scheme = path.partition("://")[0]
        raise OSError(
            f"{path} cannot be reached: {error or type(error).__name__} (to read {scheme}://, TensorBoard needs "
            f"{_REMOTE_NEEDS.get(scheme, 'fsspec and its package for it')}: check that it is installed, and that you "
            "have access)"
        ) from None


def is_event_file(path: str) -> bool:
    """Checks whether a path is that of an event file, as TensorBoard does."""
    return _IN_NAME in os.path.basename(path) and not os.path.isdir(path)


def event_files(directory: str, files: ReadableFiles) -> Iterator[str]:
    """Yields the event files of a directory in the order in which TensorBoard reads them, or an event file itself.

    Args:
        directory: the directory, or an event file.
        files: decides which of the files are read.
    """
    if "://" in directory:
        yield from _remote_event_files(directory)
    elif is_event_file(directory):
        if files.may_read(directory):
            yield directory
    else:
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
            path = os.path.join(directory, name)
            # A directory may have any name; only the full name of an event file is that of a file.
            is_named_alike = name.startswith(_EVENT_FILE) or (_IN_NAME in name and not os.path.isdir(path))
            if is_named_alike and files.may_read(path):
                yield path


def _remote_event_files(path: str) -> Iterator[str]:
    from tensorboard.compat import tf

    if is_event_file(path):
        yield path
    elif tf.io.gfile.isdir(path):
        for name in sorted(tf.io.gfile.listdir(path)):
            file = os.path.join(path, name)
            if _IN_NAME in name and not tf.io.gfile.isdir(file):
                yield file


def _directories_with_events(path: str, files: ReadableFiles) -> Iterator[str]:
    if "://" in path:
        from tensorboard.backend.event_processing.io_wrapper import GetLogdirSubdirectories

        yield from GetLogdirSubdirectories(path)
        return
    visited = set()
    for directory, subdirectories, names in os.walk(path, followlinks=True):
        try:
            status = os.stat(directory)
        except OSError:  # it was deleted meanwhile
            continue
        if (status.st_dev, status.st_ino) in visited:  # a link that leads back
            subdirectories.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        linked = [name for name in subdirectories if os.path.islink(os.path.join(directory, name))]
        refused = {name for name in linked if not files.may_follow(os.path.join(directory, name))}
        subdirectories[:] = [name for name in subdirectories if name not in refused]
        if any(_IN_NAME in name for name in names) or metric_files(directory):
            yield directory
