"""A thread beside training in which recorded steps are measured, diagnosed and written while training goes on."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue

Task = Callable[[], None]
AHEAD = 2  # tasks that may wait; a caller that submits more of them waits as well
CHECK_INTERVAL = 0.05  # seconds after which a waiting caller checks whether the thread is still alive


class _TaskQueue:
    """The tasks and their progress. The thread refers to this alone, so that it ends when its worker is gone."""

    def __init__(self) -> None:
        self.tasks: SimpleQueue[Task | None] = SimpleQueue()
        self.progress: SimpleQueue[None] = SimpleQueue()  # wakes a waiting caller
        self.done = 0
        self.error: Exception | None = None

    def run(self) -> None:
        """Runs tasks until there is a None."""
        while (task := self.tasks.get()) is not None:
            self.run_task(task)
            del task  # it refers to a step's tensors

    def run_task(self, task: Task) -> None:
        """Runs one task; after an error, no further one until the error has been raised to the caller."""
        try:
            if self.error is None or isinstance(task, _Barrier):
                task()
        except Exception as error:
            self.error = error
        finally:
            self.done += 1
            if self.progress.empty():
                self.progress.put(None)


class _Barrier:
    """A task that is reached when all tasks before it are done."""

    def __init__(self) -> None:
        self.reached = False

    def __call__(self) -> None:
        self.reached = True


class BackgroundWorker:
    """Runs tasks one after another in a thread of its own, which ends with this object.

    One thread submits tasks. The error of a task is raised to it by the next call of any method. A signal handler may
    call `wait` in the middle of any of them, since nothing here holds a lock.
    """

    def __init__(self) -> None:
        self._queue = _TaskQueue()
        self._submitted = 0
        self._thread: threading.Thread | None = None
        weakref.finalize(self, self._queue.tasks.put, None).atexit = False

    @property
    def idle(self) -> bool:
        """Whether all tasks are done."""
        return self._queue.done >= self._submitted

    def submit(self, task: Task) -> None:
        """Adds a task; waits while too many are waiting already."""
        self._raise_error()
        while self._submitted - self._queue.done > AHEAD:
            self._start()
            with contextlib.suppress(Empty):
                self._queue.progress.get(timeout=CHECK_INTERVAL)
        self._submitted += 1
        self._queue.tasks.put(task)
        self._start()

    def wait(self) -> None:
        """Returns when all tasks are done."""
        barrier = _Barrier()
        self._submitted += 1
        self._queue.tasks.put(barrier)
        while not barrier.reached:
            if self._alive():
                time.sleep(1e-4 if self._submitted - self._queue.done < AHEAD else 1e-3)
            else:  # the thread has not been started, or this is a child of fork(): the caller runs the tasks itself
                with contextlib.suppress(Empty):
                    self._queue.run_task(self._queue.tasks.get_nowait() or _Barrier())
        self._raise_error()

    def _alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _start(self) -> None:
        if not self._alive():
            self._thread = threading.Thread(target=self._queue.run, name="tb_weightwatch", daemon=True)
            self._thread.start()

    def _raise_error(self) -> None:
        error, self._queue.error = self._queue.error, None
        if error is not None:
            raise error
