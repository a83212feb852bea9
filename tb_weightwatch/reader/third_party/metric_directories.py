"""Finds text files of metrics in local directories."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice

from .metric_files import TRAINER_STATE, is_metric_file

MAX_FILES = 100  # of a directory


def latest_checkpoints(directories: Iterable[str]) -> set[str]:
    """Returns those directories that are not made superfluous by a later checkpoint of the same Trainer.

    The state in each `checkpoint-500` holds the whole history up to then, and the Trainer may write one more into the
    directory above.
    """
    kept = set(directories)
    steps: dict[str, list[tuple[int, str]]] = {}
    for directory in kept:
        parent, name = os.path.split(directory)
        prefix, _, step = name.rpartition("-")
        if prefix == "checkpoint" and step.isdigit() and os.path.isfile(os.path.join(directory, TRAINER_STATE)):
            steps.setdefault(parent, []).append((int(step), directory))
    for parent, checkpoints in steps.items():
        superfluous = sorted(checkpoints)
        kept -= {directory for _, directory in (superfluous if parent in kept else superfluous[:-1])}
    return kept


def metric_files(directory: str) -> list[str]:
    """Returns the logs of metrics in a local directory by name, or the file itself."""
    if "://" in directory:
        return []
    if not os.path.isdir(directory):
        return [directory] if is_metric_file(directory) else []
    paths = (os.path.join(directory, name) for name in sorted(os.listdir(directory)))
    return list(islice((path for path in paths if is_metric_file(path)), MAX_FILES))
