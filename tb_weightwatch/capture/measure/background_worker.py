"""A thread beside training in which recorded steps are measured and diagnosed while training goes on."""

from __future__ import annotations

from ...task_thread import HANGS_AFTER, FirstError, Task, TaskThread

AHEAD = 2  # tasks that may wait; a caller that submits more of them waits as well


class BackgroundWorker:
    """Runs tasks one after another in a thread of its own, which ends when there is nothing to do.

    One thread submits tasks. The error of a task is raised to it by the next call of any method. A signal handler may
    call `wait` in the middle of any of them, since nothing here holds a lock.
    """

    def __init__(self) -> None:
        self._thread = TaskThread()
        self._error = FirstError()

    @property
    def idle(self) -> bool:
        """Whether all tasks are done."""
        return not self._thread.unfinished

    def submit(self, task: Task, patience: float = HANGS_AFTER) -> bool:
        """Adds a task, after waiting while too many are waiting already.

        Args:
            task: what is to be run.
            patience: seconds to wait at most.

        Returns:
            False if it was not added, because too many tasks are waiting.
        """
        self._error.raise_it()
        if not self._thread.wait_for_room(AHEAD, patience):
            return False
        self._thread.put(lambda: self._run(task), self._error.keep)
        return True

    def add(self, task: Task) -> None:
        """Adds a task that refers to nothing large, however many are waiting."""
        self._error.raise_it()
        self._thread.put(lambda: self._run(task), self._error.keep)

    def wait(self, patience: float = HANGS_AFTER) -> bool:
        """Returns True when all tasks are done, and False when they are not done after `patience` seconds."""
        done = self._thread.wait(patience)
        self._error.raise_it()
        return done

    def end_soon(self) -> None:
        """Lets the thread end as soon as the present tasks are done; a further task starts another one."""
        self._thread.end_soon()

    def _run(self, task: Task) -> None:
        """Runs one task; after an error, no further one until the error has been raised to the caller."""
        if not self._error:
            task()
