"""How the steps of `model.fit` are recorded: what `WeightWatch` does behind the methods that Keras calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras

from ..legacy.objects import is_legacy, steps_per_execution
from ..measure.pipeline import MeasurementPipeline
from ..observe.run_ending import exception_of_fit
from ..probing import Probing
from ..recorder import Recorder
from ..recording import Recording
from ..schedule.budget import Budget
from ..schedule.recording_gate import TRACING_AGAIN, TRACING_EXTRA, TRACING_LOGS_ONLY, TRACING_SAVED, RecordingGate
from .step_recorder import FitStepRecorder

# Whether `on_train_batch_end` gets the index of an execution's last step; before Keras 3.11 it gets that of the first.
_INDEX_IS_LAST = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 11)


class FitRecording(Recording):
    """Decides which steps of `model.fit` are recorded, and counts all of them; it records one launch at a time."""

    model: Any  # both are set by Keras
    params: Any

    def _prepare_launches(
        self, make_gate: Callable[[], RecordingGate], make_recorder: Callable[[Budget], Recorder], *, probe: bool
    ) -> None:
        """Takes what makes the gate and the recorder of each launch, and starts the first one."""
        self._make_gate, self._make_recorder, self._probe_on_verdict = make_gate, make_recorder, probe
        self._launch_model: Any = None
        self._user_function_untraced = False
        self._tracing_seconds = 0.0  # about what the first step takes without the recorder: nearly all is tracing
        self._stands_in = False  # the function that records runs the present step, although it is not recorded
        self._earlier_exceptions: list[int] = []  # ids of exceptions that are older than the present `fit`
        self._start_launch()

    def _start_launch(self) -> None:
        self._gate = self._make_gate()
        self._recorder = self._make_recorder(self._gate.budget)
        self._recorder.count_steps_with(self._completed_steps)
        self._recorder.look_for_end_with(self._note_exception)
        self._pipeline = MeasurementPipeline(self._recorder, self._gate)
        self._probing = Probing(self._recorder, self._gate.budget, asked=self._probe_on_verdict)
        self._alerts_waiting = self._recorder.alerts.waiting
        self._gate.budget.add_one_off(self._gate.budget.elapsed)
        self._gate.budget.pause()  # until training begins
        self._steps, self._step = FitStepRecorder(self._recorder, self._pipeline, self._probing), 0
        self._idle = False  # whether the present step is before the gate's `idle_until`
        self._in_execution = False  # between the beginning and the end of an execution of the train function
        self._first_batch = 0  # index of the first batch of the present execution in its epoch

    def _begin_execution(self, batch: int) -> None:
        gate, entered, due = self._gate, time.perf_counter(), False
        self._first_batch, self._stands_in = batch, False
        if self._steps.ready:
            several = range(1, steps_per_execution(self.model) + 1)
            due = True in [gate.due(self._step + i) for i in several]  # each must be asked
            if due:
                self._steps.record_next(self._step, self._batches_left())
            self._stands_in = not due and not self._affords_users_function and self._stand_in_next()
        gate.budget.add_row_cost(time.perf_counter() - entered)
        gate.begin_step(recording=due, background_idle=self._pipeline.idle)

    @property
    def _affords_users_function(self) -> bool:
        """Whether the user's own function has been traced, or the budget affords that it is traced.

        A model is slow to trace if it has hundreds of layers. Its steps between bursts are run by the function that
        records them, until the run has lasted so long that a second tracing is paid for.
        """
        return not self._user_function_untraced or self._affords(TRACING_AGAIN)

    def _stand_in_next(self) -> bool:
        return self._steps.stand_in_next(self._step, affords_logs_only=lambda: self._affords(TRACING_LOGS_ONLY))

    def _affords(self, share: float) -> bool:
        """Whether the budget affords a tracing that takes so large a share of what the first step took."""
        return self._gate.budget.affords_once(share * self._tracing_seconds)

    def _batches_left(self) -> int | None:
        """Returns how many batches of the epoch are left; None if that is not known."""
        batches = (self.params or {}).get("steps")
        return None if batches is None else batches - self._first_batch

    def _end_execution(self, batch: int) -> None:
        now, gate = time.perf_counter(), self._gate
        # With steps_per_execution the last index may lie beyond the epoch's end.
        index_is_last = _INDEX_IS_LAST or is_legacy(self.model)
        steps = batch - self._first_batch + 1 if index_is_last else steps_per_execution(self.model)
        left = self._batches_left()
        steps = steps if left is None else min(steps, left)
        self._step += steps
        self._end_recorded(steps, now) if gate.recording else self._end_unrecorded(steps, now)
        self._pipeline.write_if_due(self._step)
        gate.budget.add_row_cost(time.perf_counter() - now)
        if self._probing.is_due(self._recorder.latest_diagnosis):
            self._flush()
            self._probing.run_by_itself(model=self.model)

    def _end_unrecorded(self, steps: int, now: float) -> None:
        if self._stands_in:  # each step is asked for until the user's own function runs
            if self._steps.traces_logs_only:
                self._gate.charge_once(now)
            else:
                self._gate.end_step(now, steps)
            return
        if steps_per_execution(self.model) == 1:
            self._gate.not_recorded(self._step)
        if self._user_function_untraced:
            self._user_function_untraced = False
            if self._steps.traced:  # both have been traced now, and the training alone needs one of them
                self._gate.charge_once(now)
                return
        self._gate.end_step(now, steps)

    def _end_recorded(self, steps: int, now: float) -> None:
        if self._steps.traced:
            self._gate.end_step(now, steps)
        else:
            self._steps.traced = self._steps.has_run
            self._charge_tracing(now)
        if not self._gate.due(self._step + 1):
            self._pipeline.schedule_flush()

    def _charge_tracing(self, now: float) -> None:
        """Charges the first step that was recorded, or notes what it has saved."""
        saved = TRACING_SAVED * self._steps.once_traced_seconds if self._user_function_untraced else 0.0
        self._gate.budget.saved += saved
        self._tracing_seconds = now - (self._gate.step_began or now) + saved
        if not saved:  # it may take the place of the user's own tracing, which comes later and is charged then
            self._gate.charge_once(now, TRACING_EXTRA if self._user_function_untraced else 1.0)

    def _note_exception(self) -> None:
        """Records the exception of a step that ran the user's own function, when it is known afterwards."""
        error = exception_of_fit(self.model, self._earlier_exceptions) if self._steps.training else None
        if error is not None:
            self._steps.stop(error, completed=self._step, in_step=False)
