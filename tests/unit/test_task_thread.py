"""The thread that runs tasks: it ends when there are none, waits are bounded, and a child of fork() begins anew."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref

import pytest

from tb_weightwatch.task_thread import TaskThread
from tests.support.until import until

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="looks for threads in /proc")


def raised(error: Exception) -> None:
    """Ends the thread with the error of a task, which is an error of the test."""
    raise error


def native_thread(thread: TaskThread) -> str:
    """Returns where /proc shows the thread that runs a task."""
    found: list[int] = []
    thread.put(lambda: found.append(threading.get_native_id()), raised)
    assert thread.wait(20)
    return f"/proc/self/task/{found[0]}"


@needs_proc
def test_the_thread_ends_when_there_is_nothing_to_do() -> None:
    """It ends by itself, or at once when it is told to; the next task starts another one."""
    thread = TaskThread()
    first = native_thread(thread)
    assert os.path.exists(first)
    until(lambda: not os.path.exists(first))
    second = native_thread(thread)
    thread.end_soon()
    until(lambda: not os.path.exists(second))
    assert native_thread(thread)


def test_an_error_of_a_task_goes_to_whoever_put_it() -> None:
    """The thread goes on with the next task, and nobody else hears of it."""
    thread, errors, done = TaskThread(), list[Exception](), []
    thread.put(lambda: done[1], errors.append)
    thread.put(lambda: done.append(2), raised)
    assert thread.wait(20)
    assert [type(error) for error in errors] == [IndexError] and done == [2]


@pytest.mark.parametrize("method", ["wait", "wait_for_room", "put"])
def test_an_error_of_the_thread_is_raised_once(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised at once, and not when the time is over; the tasks are done when the thread works again."""
    thread, done = TaskThread(), []

    def fail(idle: float) -> None:
        raise ArithmeticError("broken")

    monkeypatch.setattr(thread, "_run_tasks", fail)
    thread.put(lambda: done.append(1), raised)
    if method == "put":
        until(lambda: bool(thread._fault))
    calls = {"wait": lambda: thread.wait(600), "wait_for_room": lambda: thread.wait_for_room(0, 600),
             "put": lambda: thread.put(lambda: None, raised)}  # fmt: skip
    with pytest.raises(ArithmeticError, match="broken"):
        calls[method]()
    monkeypatch.undo()
    assert thread.wait(20) and done == [1]


def test_nothing_of_a_task_is_kept() -> None:
    """What a task refers to is free when the task is done, also while the thread waits for another one."""

    class Held:
        pass

    thread, held = TaskThread(), Held()
    gone = weakref.ref(held)
    thread.put(lambda held=held: None, raised)  # type: ignore[misc]
    thread.wait(20)
    del held
    gc.collect()
    assert gone() is None


def test_waits_add_up_while_nothing_gets_done() -> None:
    """A task that hangs is waited for once; when it is done, callers wait again."""
    thread, gate, late = TaskThread(), threading.Event(), threading.Event()
    thread.put(lambda: gate.wait(30), raised)  # type: ignore[arg-type, return-value]
    assert not thread.wait(0.3) and not thread.wait_for_room(0, 0.3)
    began = time.monotonic()
    assert not any(thread.wait(0.3) for _ in range(100))
    assert time.monotonic() - began < 15  # and not 30 s
    gate.set()
    until(lambda: not thread.unfinished)
    thread.put(lambda: late.wait(30), raised)  # type: ignore[arg-type, return-value]
    threading.Timer(0.2, late.set).start()
    assert thread.wait(20)


def test_tasks_from_two_threads_are_run_once_each_and_never_at_the_same_time() -> None:
    """Also while the thread ends and starts again all the time."""
    thread, running, found = TaskThread(), [], []

    def task(number: int) -> None:
        running.append(number)
        assert running == [number]
        found.append(number)
        running.clear()

    def put(first: int) -> None:
        for number in range(first, 20_000, 2):
            thread.put(lambda: task(number), raised)  # noqa: B023
            if number % 7 < 2:
                thread.end_soon()

    both = [threading.Thread(target=put, args=(first,)) for first in (0, 1)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert thread.wait(60)
    assert len(found) == 20_000


def test_a_child_of_fork_begins_without_tasks() -> None:
    """The tasks of its parent are not run there, and it never waits for them; its own are run."""
    thread, gate, done = TaskThread(), threading.Event(), []
    thread.put(lambda: gate.wait(30), raised)  # type: ignore[arg-type, return-value]
    thread.put(lambda: done.append(0), raised)
    child = os.fork()
    if child == 0:
        is_free = not thread.unfinished and thread.wait(10)
        thread.put(lambda: done.append(1), raised)
        os._exit(0 if is_free and thread.wait(10) and done == [1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    gate.set()
    assert thread.wait(20) and done == [0]
