"""A thread that runs tasks one after another, and that is there only while there is something to do."""

from __future__ import annotations

import _thread
import contextlib
import os
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

Task = Callable[[], None]
Failed = Callable[[Exception], None]
HANGS_AFTER = 30.0  # seconds after which what does not end is not waited for any more, if no other limit is given
IDLE = 1.0  # seconds without a task, after which the thread ends
_LOOK = 0.05  # seconds after which whoever waits looks whether the thread has failed


class FirstError:
    """Keeps the first error of another thread until it is raised here, once."""

    def __init__(self) -> None:
        self._error: Exception | None = None

    def __bool__(self) -> bool:
        return self._error is not None

    def keep(self, error: Exception) -> None:
        """Keeps an error, unless there is one already."""
        self._error = self._error or error

    def raise_it(self) -> None:
        """Raises the error, if there is one."""
        error, self._error = self._error, None
        if error is not None:
            raise error


class TaskThread:
    """Runs tasks in the order in which they were put, in a thread of its own that ends when there are none.

    Nothing here holds a lock: a signal handler may call any method in the middle of any other one. For that reason the
    thread is started by `_thread`, since `threading.Thread.start` takes a lock of its own. A child of fork() begins
    without tasks: those of its parent are run by the parent.

    An error of a task goes to whoever put it. An error of the thread itself ends the thread, and is raised once, by the
    next method that is called; a further task starts another thread.

    Attributes:
        done: how many tasks were run.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._tasks: SimpleQueue[tuple[Task, Failed] | None] = SimpleQueue()
        self._turn: SimpleQueue[None] = SimpleQueue()  # whoever takes its only item runs tasks, and puts it back
        self._turn.put(None)
        self._progress: SimpleQueue[None] = SimpleQueue()  # wakes a caller that waits for room
        self._submitted = self.done = 0
        self._fault = FirstError()  # of the thread
        self._waited, self._waited_at = 0.0, 0  # seconds that callers have waited since so many tasks were done

    @property
    def unfinished(self) -> int:
        """How many tasks wait or run."""
        return max(0, self._submitted - self.done) if self._process == os.getpid() else 0

    def put(self, task: Task, failed: Failed) -> None:
        """Adds a task, and never waits.

        Args:
            task: what is to be run.
            failed: is called in the thread with the error of the task, if there is one.
        """
        if self._process != os.getpid():
            self._begin()
        self._fault.raise_it()
        self._tasks.put((task, failed))
        self._submitted += 1
        self._start()

    def wait(self, seconds: float) -> bool:
        """Returns True when all present tasks are done, and False when they are not done after some seconds.

        While no task gets done, waits add up: after one that timed out, a further one of as many seconds does not wait.
        """
        if not self.unfinished:
            return True
        reached: SimpleQueue[None] = SimpleQueue()
        self.put(lambda: reached.put(None), lambda _: None)
        began = time.monotonic()
        deadline = began + self._left_of(seconds)
        while True:
            left = deadline - time.monotonic()
            with contextlib.suppress(Empty):
                reached.get(timeout=max(0.0, min(left, _LOOK)))
                return True
            self._fault.raise_it()
            if left <= 0:
                self._add_wait(began)
                return False

    def wait_for_room(self, most: int, seconds: float) -> bool:
        """Returns True when at most so many tasks are unfinished, and False when more are after some seconds."""
        if self.unfinished <= most:
            return True
        began = time.monotonic()
        deadline = began + self._left_of(seconds)
        while self.unfinished > most:
            self._fault.raise_it()
            left = deadline - time.monotonic()
            if left <= 0:
                self._add_wait(began)
                return False
            with contextlib.suppress(Empty):
                self._progress.get(timeout=min(left, _LOOK))
        return True

    def end_soon(self) -> None:
        """Lets the thread end as soon as the present tasks are done."""
        if self._process == os.getpid() and self._turn.empty():
            self._tasks.put(None)

    def _left_of(self, seconds: float) -> float:
        """Returns how many of these seconds are left to wait."""
        if self._waited_at != self.done:
            self._waited, self._waited_at = 0.0, self.done
        return max(0.0, seconds - self._waited)

    def _add_wait(self, began: float) -> None:
        if self._waited_at == self.done:
            self._waited += time.monotonic() - began

    # -- the thread

    def _start(self) -> None:
        if self._turn.empty():
            return  # the thread is there, and looks for further tasks after it has given its turn back
        try:
            _thread.start_new_thread(self._run_guarded, ())
        except RuntimeError:  # there are too many threads, or the interpreter ends
            self._run_guarded(idle=0.0)

    def _run_guarded(self, idle: float = IDLE) -> None:
        try:
            self._run(idle)
        except Exception as fault:
            self._fault.keep(fault)

    def _run(self, idle: float) -> None:
        while not self._tasks.empty():
            try:
                self._turn.get_nowait()
            except Empty:
                return
            try:
                self._run_tasks(idle)
            finally:
                self._turn.put(None)

    def _run_tasks(self, idle: float) -> None:
        with contextlib.suppress(Empty):
            while (given := self._tasks.get(timeout=idle)) is not None:
                task, failed = given
                try:
                    task()
                except Exception as error:
                    failed(error)
                finally:
                    del given, task, failed  # they may refer to a step's tensors
                    self.done += 1
                    if self._progress.empty():
                        self._progress.put(None)
