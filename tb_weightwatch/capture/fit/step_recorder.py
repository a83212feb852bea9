"""Records the steps of `model.fit` that are due: runs them in place of the user's train function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ..fault_handler import FaultHandler, report_fault
from ..measure.pipeline import MeasurementPipeline
from ..observe import model_facts as facts
from ..observe import replicas
from ..observe.exception_meaning import OF_THE_BATCH, meaning_of
from ..observe.fault_guard import entry_point
from ..observe.observation import total_iterations
from ..observe.optimizer_facts import optimizers_of
from ..observe.run_ending import ending_of
from ..probing import Probing
from ..recorder import Recorder
from .descriptions import describe_settings, describe_traced_step, describe_variables
from .recorded_step import RecordedStep
from .recording_train_function import RecordingTrainFunction

_ENDS_OF_DATA = (tf.errors.OutOfRangeError, StopIteration)


class FitStepRecorder(FaultHandler):
    """Runs due steps of one launch recorded.

    Several of them may train the same model. The one that was asked first runs the step, and the others get its
    tensors as well.

    Args:
        recorder: gets descriptions and facts.
        pipeline: measures the steps.
        probing: keeps batches.

    Attributes:
        training: whether `fit` has begun, and nothing is known of its end.
        traced: whether a step has run recorded.
        measured: steps that are completed or have run recorded since.
        traces_logs_only: the present step, which is not recorded, is traced without what only the recorder needs.
    """

    def __init__(self, recorder: Recorder, pipeline: MeasurementPipeline, probing: Probing) -> None:
        self._recorder, self._pipeline, self._probing = recorder, pipeline, probing
        self._model: Any = None
        self._optimizers: list[Any] = []
        self._function: RecordingTrainFunction | None = None
        self._step = self.measured = 0
        self._batches_left: int | None = None
        self._stands_in = self._logs_only = False  # the next execution runs recorded for others only, if at all
        self._others: list[FitStepRecorder] = []
        self.training = self.traced = self.traces_logs_only = False

    # -- before the step

    def prepare(self, model: Any, step: int) -> None:
        """Prepares for a call of `fit` that begins after so many steps."""
        self._model, strategy = model, model.distribute_strategy
        replicas.reject_parameter_server(strategy)
        replicas.reject_unsummed_gradients(strategy)
        optimizers = self._optimizers = optimizers_of(model)
        describe_settings(self._recorder, step, model, optimizers)
        if self._function is None or self._function.users_function is not model.train_function:
            self._pipeline.flush()
            self._function, self.traced = RecordingTrainFunction(model, optimizers), False
        elif self.traced:  # `trainable` may have changed, although the traced functions go on as before
            describe_variables(self._recorder, step, model, optimizers)

    @property
    def ready(self) -> bool:
        """Whether steps can be recorded."""
        return self._function is not None and not self._recorder.off

    def record_next(self, completed: int, batches_left: int | None) -> None:
        """Has the next execution recorded.

        Args:
            completed: steps that are completed.
            batches_left: of the epoch; None if that is not known.
        """
        self._step = self.measured = completed
        self._batches_left, self._stands_in = batches_left, False
        first = self.of(self._model)
        if first is None:
            self._model.train_function = self.run
        elif first is not self and self not in first._others:
            first._others.append(self)

    def stand_in_next(self, completed: int, *, affords_logs_only: Callable[[], bool]) -> bool:
        """Has the function that records run the next step in place of the user's, without recording it.

        Args:
            completed: steps that are completed.
            affords_logs_only: returns whether the budget pays for tracing that function without the results that only
                the recorder needs. It is asked until that has been traced.

        Returns:
            Whether it is going to do so. The user's own function is not traced then.
        """
        first, function, self.traces_logs_only = self.of(self._model), self._function, False
        if first is None and function is not None and function.can_stand_in:
            self._step = self.measured = completed
            self._batches_left, self._stands_in = None, True
            traced = function.logs_only_has_run
            self._logs_only = traced or (function.can_leave_out_results and affords_logs_only())
            self.traces_logs_only = self._logs_only and not traced
            self._model.train_function = self.run
            return True
        return first is not None  # another recorder of the model has the step run

    @classmethod
    def of(cls, model: Any) -> FitStepRecorder | None:
        """Returns what is going to run the next execution of the model recorded; None: the user's function runs."""
        owner = getattr(getattr(model, "train_function", None), "__self__", None)
        return owner if isinstance(owner, cls) else None

    def give_back(self) -> None:
        """Puts the user's train function back, if an exception has kept the execution from running."""
        if self._function is not None and self.of(self._model) is self:
            self._model.train_function = self._function.users_function
        self._others = []

    # -- the step

    def run(self, iterator: Any) -> Any:
        """Runs one execution recorded, in place of the user's train function."""
        function, others = self._function, self._others
        assert function is not None
        self._model.train_function, self._others = function.users_function, []
        try:
            return self._run_execution(function, iterator, (*others,) if self._stands_in else (self, *others))
        except _ENDS_OF_DATA:
            raise
        except BaseException as error:
            for recorder in (self, *others):
                recorder.stop(error, completed=recorder.measured, in_step=True)
            raise

    def _run_execution(
        self, function: RecordingTrainFunction, iterator: Any, recorders: tuple[FitStepRecorder, ...]
    ) -> Any:
        logs, iterations, ran = None, None, 0
        logs_only = self._logs_only and not recorders
        traced = function.logs_only_has_run if logs_only else function.has_run
        function.users_code_runs = False
        try:
            iterations = None if traced else total_iterations(self._optimizers)
            for batch in function.batches(iterator, self._batches_left):
                step = function.run(batch, read=bool(recorders), logs_only=logs_only)
                logs, ran = step.logs, ran + 1
                for recorder in recorders:
                    recorder.measure(step)
            return logs
        except _ENDS_OF_DATA:
            raise
        except Exception as error:
            if function.users_code_runs and (traced or not self._is_of_tracing(error, iterations)):
                raise
            fault = error
        if not ran:  # nothing has been updated: the user's function goes on without us
            logs = function.users_function(iterator)
        report_fault(self._recorder, fault)
        return logs

    @entry_point
    def _is_of_tracing(self, error: Exception, iterations: int | None) -> bool:
        """Whether our tracing of the user's step may have failed, and not the step itself.

        An eager step is not traced: the error is the user's, of this batch.
        """
        if self._model.run_eagerly or meaning_of(error) in OF_THE_BATCH:
            return False
        return total_iterations(self._optimizers) == iterations

    @entry_point
    def stop(self, error: BaseException, *, completed: int, in_step: bool) -> None:
        """Records that an exception ended `fit`, of which Keras tells its callbacks nothing."""
        self.training = False
        with self._recorder.guarded():
            if not self.traced:
                describe_variables(self._recorder, self._recorder.last_step, self._model, self._optimizers)
            self._recorder.end(*ending_of(error, completed, in_step=in_step))

    # -- after the step

    @entry_point
    def measure(self, step: RecordedStep) -> None:
        """Submits a recorded step to the measurement, right after it has run."""
        self.measured += 1
        if self._recorder.off:
            return
        self._recorder.begun = self.measured
        layout, data = step.read()
        if not self.traced and self.measured == self._step + 1:
            made = self._function.facts_of_first_step if self._function is not None else {}
            known = (facts.model_facts(self._model), made)
            describe_traced_step(self._recorder, self._step, layout, data, known)
        self._probing.keep(data.data["batch"])
        self._pipeline.submit(self.measured, data)

    @property
    def once_traced_seconds(self) -> float:
        """How long the user's `train_step` took to trace, if it was traced once and not twice; else 0."""
        return 0.0 if self._function is None else self._function.once_traced_seconds

    @property
    def has_run(self) -> bool:
        """Whether the last execution has run recorded."""
        return self.measured > self._step
