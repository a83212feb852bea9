"""A failure of the recorder, after which training went on unrecorded."""

from __future__ import annotations

from typing import NamedTuple

from ...history import History

_LONGEST = 300  # characters of the reason that are read from a file


class RecordingStop(NamedTuple):
    """Where and why recording stopped.

    Attributes:
        step: the step at which it stopped, from 1; 0: before the first step.
        reason: what happened, in a clause.
        at_end: whether training had ended, so that no step is missing.
    """

    step: int
    reason: str
    at_end: bool

    @property
    def clause(self) -> str:
        """What happened, without a full stop: "Recording stopped at step 12: ..."."""
        return f"Recording stopped {f'at step {self.step:,}' if self.step else 'before the first step'}: {self.reason}"


def recording_stop(history: History) -> RecordingStop | None:
    """Returns where recording stopped; None if it did not fail."""
    records = history.of_kind("stopped")
    if not records:
        return None
    reason = records[-1].data.get("reason")
    reason = reason[:_LONGEST].rstrip(".") if isinstance(reason, str) and reason else "an unknown failure"
    return RecordingStop(records[-1].step, reason, history.ended is not None)
