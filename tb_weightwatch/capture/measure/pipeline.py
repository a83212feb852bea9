"""From observed steps to recorded rows and maps: the same for `model.fit` and for hand-written loops."""

from __future__ import annotations

import time
from typing import Any

import tensorflow as tf

from ...maps import TENSORS, Map, side
from ...statistics import NOT_OBSERVED, SparseGradient, VariableStep, dense, variable_maps
from ...task_thread import HANGS_AFTER
from ..recorder import Recorder
from ..schedule.map_schedule import StepMapPlan
from ..schedule.recording_gate import RecordingGate
from .background_worker import BackgroundWorker
from .histogram_arrays import histogram_arrays
from .row_buffer import RowBuffer, RowLayout
from .step_data import StepData, as_arrays
from .step_measurer import StepMeasurer

LARGE = 1 << 26  # bytes; a larger step is measured at once, otherwise memory would hold the tensors of several steps


class MeasurementPipeline:
    """Measures steps beside training. Rows stay in a buffer until a flush, since reading a device takes time.

    Args:
        recorder: gets the rows, and the maps and tensors of single variables.
        gate: decides when maps are recorded, and when to look for something to write.
    """

    def __init__(self, recorder: Recorder, gate: RecordingGate) -> None:
        self._recorder, self._gate = recorder, gate
        self._measurer, self._buffer = StepMeasurer(), RowBuffer()
        self._worker = BackgroundWorker()
        self._last_step = -1  # the last step that was submitted
        self._waited = 0.0  # seconds that training has waited for the measurement
        self._variables: tuple[str, ...] = ()  # of which `_variable_bytes` is the size
        self._variable_bytes = 0
        recorder.before_end(self.flush)

    @property
    def idle(self) -> bool:
        """Whether nothing is being measured or written now."""
        return self._worker.idle

    def submit(self, step: int, data: StepData) -> None:
        """Has one step measured; its arrays must not change any more.

        A step that would have to wait for longer than the budget allows is counted instead.
        """
        self._recorder.go_on()
        self._gate.maps.check_names(data.variables)
        follows, began = step == self._last_step + 1, time.perf_counter()
        patience = self._gate.budget.patience(self._waited)
        if self._worker.submit(lambda: self._measure(step, data, follows), patience):
            self._last_step = step
            if self._size(data) > LARGE:
                self._worker.wait(patience)
        else:
            self._recorder.steps_left_out += 1
        self._waited += time.perf_counter() - began

    def write_if_due(self, step: int) -> None:
        """Has written what is due; this is cheap, and may be called in every step."""
        if self._gate.time_to_write():
            self._recorder.go_on()
            if self._recorder.ready(step) and self._worker.idle:
                self._worker.submit(lambda: self._recorder.tick(step))
                self._gate.never_idle()  # the next steps run beside it

    def schedule_flush(self) -> None:
        """Has the buffered rows appended to the recorder, beside training."""
        self._worker.add(self._flush)

    def flush(self, patience: float = HANGS_AFTER) -> None:
        """Appends the buffered rows to the recorder, and returns when that is done.

        If steps are still being measured after `patience` seconds, their rows are appended when that is done.
        """
        if self._worker.wait(patience):
            self._flush()
        else:
            self._worker.add(self._flush)
        self._worker.end_soon()

    def _size(self, data: StepData) -> int:
        """Returns about how many bytes a step's tensors take."""
        if self._variables != data.variables:  # found once: a thousand shapes take longer than measuring their rows
            self._variables = data.variables
            self._variable_bytes = sum(_bytes(array) for change in data.changes.values() for array in change[:4])
        return self._variable_bytes + sum(map(_bytes, data.outputs.values()))

    # -- beside training

    def _measure(self, step: int, data: StepData, follows: bool) -> None:
        if self._recorder.off:
            return
        try:
            self._measure_step(step, data, follows)
        except Exception:
            self._recorder.failed_step = self._recorder.failed_step or step  # training is some steps ahead by now
            raise

    def _measure_step(self, step: int, data: StepData, follows: bool) -> None:
        if not follows:
            self._measurer.reset()
        self._buffer.add(step, RowLayout(data.variables, tuple(data.layers)), self._measurer.measure(data))
        maps, summaries, began = self._gate.maps, self._recorder.summaries, time.perf_counter()
        plan = maps.plan(step)
        histograms = maps.affordable and summaries.are_histograms_due(step, maps_due=plan.due)
        if plan:
            self._recorder.add_maps(_maps(data, step, plan))
        if histograms:
            summaries.write_histograms(step, histogram_arrays(data))
        if plan.due or histograms:
            maps.mark_recorded(step, time.perf_counter() - began)
        if self._buffer.full:
            self._flush()

    def _flush(self) -> None:
        for rows in self._buffer.drain():
            self._recorder.append(rows)


def _bytes(array: Any) -> int:
    if isinstance(array, tf.Tensor):
        return int(array.shape.num_elements()) * int(array.dtype.size)
    return int(getattr(array, "nbytes", 0))


def _maps(data: StepData, step: int, plan: StepMapPlan) -> list[Map]:
    """Returns the maps and tensors of a step that are planned."""
    now, maps = time.time(), []
    tensors_of = set(plan.tensors_of(data.changes))
    for name, observed in data.changes.items():
        map_wanted = plan.maps and name not in data.moving_statistics
        if not map_wanted and name not in tensors_of:
            continue
        change = as_arrays(observed)
        arrays = variable_maps(change, side(len(data.changes))) if map_wanted else {}
        tensors = _tensors(change) if name in tensors_of else {}
        maps += [Map(step, name, kind, values, now) for kind, values in {**arrays, **tensors}.items()]
    return maps


def _tensors(change: VariableStep) -> dict[str, Any]:
    """Returns gradient, weight before and weight after by kind, without those that are not known."""
    gradient = change.gradient
    if isinstance(gradient, SparseGradient):
        gradient = dense(gradient, change.after.shape)
    values = zip(TENSORS, (gradient, change.before, change.after), strict=True)
    return {kind: value for kind, value in values if value is not None and value is not NOT_OBSERVED}
