"""Two trainings that run by turns in one process, step for step, so that other load on the machine meets both."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

import tb_weightwatch as ww

TURN = 0.25  # seconds


def count_processor_time() -> None:
    """Makes all time of this process its processor time on one core; before the recorder is imported."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    time.perf_counter = time.process_time


class Turns:
    """Lets two trainings run by turns, step for step, and adds up the time of each.

    Args:
        seconds: how long the plain training goes on.
    """

    def __init__(self, seconds: float) -> None:
        self._limit, self._last = seconds, 0  # the last step, as soon as it is known
        self.steps, self.seconds = {"plain": 0, "recorded": 0}, {"plain": 0.0, "recorded": 0.0}
        self._batons = {name: threading.Semaphore(0) for name in self.steps}
        self._began = 0.0
        self.watch: Any = None

    def start(self, name: str) -> None:
        """Gives this training the first turn."""
        self._batons[name].release()

    def begin(self, name: str) -> None:
        """Waits for the turn of this training."""
        self._batons[name].acquire()
        self._began = time.perf_counter()

    def step(self, name: str) -> bool:
        """Ends a step, and the turn if it is over; returns whether the training is over."""
        self.steps[name] += 1
        took, done = time.perf_counter() - self._began, self.steps[name]
        if name == "plain":
            behind = done <= self.steps["recorded"]
            if not behind and self.seconds[name] + took >= self._limit:
                self._last = done
            over = not behind and took >= TURN
        else:
            over = done >= self.steps["plain"] and self.watch._pipeline.idle
        if done == self._last:
            return True
        if over:
            self._pass_on(name)
        return False

    def _pass_on(self, name: str) -> None:
        if self.watch is not None and name == "recorded":
            with self.watch._gate.budget.paused():
                self.end(name)
                self.begin(name)
            if isinstance(self.watch, ww.Watch):
                self.watch._gate.leave_untimed()  # the other's turn was no step of this training
        else:
            self.end(name)
            self.begin(name)

    def train(self, name: str, training: Callable[[], None]) -> None:
        """Runs one training from its first turn to its end."""
        self.begin(name)
        training()
        self.end(name)

    def end(self, name: str) -> None:
        """Ends the turn of this training."""
        self.seconds[name] += time.perf_counter() - self._began
        self._batons["recorded" if name == "plain" else "plain"].release()


class TurnAfterStep(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends the steps of `fit`."""

    def __init__(self, turns: Turns, name: str) -> None:
        super().__init__()
        self._turns, self._name = turns, name

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Ends a step."""
        self.model.stop_training = self._turns.step(self._name)
