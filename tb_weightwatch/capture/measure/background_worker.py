"""A thread beside training: what steps showed is measured, judged and written there, while training goes on."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue

Task = Callable[[], None]
AHEAD = 2  # tasks that may wait; who gives more of them waits as well
_PAUSE = 0.05  # seconds; then a waiting thread looks whether the other one is still there


class _TaskQueue:
    """What waits, and how far it is; the thread holds only this, so that it ends when its Worker is gone."""

    def __init__(self) -> None:
        self.tasks: SimpleQueue[Task | None] = SimpleQueue()
        self.woken: SimpleQueue[None] = SimpleQueue()
        self.done = 0
        self.error: Exception | None = None

    def run(self) -> None:
        """Does tasks until there is a None."""
        while (task := self.tasks.get()) is not None:
            self.do(task)
            del task  # it holds a step's tensors

    def do(self, task: Task) -> None:
        """Does one task; after an error, none until somebody has been told."""
        try:
            if self.error is None or isinstance(task, _Barrier):
                task()
        except Exception as error:
            self.error = error
        finally:
            self.done += 1
            if self.woken.empty():
                self.woken.put(None)


class _Barrier:
    """A task that says that all before it are done."""

    def __init__(self) -> None:
        self.reached = False

    def __call__(self) -> None:
        self.reached = True


class BackgroundWorker:
    """Does tasks one after another in a thread of its own, which ends with this object.

    One thread gives tasks. A task's error is raised to it, by the next call of any method. A signal handler may call
    `wait` in the midst of any of these: nothing here holds a lock.
    """

    def __init__(self) -> None:
        self._line = _TaskQueue()
        self._given = 0
        self._thread: threading.Thread | None = None
        weakref.finalize(self, self._line.tasks.put, None).atexit = False

    @property
    def idle(self) -> bool:
        """Says whether all tasks are done."""
        return self._line.done >= self._given

    def do(self, task: Task) -> None:
        """Gives a task; waits while too many wait already."""
        self._tell()
        while self._given - self._line.done > AHEAD:
            self._start()
            with contextlib.suppress(Empty):
                self._line.woken.get(timeout=_PAUSE)
        self._given += 1
        self._line.tasks.put(task)
        self._start()

    def wait(self) -> None:
        """Returns when all tasks are done."""
        mark = _Barrier()
        self._given += 1
        self._line.tasks.put(mark)
        while not mark.reached:
            if self._alive():
                time.sleep(1e-4 if self._given - self._line.done < AHEAD else 1e-3)
            else:  # not begun yet, or a child of fork()
                with contextlib.suppress(Empty):
                    self._line.do(self._line.tasks.get_nowait() or _Barrier())
        self._tell()

    def _alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _start(self) -> None:
        if not self._alive():
            self._thread = threading.Thread(target=self._line.run, name="tb_weightwatch", daemon=True)
            self._thread.start()

    def _tell(self) -> None:
        error, self._line.error = self._line.error, None
        if error is not None:
            raise error
