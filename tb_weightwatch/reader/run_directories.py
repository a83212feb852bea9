"""Which directories are runs, and which files in them hold events; local ones are looked at without TensorFlow."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

from .. import schema
from .third_party.tag_names import is_evaluation, is_training

_FAR = {"s3": "boto3", "gs": "TensorFlow or gcsfs"}


def runs(logdir: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """Returns (name, directory) of all run directories in and below `logdir` that hold event files, by name.

    A directory `weightwatch` belongs to the one above it. Names are relative to `logdir`; "." is `logdir` itself.
    Left out is what stands beside something better: "validation" beside "train", and the curves of a training that
    tb_weightwatch has watched as well.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    path = existing(logdir)
    if is_event_file(path):
        return [(os.path.basename(path), path)]
    found, watched = {}, set()
    for directory in _with_events(path):
        own = os.path.basename(directory) == schema.PLUGIN and os.path.relpath(directory, path) != "."
        place = os.path.dirname(directory) if own else directory
        found[os.path.relpath(place, path)] = place
        watched.update([place] if own else [])
    kept = chosen(found.values(), watched)
    return sorted((name, place) for name, place in found.items() if place in kept)


def chosen(places: Iterable[str], watched: set[str]) -> set[str]:
    """Returns which of these directories stand for a training: without what stands beside something better.

    `watched`: those that tb_weightwatch recorded.
    """
    places = set(places)
    trained = {os.path.dirname(place) for place in places if is_training(place)}
    return {
        place
        for place in places
        if not (is_evaluation(place) and os.path.dirname(place) in trained and place not in watched)
        and not ((is_evaluation(place) or is_training(place)) and (os.path.dirname(place) or ".") in watched - {place})
    }


def size(directory: str) -> int:
    """Returns how many bytes of events a run directory holds; 0 where that is not known."""
    if "://" in directory:
        return 0
    places = (directory, os.path.join(directory, schema.PLUGIN))
    return sum(_bytes(file) for place in places for file in event_files(place))


def _bytes(file: str) -> int:
    with contextlib.suppress(OSError):  # a link that leads nowhere: reading it will tell
        return os.path.getsize(file)
    return 0


def existing(logdir: str | os.PathLike[str]) -> str:
    """Returns the path of a log directory or event file.

    Raises:
        FileNotFoundError: there is none.
    """
    path = os.fspath(logdir)
    if "://" in path:
        exists = _exists(path)
    else:
        path = os.path.expanduser(path)
        exists = os.path.exists(path)
    if not exists:
        raise FileNotFoundError(f"there is no log directory {path!r}")
    return path


def _exists(path: str) -> bool:
    """Says whether there is such a place far away.

    Raises:
        OSError: it can not be asked.
    """
    from tensorboard.compat import tf

    try:
        return bool(tf.io.gfile.exists(path))
    except Exception as error:  # each kind of place has errors of its own
        kind = path.partition("://")[0]
        raise OSError(
            f"{path} can not be reached: {error or type(error).__name__} (TensorBoard reads {kind}:// with "
            f"{_FAR.get(kind, 'what fsspec needs for it')}; is it installed, and are you allowed to?)"
        ) from None


def is_event_file(path: str) -> bool:
    """Says whether a path is that of an event file, as TensorBoard does."""
    return "tfevents" in os.path.basename(path) and not os.path.isdir(path)


def event_files(directory: str) -> Iterator[str]:
    """Yields event files in the order in which TensorBoard reads them."""
    if is_event_file(directory):
        yield directory
    elif "://" not in directory:
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
            if is_event_file(os.path.join(directory, name)):
                yield os.path.join(directory, name)
    else:
        from tensorboard.compat import tf

        if tf.io.gfile.isdir(directory):
            for name in sorted(tf.io.gfile.listdir(directory)):
                path = os.path.join(directory, name)
                if "tfevents" in name and not tf.io.gfile.isdir(path):
                    yield path


def _with_events(path: str) -> Iterator[str]:
    if "://" in path:
        from tensorboard.backend.event_processing.io_wrapper import GetLogdirSubdirectories

        yield from GetLogdirSubdirectories(path)
        return
    seen = set()
    for directory, folders, names in os.walk(path, followlinks=True):
        try:
            stands = os.stat(directory)
        except OSError:  # deleted in between
            continue
        if (stands.st_dev, stands.st_ino) in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add((stands.st_dev, stands.st_ino))
        if any("tfevents" in name for name in names):
            yield directory
