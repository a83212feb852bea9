"""Which steps also record histograms, motion maps and full tensors of single variables."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..safe_warning import warn
from .budget import Budget
from .bursts import DENSE_UNTIL


class StepMapPlan(NamedTuple):
    """What one step records besides its row.

    Attributes:
        due: the periodic maps and tensors are due at this step.
        maps: histograms and motion maps are recorded.
        patterns: patterns of the names of variables whose tensors are recorded.
    """

    due: bool
    maps: bool
    patterns: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.maps or bool(self.patterns)

    def tensors_of(self, names: Iterable[str]) -> list[str]:
        """Returns those of the names whose tensors are recorded."""
        return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.patterns)]


class MapSchedule:
    """Decides what is recorded besides the rows, and when.

    Histograms and motion maps are recorded at step 64, and again each time the step count has doubled, but not before
    the budget affords the time that they take.

    Args:
        maps: whether to record histograms and motion maps.
        tensors: names of variables, or patterns ("dense*/kernel"), whose gradients and weights are recorded in full
            whenever maps are due; or name -> steps.
        budget: what recording may cost.

    Raises:
        TypeError: a name in `tensors` is not a string.
        ValueError: a step in `tensors` is not a positive integer.
    """

    def __init__(self, maps: bool, tensors: Any, budget: Budget) -> None:
        self._maps, self._budget = bool(maps), budget
        self._steps_by_pattern = _checked(tensors)  # None: whenever maps are due
        self._names_checked = not self._steps_by_pattern
        self._next_due = DENSE_UNTIL
        self._seconds = 0.0  # how long the last ones took, and so how long the next ones are expected to take

    def requested_at(self, step: int) -> bool:
        """Checks whether tensors of this very step are requested, so that it must be recorded."""
        return any(steps is not None and step in steps for steps in self._steps_by_pattern.values())

    def next_request(self, step: int) -> float:
        """Returns the first step after this one whose tensors are requested; infinity if there is none."""
        requested = (s for steps in self._steps_by_pattern.values() for s in steps or () if s > step)
        return min(requested, default=math.inf)

    def plan(self, step: int) -> StepMapPlan:
        """Returns what a step records besides its row."""
        due = step >= self._next_due and self.affordable
        requested = [pattern for pattern, steps in self._steps_by_pattern.items() if steps and step in steps]
        periodic = [pattern for pattern, steps in self._steps_by_pattern.items() if steps is None] if due else []
        return StepMapPlan(due, self._maps and due, (*requested, *periodic))

    @property
    def affordable(self) -> bool:
        """Whether the budget affords as much time as the last ones took."""
        return self._budget.affords_once(self._seconds)

    def mark_recorded(self, step: int, seconds: float) -> None:
        """Notes that what was due at this step, or was requested, has been recorded, and how long that took."""
        self._seconds = seconds if step >= self._next_due else max(seconds, self._seconds)
        while self._next_due <= step:
            self._next_due *= 2

    def check_names(self, names: Iterable[str]) -> None:
        """Warns, once, about patterns in `tensors` that match no variable."""
        if self._names_checked:
            return
        names = list(names)
        self._names_checked = bool(names)
        unmatched = [pattern for pattern in self._steps_by_pattern if not fnmatch.filter(names, pattern)]
        if names and unmatched:
            warn(
                f"tensors= matches no variable: {', '.join(map(repr, unmatched))}; "
                f"the variables are {', '.join(names[:20])}"
            )


def _checked(tensors: Any) -> dict[str, frozenset[int] | None]:
    if isinstance(tensors, str):
        tensors = [tensors]
    if not isinstance(tensors, Iterable):
        raise TypeError(f'tensors must be names of variables ("dense/kernel"), got {type(tensors).__name__}')
    pairs = list(tensors.items()) if isinstance(tensors, Mapping) else [(name, None) for name in tensors]
    steps_by_pattern: dict[str, frozenset[int] | None] = {}
    for name, steps in pairs:
        if not isinstance(name, str):
            raise TypeError(f'tensors must be names of variables ("dense/kernel"), got {type(name).__name__}')
        single = isinstance(steps, (int, str)) or not isinstance(steps, Iterable)
        numbers = None if steps is None else frozenset([steps] if single else steps)
        if numbers is not None and not all(isinstance(n, (int, np.integer)) and n >= 1 for n in numbers):
            raise ValueError(f"steps of tensors[{name!r}] must be integers from 1 on, got {steps!r}")
        steps_by_pattern[name] = numbers
    return steps_by_pattern
