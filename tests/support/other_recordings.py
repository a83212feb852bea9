"""Recordings that other tests have left open in this process, as an interrupted training does."""

from __future__ import annotations

import gc

from tb_weightwatch.capture import exit_handlers
from tb_weightwatch.capture.recorder import Recorder


def close_other_recordings() -> None:
    """Closes them, so that a test that looks at handlers, threads and files sees its own."""
    for recording in exit_handlers.watched():
        assert isinstance(recording, Recorder)
        recording.close()
    assert not exit_handlers.watched()
    gc.collect()
