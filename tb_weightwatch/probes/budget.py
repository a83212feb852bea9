"""What experiments may cost: seconds and training steps, and a progress bar that shows what is spent."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class BudgetSpent(Exception):
    """The seconds or steps are used up."""


class Spending:
    """Counts the seconds and steps of experiments against a budget.

    Args:
        seconds: that may be spent.
        steps: that may be made.
        progress: where the bar is drawn; None draws none.
    """

    def __init__(self, seconds: float, steps: int, progress: TextIO | None = None) -> None:
        self._seconds, self._most_steps, self._progress = seconds, steps, progress
        self._began = self._drawn = time.perf_counter()
        self.steps = 0
        self._experiment = ""

    @property
    def seconds(self) -> float:
        """Seconds since the first experiment began."""
        return time.perf_counter() - self._began

    @property
    def seconds_left(self) -> float:
        """Seconds that are left; negative if more are spent."""
        return self._seconds - self.seconds

    @property
    def steps_left(self) -> int:
        """Steps that are left."""
        return self._most_steps - self.steps

    def begin(self, experiment: str) -> None:
        """Names the experiment that runs now."""
        self._experiment = experiment
        self._draw()

    def add_step(self) -> None:
        """Counts a step that is about to be made.

        Raises:
            BudgetSpent: there is nothing left for it.
        """
        if self.steps_left <= 0 or self.seconds_left <= 0:
            limit = f"{self._most_steps} steps" if self.steps_left <= 0 else f"{self._seconds:g} seconds"
            raise BudgetSpent(f"the budget of {limit} is spent")
        self.steps += 1
        if time.perf_counter() - self._drawn > 0.2:
            self._draw()

    def end(self) -> None:
        """Removes the bar."""
        if self._progress is not None:
            self._progress.write("\r\x1b[K")
            self._progress.flush()

    def _draw(self) -> None:
        if self._progress is None:
            return
        self._drawn = time.perf_counter()
        share = min(1.0, max(self.seconds / self._seconds, self.steps / self._most_steps))
        bar = "#" * round(20 * share)
        text = f"probe [{bar:20}] {self.steps} steps, {self.seconds:.0f} s: {self._experiment}"
        self._progress.write(f"\r\x1b[K{text}")
        self._progress.flush()


def terminal() -> TextIO | None:
    """Returns standard error if a person looks at it, else None."""
    return sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None
