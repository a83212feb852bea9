"""Which calls of the summary functions are recorded: all of them, as long as the budget affords that."""

from __future__ import annotations

from .budget import Budget
from .bursts import ALWAYS_UNTIL, BURST, Schedule


class AffordableCalls:
    """Decides for one call after another. The caller chooses the steps, so no schedule of steps is followed here.

    The first calls are recorded in any case. Where not all can be afforded, bursts of successive calls are recorded,
    at least each time the number of calls has grown by half.

    Attributes:
        count: calls so far.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.count = self._last_recorded = 0
        self._left = 0  # calls of the present burst that are still to come

    def next_is_due(self) -> bool:
        """Counts a call, and checks whether to record it."""
        self.count += 1
        if self.count > ALWAYS_UNTIL and not self._left:
            grown = self.count > Schedule.GROWTH * self._last_recorded
            self._left = BURST if grown or self._budget.affords_burst() else 0
        due = self.count <= ALWAYS_UNTIL or self._left > 0
        self._left = max(self._left - 1, 0)
        self._last_recorded = self.count if due else self._last_recorded
        return due
