"""How the steps of a hand-written loop are recorded: what `Watch` does behind `step`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from ..arguments.types import LogDir
from ..fault_handler import CheckedCalls
from ..measure.pipeline import MeasurementPipeline
from ..observe import replicas
from ..observe.fault_guard import entry_point
from ..observe.run_ending import Ending, ending_of, handled_exception
from ..probing import Probing
from ..recorder import Recorder
from ..recording import Recording
from ..schedule.recording_gate import RecordingGate
from .arguments import NOTHING_TO_WATCH, checked_variables
from .gradient_arguments import reject_wrong_structure
from .step_arguments import LossLists, check_lengths, check_values
from .step_recorder import LoopStepRecorder
from .targets import WatchTargets
from .tensors_for_variables import TensorsForVariables

_MOST_EXCEPTIONS = 8  # of the optimizer, since a program may catch one in each step and go on


class LoopRecording(CheckedCalls, Recording):
    """Decides which steps of a loop are recorded, checks what they are given, and has them measured."""

    def __init__(
        self,
        *,
        destination: LogDir,
        models: Sequence[Any],
        optimizers: Sequence[Any],
        variables: Sequence[Any],
        gate: RecordingGate,
        **recorder_settings: Any,
    ) -> None:
        strategy = replicas.strategy_of(*models, *variables)
        # Of several workers only the chief records; all train the same weights.
        recorded = destination if strategy.extended.should_save_summary else None
        self._gate = gate
        self._recorder = Recorder(recorded, kind="loop", budget=self._gate.budget, **recorder_settings)
        self._alerts_waiting = self._recorder.alerts.waiting
        self._pipeline = MeasurementPipeline(self._recorder, self._gate)
        self._targets = WatchTargets(models, optimizers, variables, strategy.num_replicas_in_sync)
        self._tensors, self._loss_lists = TensorsForVariables(), LossLists()
        self._steps = LoopStepRecorder(self._targets, self._recorder, self._update_raised)
        self._closed, self._step = False, 0
        self._recording_step = threading.Lock()  # held while a step is recorded; never waited for
        self._anything_watched = False  # since the first recorded step
        self._probing = Probing(self._recorder, self._gate.budget, asked=False)
        self._exceptions = 0  # of the optimizer, recorded so far
        self._outer_exception = id(handled_exception())  # training goes on in a block that handles this one
        self._recorder.count_steps_with(self._completed_steps)
        self._recorder.look_for_end_with(self._note_exception)
        self._begin(strategy)

    @entry_point
    def _begin(self, strategy: Any) -> None:
        """Prepares for the first step."""
        with self._recorder.guarded():
            self._steps.begin_step()
            self._targets.describe(self._recorder, 0)
            self._recorder.describe(0, "facts", replicas.distribution_facts(strategy))
            for item in self._targets.models:
                self._recorder.adopt_preflight(item)
        self._gate.budget.add_one_off(self._gate.budget.elapsed)
        self._gate.begin_step(recording=self._is_due(1), background_idle=True)
        self._gate.leave_untimed()  # much may be done before the loop begins

    def _end_step(self, now: float, loss: Any, data: dict[str, Any], gradients: Any, variables: Any) -> None:
        """Ends a step that is not idle; one that another thread ends meanwhile is counted, and not recorded."""
        if self._recorder.off:
            self._steps.remove_hooks()
            return
        if not self._recording_step.acquire(blocking=False):
            return
        try:
            self._gate.end_step(now)
            if self._gate.recording:
                self._record(loss, data, gradients, variables)
        finally:  # also after a wrong argument, since the program may catch the error and go on
            try:
                self._prepare_next_step(now)
            finally:
                self._recording_step.release()

    def _record(self, loss: Any, data: dict[str, Any], gradients: Any, variables: Any) -> None:
        """Checks what `step` was given and has the step measured."""
        self._outer_exception, targets = id(handled_exception()), self._targets
        check_values(loss, {"inputs": data["x"], "targets": data["y"], "predictions": data["y_pred"]})
        self._loss_lists.check(loss)
        reject_wrong_structure(gradients, targets.variables)
        data = {name: replicas.concat_replicas(value) for name, value in data.items()}
        check_lengths(data["y"], data["y_pred"])
        targets.begin_step()
        variables, gradients, facts = self._tensors.take_out(self._step, variables, gradients)
        given = checked_variables(variables)
        targets.add(given)
        matched = {} if gradients is None else targets.match_gradients(gradients, given)
        self._anything_watched |= bool(targets.models or targets.own.variables or self._tensors.seen)
        if not self._anything_watched:
            raise ValueError(NOTHING_TO_WATCH)
        with self._recorder.guarded(), tf.init_scope():
            if facts:
                self._recorder.describe(self._step, "facts", facts)
            step = self._steps.record(self._step, loss, data, matched)
            if step.data["x"] is not None and step.data["y"] is not None:
                self._probing.keep((step.data["x"], step.data["y"]))
            self._pipeline.submit(self._step, step)

    def _prepare_next_step(self, entered: float) -> None:
        """Prepares for the next step; charges the budget for the time since `entered`, when `step` was called."""
        gate, due = self._gate, False
        with self._recorder.guarded():
            self._steps.raise_fault()
            due = self._is_due(self._step + 1)
            if due:
                with tf.init_scope():
                    self._steps.begin_step()
            else:
                if gate.recording:
                    self._steps.skip_step()
                    self._pipeline.schedule_flush()
                gate.not_recorded(self._step + 1)
            self._pipeline.write_if_due(self._step)
        background_idle = self._pipeline.idle
        # In the first two steps functions of our own are traced, which is done once.
        charge = gate.budget.add_one_off if self._step <= 2 else gate.budget.add_row_cost
        charge(time.perf_counter() - entered)
        gate.begin_step(recording=due, background_idle=background_idle)

    def _is_due(self, step: int) -> bool:
        return not self._recorder.off and self._gate.due(step)

    @entry_point
    def _probe_if_due(self, x: Any, y: Any, options: dict[str, Any]) -> Any:
        self._probing.asked = not self._probing.ran
        if not self._probing.is_due(self._recorder.latest_diagnosis):
            return None
        return self._probe(self._probing.run_by_itself, x, y, options)

    def _probe(self, run: Callable[..., Any], x: Any, y: Any, options: dict[str, Any]) -> Any:
        """Runs experiments on what is watched; returns the report."""
        self._flush()
        models, optimizers = self._targets.models, self._targets.optimizers
        known = {"model": models[0] if models else None, "optimizer": optimizers or None, "x": x, "y": y}
        if "step_fn" in options:
            known["variables"] = list(self._targets.trained_variables())
        with self._steps.suspended():
            report = run(**{**known, **options})
        self._gate.leave_untimed()  # experiments are no part of the step that begins
        return report

    @entry_point
    def _close(self, ending_exception: Callable[[], BaseException | None]) -> bool:
        """Ends the recording; returns whether an exception ended the training."""
        if self._closed:
            return False
        self._closed, error, alerts = True, None, self._recorder.alerts
        with self._recorder.guarded():
            error = ending_exception()
            self._steps.raise_fault()
        with self._recorder.guarded():
            self._steps.remove_hooks()
        is_stopped = alerts.stopped_by and error is None
        alerts.end_training()
        self._recorder.close(*(Ending("stopped", alerts.stopped_by) if is_stopped else ending_of(error, self._step)))
        return error is not None

    def _ending_exception(self) -> BaseException | None:
        """Returns the exception that is being handled; None if it is one under which training went on."""
        error = handled_exception()
        return error if id(error) != self._outer_exception else None

    def _note_exception(self) -> None:
        error = self._ending_exception()
        if error is not None and not self._closed:
            self._stop(error, in_step=False)

    @entry_point
    def _update_raised(self, error: BaseException) -> None:
        """Records an exception of the optimizer at once: the program may catch it, and never close this Watch."""
        self._exceptions += 1
        if self._recorder.off or self._exceptions > _MOST_EXCEPTIONS:
            return
        with self._recorder.guarded(), tf.init_scope():
            self._targets.describe(self._recorder, self._recorder.last_step)
            self._stop(error, in_step=True)

    def _stop(self, error: BaseException, *, in_step: bool) -> None:
        ending = ending_of(error, self._step, in_step=in_step)
        if ending.how == "exception":
            self._recorder.end(*ending)
            self._gate.budget.begin()  # training may go on
