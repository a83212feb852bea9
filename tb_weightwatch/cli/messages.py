"""Why a command cannot be done: what was expected, what is there, and what to do, in one line."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..reader import SkipCounts


def nothing_recorded(path: str, skipped: SkipCounts | None = None) -> str:
    """Returns why a log directory gives no run: it holds none, it is another file, or nothing could be read."""
    if skipped:
        return f"{path}: nothing could be read: {skipped}"
    if os.path.isfile(path):
        return f"{path}: expected a log directory or an event file (events.out.tfevents...), got another file"
    return (
        f"{path}: no run of a training is in this directory or below it; to record one, train with "
        f'model.fit(..., callbacks=[ww.WeightWatch("{os.path.join(path, "run-1")}")]), or use ww.Watch in your own loop'
    )


def no_such_run(patterns: Sequence[str], logdirs: Sequence[str]) -> str:
    """Returns that no run fits the patterns, and how to see the names."""
    return (
        f"no run in {', '.join(logdirs)} has a name that fits {' or '.join(map(repr, patterns))}; "
        "without --run, `weightwatch review` lists all runs"
    )


def check_writable(path: str) -> None:
    """Checks that a file can be written, before any work is done for it.

    Raises:
        OSError: its directory does not exist, it is a directory, or it must not be written.
    """
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise OSError(f"cannot write {path}: there is no directory {folder!r}; create it first")
    if os.path.isdir(path):
        raise OSError(f"cannot write {path}: it is a directory; name a file")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise OSError(f"cannot write {path}: permission denied")
