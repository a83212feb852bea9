"""What the rules say to recorded runs, from their event files: the same answers as live, and within minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import History
from tb_weightwatch.reader import read
from tb_weightwatch.verdict import Diagnosis


class Judged(NamedTuple):
    """What was said of one run.

    Attributes:
        status: of the whole run.
        found: names of the open verdicts that make a run sick, ranked.
        suspects: names and probabilities of the suspects, ranked; () where a verdict is the answer.
        passing: names of verdicts that were true for a while.
        right: the first step at which the right cause was the first answer; None if it never was.
        alarm: the first step at which a healthy run was called sick; None if it never was.
        sentence: the answer.
        certain: whether the first verdict is an exact fact.
    """

    status: str
    found: tuple[str, ...]
    suspects: tuple[tuple[str, float], ...]
    passing: tuple[str, ...]
    right: int | None
    alarm: int | None
    sentence: str
    certain: bool

    @property
    def answers(self) -> tuple[str, ...]:
        """The causes that were named, best first: of a run that is called sick, its verdicts or else its suspects."""
        return _answers(self.status, self.found, self.suspects)

    def rank(self, causes: tuple[str, ...]) -> int:
        """Returns the place of the first of these causes among the answers, from 1; 0 if none is there."""
        return next((i for i, name in enumerate(self.answers, 1) if name in causes), 0)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Judged:
        """Returns what `_asdict` gave, after a round trip through JSON."""
        known = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
        return cls(**known | {"suspects": tuple((name, p) for name, p in fields["suspects"])})


def judge(folder: Path, causes: tuple[str, ...] = ()) -> Judged:
    """Judges the last launch recorded below `folder`, and looks for the step of the right answer or of the alarm."""
    launches = read(folder) if folder.is_dir() else []
    history = launches[-1] if launches else History()
    whole = diagnose(history)
    found, suspects = _named(whole)
    return Judged(
        whole.status,
        found,
        suspects,
        tuple(v.name for v in whole.resolved if v.severity != "info"),
        _first_step(history, causes) if causes else None,
        None if causes else _first_alarm(history),
        whole.sentence,
        bool(found) and next(v for v in whole.verdicts if v.severity != "info").certainty == "certain",
    )


def _named(diagnosis: Diagnosis) -> tuple[tuple[str, ...], tuple[tuple[str, float], ...]]:
    """Returns the verdicts that make a run sick, and the suspects with their probabilities."""
    found = tuple(v.name for v in diagnosis.verdicts if v.severity != "info")
    return found, tuple((s.name, float(s.probability)) for s in diagnosis.suspects)


def _answers(status: str, found: tuple[str, ...], suspects: tuple[tuple[str, float], ...]) -> tuple[str, ...]:
    return (*found, *(name for name, _ in suspects if name not in found)) if status == "sick" else ()


def _first_step(history: History, causes: tuple[str, ...]) -> int | None:
    for rows in _looks(len(history)):
        seen = history[:rows]
        diagnosis = diagnose(seen)
        if next(iter(_answers(diagnosis.status, *_named(diagnosis))), "") in causes:
            return int(seen.steps[-1])
    return None


def _first_alarm(history: History) -> int | None:
    for rows in _few_looks(len(history)):
        seen = history[:rows]
        if diagnose(seen).status == "sick":
            return int(seen.steps[-1])
    return None


def _looks(rows: int) -> Iterator[int]:
    """Yields how many rows are looked at: each of the first 32, then every second, and the last."""
    yield from range(1, min(rows, 32) + 1)
    yield from range(34, rows, 2)
    if rows > 32:
        yield rows


def _few_looks(rows: int) -> Iterator[int]:
    """Yields the same for a healthy run, where all have to be looked at: fewer, the later the sparser, and the last."""
    looked = 1
    while looked < rows:
        yield looked
        looked += max(1, looked // 4)
    yield rows
