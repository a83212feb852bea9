"""What was left out of a recording, because the disk or the measurement could not keep up with the training."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...history import History


class RecordingLosses(NamedTuple):
    """How much was left out.

    Attributes:
        rows: recorded rows that were not written; they are missing in what is read.
        maps: histograms, motion maps and tensors that were not written.
        steps: steps that were to be recorded, and were not measured.
    """

    rows: int
    maps: int
    steps: int

    @property
    def sentence(self) -> str:
        """What was left out and why; "" if nothing was."""
        rows, maps = _counted(self.rows, "recorded row"), _counted(self.maps, "histogram or map", "histograms and maps")
        parts = []
        if rows or maps:
            what = " and ".join(filter(None, (rows, maps)))
            parts.append(f"{what} {_were(self.rows + self.maps)} not written, because the disk was too slow.")
        if self.steps:
            what = f"{_counted(self.steps, 'step')} {_were(self.steps)}"
            parts.append(f"{what} not measured, because measuring could not keep up.")
        return " ".join(parts)


def recording_losses(history: History) -> RecordingLosses:
    """Returns what was left out until the end of a History."""
    records = history.of_kind("dropped")
    data = records[-1].data if records else {}
    return RecordingLosses(*(_count(data.get(name)) for name in RecordingLosses._fields))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 < value < 1 << 53 else 0


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}" if count else ""
