"""From what a step showed to rows and arrays: the same for `model.fit` and for loops of one's own."""

from __future__ import annotations

import time
from typing import Any

import tensorflow as tf

from ...maps import TENSORS, Map, side
from ...statistics import NOT_OBSERVED, SparseGradient, VariableStep, dense, variable_maps
from ..recorder import Recorder
from ..schedule.bursts import BURST
from ..schedule.map_schedule import StepMapPlan
from .background_worker import BackgroundWorker
from .row_buffer import RowBuffer, RowLayout
from .step_measurer import StepData, StepMeasurer, to_numpy

LOOK = 0.1  # seconds between two looks
LARGE = 1 << 26  # bytes: so much is not kept waiting, or memory would hold several steps' tensors


class MeasurementPipeline:
    """Has steps measured beside training; their rows wait until `gather`, since what is on a device takes time.

    Args:
        recorder: gets the rows, and arrays of single variables where these are wanted.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._meter, self._pending = recorder, StepMeasurer(), RowBuffer()
        self._worker = BackgroundWorker()
        self._skipped = 1  # steps in a row that were not recorded
        self.look = 0.0  # when to look again whether there is something to write
        self._weights: tuple[tuple[str, ...], int] = (), 0  # names of variables -> bytes of what a step shows of them

    @property
    def idle(self) -> bool:
        """Says whether nothing is done beside training now."""
        return self._worker.idle

    def take(self, step: int, reading: StepData) -> None:
        """Has one step measured; nobody may change what it showed."""
        follows, self._skipped = self._skipped == 0, 0
        self._worker.do(lambda: self._measure(step, reading, follows))
        if self._bytes(reading) > LARGE:
            self._worker.wait()

    def _bytes(self, reading: StepData) -> int:
        """Returns how much memory a step's tensors take, about."""
        if self._weights[0] != reading.variables:
            sizes = [_size(x) for change in reading.changes.values() for x in change[:4]]
            self._weights = reading.variables, sum(sizes)  # asked once: a thousand shapes take longer than their rows
        return self._weights[1] + sum(map(_size, reading.outputs.values()))

    def skip(self, step: int) -> float:
        """Says that a step is not recorded; returns the step before which nothing need be asked.

        That is a later one when so many steps as a burst has were timed without recording: between bursts even a
        question costs, since a step's own arithmetic leaves nothing of the recorder in the processor's caches.
        """
        self._skipped += 1
        return self._recorder.following(step) if self._skipped > BURST else 0.0

    def tick(self, step: int) -> None:
        """Has written what is due; cheap, for every step."""
        now = time.perf_counter()
        if now < self.look:
            return
        self.look = now + LOOK
        if self._recorder.ready(step) and self._worker.idle:
            self._worker.do(lambda: self._recorder.tick(step))

    def gather(self) -> None:
        """Has the rows brought in that wait."""
        self._worker.do(self._bring_in)

    def collect(self) -> None:
        """Brings in the rows that wait, and returns when that is done."""
        self._worker.wait()
        self._bring_in()

    # -- beside training

    def _measure(self, step: int, reading: StepData, follows: bool) -> None:
        if self._recorder.off:
            return
        if not follows:
            self._meter.forget()
        self._pending.add(step, RowLayout(reading.variables, tuple(reading.layers)), self._meter.parts(reading))
        plan = self._recorder.wanted.plan(step)
        if plan:
            began = time.perf_counter()
            self._recorder.keep(_arrays(reading, step, plan))
            if plan.due:
                self._recorder.wanted.took(step, time.perf_counter() - began)
        if self._pending.full:
            self._bring_in()

    def _bring_in(self) -> None:
        for rows in self._pending.take():
            self._recorder.append(rows)


def _size(value: Any) -> int:
    if isinstance(value, tf.Tensor):
        return int(value.shape.num_elements()) * int(value.dtype.size)
    return int(getattr(value, "nbytes", 0))


def _arrays(reading: StepData, step: int, plan: StepMapPlan) -> list[Map]:
    now, found = time.time(), []
    wanted = set(plan.chosen(reading.changes))
    for name, change in reading.changes.items():
        if plan.pictures:
            told = variable_maps(VariableStep(*map(to_numpy, change[:3])), side(len(reading.changes)))
            found += [Map(step, name, kind, values, now) for kind, values in told.items()]
        if name in wanted:
            found += [Map(step, name, kind, to_numpy(value), now) for kind, value in _whole(change).items()]
    return found


def _whole(change: VariableStep) -> dict[str, Any]:
    """Returns the tensors of a change by kind; what is not known is left out."""
    gradient = to_numpy(change.gradient)
    if isinstance(gradient, SparseGradient):
        gradient = dense(gradient, change.after.shape)
    known = zip(TENSORS, (gradient, change.before, change.after), strict=True)
    return {kind: value for kind, value in known if value is not None and value is not NOT_OBSERVED}
