"""What a fitted judge says to runs of kinds that it was not fitted on."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
Fit = Callable[[Sequence[str]], Callable[[str], T]]


def leave_one_kind_out(kinds: Mapping[str, str], fit: Fit[T], folds: int | None = None, seed: int = 0) -> dict[str, T]:
    """Judges each run by what was fitted without any run of its kind.

    Args:
        kinds: run -> kind (`report.kind_of`).
        fit: is given the names of the runs to fit on, and returns a function that judges a run.
        folds: leaves out that many groups of kinds instead of one kind at a time, where fitting is slow.
        seed: deals the kinds to the groups.

    Returns:
        Run -> what was said of it, in the order of `kinds`.
    """
    names = sorted(set(kinds.values()))
    random.Random(seed).shuffle(names)
    count = len(names) if folds is None else min(folds, len(names))
    group = {name: i % count for i, name in enumerate(names)}
    said: dict[str, T] = {}
    for fold in range(count):
        judged = fit([run for run, kind in kinds.items() if group[kind] != fold])
        said |= {run: judged(run) for run, kind in kinds.items() if group[kind] == fold}
    return {run: said[run] for run in kinds}
