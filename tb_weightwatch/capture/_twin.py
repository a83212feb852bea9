"""The recording twin of a model's train function: the user's own step, measured into state inside the step.

Only recorded steps call it, and hooks live only inside that call, so every other step is the user's own program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ._frame import Frame
from ._mapping import Plan, State
from ._measuring import Layout, Measuring
from ._replicas import Replicas
from ._state import zeros
from ._watching import watching

ROOM = 16  # rows that the state holds; the host reads it at least that often


class Twin:
    """Runs single steps of `model.fit` recorded; rows are read with `take`.

    Args:
        model: a compiled Keras model whose train function has been made.
        optimizers: its optimizers, outermost ones.
        wanted: arrays that may be recorded at some step.
    """

    def __init__(self, model: Any, optimizers: list[Any], wanted: Plan) -> None:
        self.model, self.plain = model, model.train_function
        self.fault: BaseException | None = None
        self.measuring = Measuring(model, optimizers)
        self._replicas = Replicas(model.distribute_strategy)
        self._ring: tf.Variable | None = None
        self._count = zeros(dtype=np.int64)
        self._read = 0
        self.arrays = State(wanted)
        self._functions: dict[bool, Any] = {}
        self.make(arrays=False)

    def make(self, *, arrays: bool) -> None:
        """Makes the recording function, or the one that measures arrays as well; it is traced at its first call."""
        if arrays not in self._functions:
            before = self.model.train_function
            try:
                self._inside(lambda: self.model.make_train_function(force=True), arrays)
                self._functions[arrays] = self.model.train_function
            finally:
                self.model.train_function = before

    @property
    def layout(self) -> Layout | None:
        """Where each number stands in a row; None until the first recorded step has been traced."""
        return self.measuring.layout

    def call(self, iterator: Any, *, arrays: bool = False) -> Any:
        """Runs the recording function in place of the user's, and puts the user's back whatever happens."""
        return self._inside(lambda: self._functions[arrays](iterator), arrays)

    def _inside(self, run: Callable[[], Any], arrays: bool) -> Any:
        # Keras 3.15 binds train_step when the function is made, older versions look it up while tracing: so it stands
        # in both cases, and only as long.
        own = self.model.__dict__.get("train_step")
        original = self.model.train_step
        self._replicas.start()
        self.model.__dict__["train_step"] = lambda data: self._recorded(original, data, arrays)
        try:
            return run()
        finally:
            if own is None:
                self.model.__dict__.pop("train_step", None)
            else:
                self.model.__dict__["train_step"] = own

    def _recorded(self, train_step: Callable[[Any], Any], data: Any, arrays: bool) -> Any:
        frame, measuring = self._replicas.frame(), self.measuring
        frame.arrays = self.arrays if arrays else None
        with frame.guard():
            measuring.begin(frame, data)
        with watching(frame, self.model, measuring.optimizers, measuring.layer_names, measuring.in_branch(frame)):
            frame.result = result = train_step(data)
        self._replicas.finish(self._end)
        return result

    def _end(self, frame: Frame) -> None:
        with frame.guard():
            self._write(self.measuring.end(frame))
        self.fault = self.fault or frame.fault

    def _write(self, row: tf.Tensor) -> None:
        if self._ring is None:
            self._ring = zeros(ROOM, row.shape[0])
        # One row, once: more writes a step are recomputed by XLA for every element of the ring.
        place = tf.reshape(self._count % ROOM, [1, 1])
        self._ring.scatter_nd_update(tf.cast(place, tf.int32), row[None])
        self._count.assign_add(1)

    def take(self) -> NDArray[np.float64]:
        """Returns the rows written since the last call, `[n, N]`, oldest first (at most `ROOM`)."""
        count = int(self._count.numpy())
        new = min(count - self._read, ROOM)
        self._read = count
        if self._ring is None or not new:
            return np.zeros((0, 0))
        ring = self._ring.numpy()
        return np.asarray(ring[np.arange(count - new, count) % ROOM])
