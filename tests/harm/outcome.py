"""What an attack found, and how much of it was asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

PLACES = ("fit", "loop", "summary", "file", "server")


@dataclass(frozen=True)
class Effort:
    """How much an attack shall try.

    Attributes:
        scratch: an empty folder for files.
        quick: the bounded part, which belongs to the test suite.
        seconds: how long an attack that could go on forever runs.
        jobs: how many processes run side by side.
        seed: of all random choices.
        only: situations whose name contains this.
        part: of an attack of a certain size each so many-th try; the table says how many there were.
    """

    scratch: Path
    quick: bool = False
    seconds: float = 600.0
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    seed: int = 0
    part: int = 1
    only: str = ""


@dataclass(frozen=True)
class Outcome:
    """The counts of one attack at one place.

    Attributes:
        attack: what was done, in a few words.
        where: "fit", "loop", "summary" (a training), "file" or "server"; several, joined by ", ".
        tried: how often.
        survived: how often it did no harm: the same weights, no exception, no hang, no file that cannot be read.
        lost: how often something was lost that had been recorded.
        told: in how many of those the loss was told. A loss may be told more than once; it counts once.
        note: figures, what was not tried, or the first failure.
    """

    attack: str
    where: str
    tried: int
    survived: int
    lost: int = 0
    told: int = 0
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether no harm was done, and each loss was told."""
        return self.survived == self.tried and self.told >= self.lost


def merged(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Returns the outcomes with those of one attack joined to one line: their counts are added.

    An attack with a failure keeps one line for each place, so that the table says where it is.
    """
    by_attack: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_attack.setdefault(outcome.attack, []).append(outcome)
    return [line for group in by_attack.values() for line in _joined(group)]


def _joined(group: list[Outcome]) -> list[Outcome]:
    tried = [outcome for outcome in group if outcome.tried]
    if len(tried) < 2 or len({outcome.note for outcome in tried}) > 1 or not all(outcome.passed for outcome in tried):
        return group
    counts = {name: sum(getattr(one, name) for one in tried) for name in ("tried", "survived", "lost", "told")}
    joined = replace(tried[0], where=", ".join(dict.fromkeys(one.where for one in tried)), **counts)
    return [joined, *(outcome for outcome in group if not outcome.tried)]
