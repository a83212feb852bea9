"""How a program says that its loop has ended: `watch.close()`, or the end of a `with` block."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class WithBlock:
    """A recording that is closed, also by the end of a `with` block, whose exception is then recorded."""

    @abstractmethod
    def _close(self, ending_exception: Callable[[], BaseException | None]) -> bool | None: ...

    @abstractmethod
    def _ending_exception(self) -> BaseException | None: ...

    @abstractmethod
    def _deliver_alerts(self) -> None: ...

    def close(self) -> None:
        """Ends the recording of this training; closing again does nothing.

        In an `except` or `finally` block the exception that is being handled is recorded as what ended the training.
        """
        if not self._close(self._ending_exception):  # else the exception of an alert would take the place of that one
            self._deliver_alerts()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._close(lambda: error):
            self._deliver_alerts()
