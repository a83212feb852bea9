"""The background thread beside training: order, errors, memory, signals, the end of the thread."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.measure import pipeline
from tb_weightwatch.capture.measure.background_worker import AHEAD, BackgroundWorker
from tb_weightwatch.capture.measure.step_data import StepData
from tb_weightwatch.capture.measure.step_measurer import StepMeasurer


def test_tasks_are_done_in_order_beside_the_caller() -> None:
    """All tasks are run, in order, in another thread; `wait` returns when they are done."""
    worker, found = BackgroundWorker(), []
    for i in range(20):
        worker.submit(lambda i=i: found.append((i, threading.current_thread())))  # type: ignore[misc]
    worker.wait()
    assert [i for i, _ in found] == list(range(20)) and worker.idle
    assert threading.main_thread() not in {thread for _, thread in found}


def test_only_a_few_may_wait() -> None:
    """A caller that submits tasks faster than they are run waits, so that the tensors of steps do not pile up."""
    worker, gate, begun = BackgroundWorker(), threading.Event(), []
    for i in range(AHEAD + 1):
        worker.submit(lambda i=i: (begun.append(i), gate.wait(30)))  # type: ignore[misc]
    late = threading.Timer(0.2, gate.set)
    late.start()
    worker.submit(lambda: begun.append(-1))
    assert gate.is_set()  # it had to wait for the gate
    worker.wait()
    assert begun == [*range(AHEAD + 1), -1]


def test_an_error_is_raised_once_and_stops_what_follows() -> None:
    """The next call raises it in the caller's thread; a task submitted by that call is not run, later ones are."""
    worker, found = BackgroundWorker(), []

    def fail() -> None:
        raise KeyError("broken")

    worker.submit(fail)
    while not worker.idle:
        time.sleep(0.001)
    with pytest.raises(KeyError, match="broken"):
        worker.submit(lambda: found.append(1))
    worker.submit(lambda: found.append(2))
    worker.wait()
    assert found == [2]


def test_a_signal_in_the_middle_of_anything_does_not_lock() -> None:
    """A signal handler that waits for the thread returns wherever it interrupts, and no task is lost or run twice."""
    worker, found, handled = BackgroundWorker(), [], []

    def handler(number: int, frame: Any) -> None:
        worker.wait()
        handled.append(number)

    previous = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        deadline = time.monotonic() + 1.5
        count = 0
        while time.monotonic() < deadline:
            worker.submit(lambda i=count: found.append(i))  # type: ignore[misc]
            count += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    worker.wait()
    assert found == list(range(count)) and len(handled) > 10


def test_a_worker_that_hangs_is_not_waited_for_twice() -> None:
    """Once a task has taken longer than a caller waits, further tasks are refused and further waits return at once."""
    worker, gate = BackgroundWorker(), threading.Event()
    for _ in range(AHEAD + 1):
        assert worker.submit(lambda: gate.wait(30))  # type: ignore[arg-type, return-value]
    assert not worker.submit(lambda: None, patience=0.2)
    began = time.monotonic()
    assert not any(worker.submit(lambda: None, patience=0.2) for _ in range(100)) and not worker.wait(0.2)
    assert time.monotonic() - began < 10  # and not 20 s
    gate.set()
    assert worker.wait() and worker.submit(lambda: None)


def test_a_child_of_fork_can_wait() -> None:
    """Threads do not survive fork(), so tasks that are waited for in the child are run there."""
    worker = BackgroundWorker()
    worker.submit(lambda: None)
    worker.wait()
    child = os.fork()
    if child == 0:
        done: list[int] = []
        worker.submit(lambda: done.append(1))
        worker.wait()
        os._exit(0 if done == [1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_measuring_does_not_hold_up_the_step(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`watch.step` returns while the step is measured; the numbers are those of that step all the same."""
    began, go = threading.Event(), threading.Event()
    measure = StepMeasurer.measure

    def slow(self: StepMeasurer, data: StepData) -> Any:
        began.set()
        assert go.wait(30)
        return measure(self, data)

    monkeypatch.setattr(StepMeasurer, "measure", slow)
    w, x = tf.Variable([1.0, 2.0]), np.ones((4, 2), np.float32)
    with ww.Watch(tmp_path, variables=[w], verbose=False) as watch:
        w.assign_sub([0.5, 0.5])
        watch.step(1.0, inputs=x)
        assert began.wait(30) and not go.is_set()  # the step is over, and is not measured yet
        x[:] = 7.0  # a user fills the same batch again ...
        w.assign_sub([0.25, 0.25])  # ... and goes on
        go.set()
        watch.step(2.0, inputs=x)
        history = watch.history
    np.testing.assert_allclose(history.column("update_max")[:, 0], [0.5, 0.25], rtol=5e-3)
    np.testing.assert_allclose(history.column("input_mean"), [1.0, 7.0])


def test_large_steps_are_not_kept_waiting(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step whose tensors are large is measured before `step` returns, so memory holds no second one."""
    measured: list[float] = []
    measure = StepMeasurer.measure

    def slow(self: StepMeasurer, data: StepData) -> Any:
        time.sleep(0.02)
        measured.append(float(data.run["loss"]))
        return measure(self, data)

    monkeypatch.setattr(StepMeasurer, "measure", slow)
    monkeypatch.setattr(pipeline, "LARGE", 1)
    w = tf.Variable([1.0, 2.0])
    with ww.Watch(tmp_path, variables=[w], verbose=False) as watch:
        for i in range(5):
            w.assign_sub([0.5, 0.5])
            watch.step(float(i))
            assert measured[-1] == i
