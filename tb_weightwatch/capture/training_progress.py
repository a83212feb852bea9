"""How far the training has come that is recorded, as the object knows that records it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from weakref import WeakMethod


class TrainingProgress(ABC):
    """Asks callback, loop or writer how far training has come, and keeps none of them alive."""

    def __init__(self) -> None:
        self._step_counter: WeakMethod[Callable[[], int]] | None = None
        self._look_for_end: WeakMethod[Callable[[], None]] | None = None
        self._ended_after = -1  # completed steps when the end was recorded; -1: it is not, or training has gone on
        self._flush: list[Callable[[float], None]] = []

    @property
    @abstractmethod
    def last_step(self) -> int:
        """The last recorded step, or 0."""

    def before_end(self, flush: Callable[[float], None]) -> None:
        """Registers a function that appends rows which are still buffered; it is called before the launch ends.

        Args:
            flush: gets the seconds that it may wait for them.
        """
        self._flush.append(flush)

    def count_steps_with(self, method: Callable[[], int]) -> None:
        """Registers a method that returns the completed steps. Its object is not kept alive until the program ends."""
        self._step_counter = WeakMethod(method)

    def look_for_end_with(self, method: Callable[[], None]) -> None:
        """Registers a method that records an end of the training, if one has come that is not recorded yet."""
        self._look_for_end = WeakMethod(method)

    @property
    def completed_steps(self) -> int:
        """How many steps were completed, recorded or not."""
        count = self._step_counter() if self._step_counter is not None else None
        return max(self._ended_after, self.last_step) if count is None else count()

    @property
    def is_abandoned(self) -> bool:
        """Whether the object that recorded is gone, so that nothing more can come."""
        return self._step_counter is not None and self._step_counter() is None

    @property
    def _is_ended(self) -> bool:
        return self._ended_after == self.completed_steps
