"""Where a run is recorded: the check of `logdir`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeGuard

from .received_value import received

if TYPE_CHECKING:
    from .types import LogDir, SummaryWriter

_EXPECTED = (
    "logdir must be the folder of a run (str or path) or a tf.summary writer (tf.summary.create_file_writer(...))"
)


def checked_logdir(logdir: object) -> LogDir:
    """Returns where a user wants a run to be recorded.

    Raises:
        TypeError: it is neither a path nor a `tf.summary` writer.
        ValueError: it is empty.
    """
    if isinstance(logdir, (str, os.PathLike)):
        if not os.fspath(logdir):
            raise ValueError(f'{_EXPECTED}, got an empty string; "." is the current folder')
        return logdir
    if _is_summary_writer(logdir):
        return logdir
    example = 'name a folder for each run, as "logs/run-1"'
    raise TypeError(f"{_EXPECTED}, got {received(logdir)}; {example}")


def _is_summary_writer(value: object) -> TypeGuard[SummaryWriter]:
    return hasattr(value, "as_default") and hasattr(value, "flush") and not isinstance(value, type)
