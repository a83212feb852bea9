"""The exception that ended a training, or a part of it: its type, what it means, and when it was raised."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...history import History


class TrainingError(NamedTuple):
    """The last exception that was recorded.

    Attributes:
        kind: name of its type.
        meaning: "no-gradients", "label-out-of-range" ...; "other" if it is not known.
        step: the step that it belongs to, from 1.
        when: the same in words: "at step 3" if that step raised it, "after step 40" if that is not known.
        completed: completed steps before it.
        ended: whether training has not gone on since.
    """

    kind: str
    meaning: str
    step: int
    when: str
    completed: int
    ended: bool

    @property
    def interrupted(self) -> bool:
        """Whether the user, or the program on purpose, interrupted the training."""
        return self.meaning == "interrupted" or self.kind == "KeyboardInterrupt"


def training_error(history: History) -> TrainingError | None:
    """Returns the last exception that ended a training; None if there was none."""
    records = [record for record in history.of_kind("end") if record.data.get("how") == "exception"]
    if not records:
        return None
    record = records[-1]
    step, after = _count(record.data.get("step")), _count(record.data.get("after"))
    completed = max(after, record.step) if not step else step - 1
    after_step = f"after step {completed:,}" if completed else "before the end of its first step"
    return TrainingError(
        kind=_text(record.data.get("detail")) or "exception",
        meaning=_text(record.data.get("meaning")) or "other",
        step=step or max(completed, 1),
        when=f"at step {step:,}" if step else after_step,
        completed=completed,
        ended=record is history.ended,
    )


def _count(value: Any) -> int:
    """Returns a number of steps as it was recorded; 0 for anything else, since files may hold anything."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53 else 0


def _text(value: Any) -> str:
    return value[:80] if isinstance(value, str) else ""
