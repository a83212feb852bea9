"""What the rules say to recorded runs, from their event files: the same verdicts as live, and within minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import History
from tb_weightwatch.reader import read


class Judged(NamedTuple):
    """What was said of one run.

    Attributes:
        status: of the whole run.
        found: names of the open verdicts that make a run sick, ranked.
        passing: names of those that were true for a while.
        right: the first step at which the right cause was the first answer; None if it never was.
        sentence: the answer.
        certain: whether the first verdict is an exact fact.
    """

    status: str
    found: tuple[str, ...]
    passing: tuple[str, ...]
    right: int | None
    sentence: str
    certain: bool

    def rank(self, causes: tuple[str, ...]) -> int:
        """Returns the place of the first of these causes among the verdicts, from 1; 0 if none is there."""
        return next((i for i, name in enumerate(self.found, 1) if name in causes), 0)


def judge(folder: Path, causes: tuple[str, ...] = ()) -> Judged:
    """Judges the last launch recorded below `folder`; looks for the step of the verdict if `causes` are given."""
    launches = read(folder) if folder.is_dir() else []
    history = launches[-1] if launches else History()
    whole = diagnose(history)
    ill = tuple(v for v in whole.verdicts if v.severity != "info")
    return Judged(
        whole.status,
        tuple(v.name for v in ill),
        tuple(v.name for v in whole.resolved if v.severity != "info"),
        _first_step(history, causes) if causes else None,
        whole.sentence,
        bool(ill) and ill[0].certainty == "certain",
    )


def _first_step(history: History, causes: tuple[str, ...]) -> int | None:
    for rows in _looks(len(history)):
        seen = history[:rows]
        found = [v.name for v in diagnose(seen).verdicts if v.severity != "info"]
        if found and found[0] in causes:
            return int(seen.steps[-1])
    return None


def _looks(rows: int) -> Iterator[int]:
    """Yields how many rows are looked at: each of the first 32, then every second, and the last."""
    yield from range(1, min(rows, 32) + 1)
    yield from range(34, rows, 2)
    if rows > 32:
        yield rows
