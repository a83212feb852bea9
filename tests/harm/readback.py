"""What can be read back of trainings, and what is missing."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tb_weightwatch.capture.schedule.bursts import scheduled
from tb_weightwatch.reader import SkipCounts, launches, runs

LATE_SECONDS, LATE_SHARE = 2.0, 0.02  # what may be missing of a training that was killed
_CUT = "cannot be read to its end"  # said of the file of a killed process, in whose middle of a write it was killed
_ENDS_EARLY = "missing at the end"  # said as well if it was killed while it wrote its end


@dataclass(frozen=True)
class ReadBack:
    """What was read back.

    Attributes:
        expected: rows that were recorded.
        lost: of those, how many are missing although they should be there.
        surplus: rows too many.
        unreadable: what could not be read, if anything.
        seconds: how old the oldest missing row was when its process ended, whether or not it may be missing.
        told: whether the launches themselves say that something is missing.
    """

    expected: int
    lost: int
    surplus: int
    unreadable: str
    seconds: float
    told: bool


Progress = Sequence[tuple[int, float]]


def read_back(
    logdir: Path, trainings: Sequence[Progress], *, ended: float | None = None, every_step: bool = False
) -> ReadBack:
    """Reads what trainings recorded, and compares it with their progress.

    Args:
        logdir: where they recorded; a second process may have made a run of its own below it.
        trainings: the completed steps of each training, with their times.
        ended: when the trainings were killed, in seconds of the monotonic clock: the last rows may be missing. None:
            they ended by themselves.
        every_step: whether each step is recorded (summary functions), or those of the fixed schedule.
    """
    due = [[(step, at) for step, at in progress if every_step or scheduled(step)] for progress in trainings]
    steps, unreadable, told = _rows(logdir, killed=ended is not None)
    expected = Counter(step for training in due for step, _ in training)
    missing = expected - steps
    under_way = Counter(progress[-1][0] + 1 if progress else 1 for progress in trainings)  # may be recorded already
    times = [at for training in due for step, at in training if step in missing]
    seconds = max(0.0, ended - min(times)) if ended is not None and times else 0.0
    lost = missing.total()
    if ended is not None and (seconds <= LATE_SECONDS or lost <= LATE_SHARE * expected.total()):
        lost = 0
    return ReadBack(expected.total(), lost, (steps - expected - under_way).total(), unreadable, seconds, told)


def _rows(logdir: Path, *, killed: bool) -> tuple[Counter[int], str, bool]:
    """Returns the recorded steps, what could not be read, and whether a launch says that it is incomplete."""
    steps: Counter[int] = Counter()
    skipped = SkipCounts()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            directories = [directory for _, directory in runs(logdir)] if os.path.isdir(logdir) else []
            found = [launch for directory in directories for launch in launches(directory, skipped)]
        except OSError as error:
            return steps, str(error), False
    for launch in found:
        steps.update(launch.history.steps.tolist())
        skipped.update(launch.skipped)
    told = any(launch.history.of_kind("stopped") for launch in found)
    ends_early = killed or any(_CUT in text for text in skipped)
    unreadable = [text for text in skipped if _CUT not in text and not (ends_early and _ENDS_EARLY in text)]
    return steps, "; ".join(unreadable), told
