"""Which arrays of single variables are recorded at which steps."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .bursts import DENSE_UNTIL, Budget


class StepMapPlan(NamedTuple):
    """What is to be recorded beside the row of a step."""

    due: bool  # whether it is the turn of what is recorded now and then
    pictures: bool  # histograms and motion maps
    patterns: tuple[str, ...]  # of the names of variables whose tensors are wanted

    def __bool__(self) -> bool:
        return self.pictures or bool(self.patterns)

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Returns the names of the variables whose tensors are wanted."""
        return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.patterns)]


class MapSchedule:
    """What is to be recorded beside the rows, and when.

    Histograms and motion maps come at step 64, and again each time the step count has doubled; but not before the
    budget affords what they take.

    Args:
        maps: whether histograms and motion maps are wanted.
        tensors: names of variables, or patterns ("dense*/kernel"), whose gradients and weights are wanted in full
            whenever there are maps; or name -> steps.
        budget: what recording may cost.

    Raises:
        TypeError, ValueError: `tensors` is something else.
    """

    def __init__(self, maps: bool, tensors: Any, budget: Budget) -> None:
        self._maps, self._budget = bool(maps), budget
        self._tensors = _checked(tensors)
        self._next = DENSE_UNTIL
        self._seconds = 0.0  # what the next ones will take

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of the variables whose tensors may be wanted."""
        return tuple(self._tensors)

    def asked(self, step: int) -> bool:
        """Says whether tensors of this very step are wanted, so that it must be recorded."""
        return any(steps is not None and step in steps for steps in self._tensors.values())

    def following(self, step: int) -> float:
        """Returns the next step after this one of which tensors are wanted; infinity if there is none."""
        asked = (s for steps in self._tensors.values() for s in steps or () if s > step)
        return min(asked, default=math.inf)

    def plan(self, step: int) -> StepMapPlan:
        """Returns what is wanted of a step."""
        asked = [name for name, wanted in self._tensors.items() if wanted and step in wanted]
        due = step >= self._next and self._budget.affords_once(self._seconds)
        general = [name for name, wanted in self._tensors.items() if wanted is None] if due else []
        return StepMapPlan(due, self._maps and due, (*asked, *general))

    def took(self, step: int, seconds: float) -> None:
        """Says that what was due at this step has been recorded, and how long that took."""
        self._seconds = seconds
        while self._next <= step:
            self._next *= 2

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Returns the patterns that no variable has."""
        found = list(names)
        return [pattern for pattern in self._tensors if not fnmatch.filter(found, pattern)]


def _checked(tensors: Any) -> dict[str, frozenset[int] | None]:
    if isinstance(tensors, str):
        tensors = [tensors]
    pairs = list(tensors.items()) if isinstance(tensors, Mapping) else [(name, None) for name in tensors]
    found: dict[str, frozenset[int] | None] = {}
    for name, steps in pairs:
        if not isinstance(name, str):
            raise TypeError(f'tensors must be names of variables ("dense/kernel"), got {type(name).__name__}')
        numbers = None if steps is None else frozenset([steps] if isinstance(steps, int) else steps)
        if numbers is not None and not all(isinstance(n, (int, np.integer)) and n >= 1 for n in numbers):
            raise ValueError(f"tensors of {name!r} must be asked for at steps from 1 on, got {steps!r}")
        found[name] = numbers
    return found
