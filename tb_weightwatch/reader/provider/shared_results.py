"""Results that all threads asking for them at the same time share, so that each is computed once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SharedResults(Generic[Result]):
    """Computations that are under way, by key; safe for threads.

    Nothing is kept: whoever asks after a computation has ended starts the next one. An exception reaches all who wait
    for that computation, and nobody after them.
    """

    def __init__(self) -> None:
        self._running: dict[Hashable, Future[Result]] = {}
        self._lock = threading.Lock()

    def is_running(self, key: Hashable) -> bool:
        """Checks whether a thread is computing the result."""
        return key in self._running

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """Returns the result of the computation under way, or else of `compute`, run in this thread."""
        with self._lock:
            running = self._running.get(key)
            own = Future[Result]()
            if running is None:
                self._running[key] = own
        if running is not None:
            return running.result()
        try:
            result = compute()
        except BaseException as error:
            own.set_exception(error)
            raise
        else:
            own.set_result(result)
            return result
        finally:
            with self._lock:
                del self._running[key]
