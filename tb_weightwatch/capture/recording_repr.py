"""What a callback, a loop or a writer says of itself in one line."""

from __future__ import annotations

from typing import Any

from ..display import counted, repr_of
from .recorder import Recorder


def recording_repr(owner: Any, recorder: Recorder) -> str:
    """Returns "<WeightWatch logs/run-1: step 280, 272 rows, sick>"; nothing is measured or diagnosed for it."""
    latest = recorder.latest_diagnosis
    return repr_of(
        owner,
        recorder.folder or "",
        f"step {recorder.completed_steps:,}",
        counted(len(recorder.history), "row"),
        latest.status if latest is not None else "not diagnosed yet",
        "recording has ended" if recorder.off else "",
    )
