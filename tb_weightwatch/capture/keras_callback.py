"""The Keras callback: one line in `model.fit(..., callbacks=[ww.WeightWatch("logs/run-1")])`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import keras
import tensorflow as tf

from .arguments import checked_logdir
from .fit.recording_train_function import RecordedStep, RecordingTrainFunction
from .fit.step_layout import StepLayout
from .fit.step_outputs import listed_variables
from .measure.pipeline import MeasurementPipeline
from .measure.step_data import StepData
from .observe import model_facts as facts
from .observe import replicas
from .observe.batch_features import feature_records
from .observe.exception_meaning import OF_THE_BATCH, meaning_of
from .observe.library_versions import library_versions
from .observe.observation import total_iterations
from .observe.run_ending import ending_of, exception_of_fit, latest_exceptions
from .probing import Probing, checked_occasion
from .recorder import Recorder
from .recording import Recording
from .schedule.budget import Budget
from .schedule.recording_gate import RecordingGate

if TYPE_CHECKING:
    from ..diagnosis import RuleSettings
    from ..probes import ProbeReport
    from .arguments.types import Batch, Data, LogDir, TensorRequests

# Whether `on_train_batch_end` gets the index of an execution's last step; before Keras 3.11 it gets that of the first.
_INDEX_IS_LAST = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 11)


class WeightWatch(Recording, keras.callbacks.Callback):  # type: ignore[misc]
    """Records why weights move, or don't, while `model.fit` runs, and reports it.

        watch = ww.WeightWatch("logs/run-1")
        model.fit(x, y, callbacks=[watch])
        print(watch.diagnosis)

    Steps that are not recorded run the user's own train function, unchanged. A second `fit` of the same model continues
    the launch; another model starts a new one.

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        overhead: share of training time that recording may cost; None records on a fixed schedule.
        rules: name or code of a rule -> thresholds by name, or False to mute it: `{502: False}`.
        verbose: prints new verdicts while training runs.
        maps: records histograms and motion maps at intervals (`History.maps`).
        tensors: names of variables ("dense/kernel") or patterns ("*/kernel") whose gradients and weights are recorded
            in full whenever maps are; or name -> steps.
        probe: "on-verdict" runs experiments (`ww.probe`) once, between two steps, when the answer is only likely or the
            training is stuck for an unknown reason; they take about 30 seconds at most. None runs none.

    Raises:
        OSError: the folder cannot be written.
        TypeError: `logdir` is neither a folder nor a `tf.summary` writer, or `rules` is no mapping.
        ValueError: `overhead`, `rules`, `tensors` or `probe` is not valid.
        NotImplementedError: the callback is made in the scope of a ParameterServerStrategy.
    """

    def __init__(  # noqa: PLR0913
        self,
        logdir: LogDir,
        *,
        overhead: float | None = 0.02,
        rules: RuleSettings | None = None,
        verbose: bool = True,
        maps: bool = True,
        tensors: TensorRequests = (),
        probe: Literal["on-verdict"] | None = None,
    ) -> None:
        super().__init__()
        destination = checked_logdir(logdir)
        self._probe_on_verdict = checked_occasion(probe)
        replicas.reject_parameter_server(tf.distribute.get_strategy())
        self._make_gate: Callable[[], RecordingGate] = lambda: RecordingGate(overhead, maps, tensors)
        self._make_recorder: Callable[[Budget], Recorder] = lambda budget: Recorder(
            destination, kind="fit", budget=budget, rules=rules, verbose=verbose
        )
        self._launch_model: Any = None
        self._user_function_untraced = False
        self._recording_function: RecordingTrainFunction | None = None
        self._training = False  # whether `fit` has begun, and nothing is known of its end
        self._earlier_exceptions: list[int] = []  # ids of exceptions that are older than the present `fit`
        self._start_launch()

    def _start_launch(self) -> None:
        self._gate = self._make_gate()
        self._recorder = self._make_recorder(self._gate.budget)
        self._recorder.count_steps_with(self._completed_steps)
        self._pipeline = MeasurementPipeline(self._recorder, self._gate)
        self._probing = Probing(self._recorder, self._gate.budget, asked=self._probe_on_verdict)
        self._gate.budget.pause()  # until training begins
        self._recording_function, self._step, self._steps_measured = None, 0, 0
        self._traced = False  # whether the recording train function has run
        self._idle = False  # whether the present step is before the gate's `idle_until`
        self._first_batch = 0  # index of the first batch of the present execution in its epoch

    # -- called by Keras

    def set_model(self, model: keras.Model) -> None:
        """Sets the model. Keras makes its train function after this call, unless an earlier `fit` has."""
        super().set_model(model)
        if getattr(model, "train_function", None) is None:
            self._user_function_untraced = True
        elif model is not self._launch_model:
            self._user_function_untraced = False

    def on_train_begin(self, logs: Mapping[str, object] | None = None) -> None:
        """Starts a launch, or continues it if the model is the same."""
        model = self.model
        if self._launch_model is not None and self._launch_model is not model:
            self._recorder.close("completed")
            self._start_launch()
        self._launch_model = model
        self._training, self._earlier_exceptions = True, [id(error) for error in latest_exceptions()]
        self._gate.never_idle()  # the model may have been compiled anew
        self._gate.budget.begin()
        with self._recorder.guarded():
            self._prepare(model)

    def _prepare(self, model: Any) -> None:
        strategy = model.distribute_strategy
        replicas.reject_parameter_server(strategy)
        replicas.reject_unsummed_gradients(strategy)
        optimizers = self._optimizers = facts.optimizers_of(model)
        describe = self._recorder.describe
        settings = {**facts.model_facts(model), **facts.optimizer_facts(optimizers), **facts.loss_facts(model)}
        settings |= replicas.distribution_facts(strategy)
        describe(self._step, "facts", {**settings, "gradients": "used", "versions": library_versions()})
        self._recorder.adopt_preflight(model)
        if self._recording_function is None or self._recording_function.users_function is not model.train_function:
            self._pipeline.flush()
            self._recording_function, self._traced = RecordingTrainFunction(model, optimizers), False
        elif self._traced:  # `trainable` may have changed, although the traced functions go on as before
            items = facts.variable_items(listed_variables(model), model, optimizers)
            describe(self._step, "variables", {"items": items})

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, object] | None = None) -> None:
        """Replaces the model's train function by the recording one for a step that is due."""
        gate = self._gate
        self._idle = self._step + 1 < gate.idle_until
        if self._idle:
            return
        entered, due = time.perf_counter(), False
        if self._recording_function is not None and not self._recorder.off:
            several = range(1, self.model.steps_per_execution + 1)
            due = True in [gate.due(self._step + i) for i in several]  # each must be asked
            if due:
                self.model.train_function, self._steps_measured = self._run_recorded, self._step
        self._first_batch = batch
        gate.budget.add_row_cost(time.perf_counter() - entered)
        gate.begin_step(recording=due, background_idle=self._pipeline.idle)

    def _run_recorded(self, iterator: Any) -> Any:
        """Runs one execution recorded, in place of the user's train function."""
        function = self._recording_function
        assert function is not None
        self.model.train_function = function.users_function
        try:
            return self._run_execution(function, iterator)
        except (tf.errors.OutOfRangeError, StopIteration):
            raise
        except BaseException as error:
            with self._recorder.guarded():
                self._stop(error, completed=self._steps_measured, in_step=True)
            raise

    def _run_execution(self, function: RecordingTrainFunction, iterator: Any) -> Any:
        logs, iterations = None, 0 if self._traced else total_iterations(self._optimizers)
        try:
            for batch in function.batches(iterator, self._batches_left()):
                step = function.run(batch)
                logs = step.logs
                self._measure(step)
            return logs
        except (tf.errors.OutOfRangeError, StopIteration):
            raise
        except Exception as error:
            # Either the user's own program has failed, or our tracing of it. If nothing has been updated yet, the
            # user's function goes on without us. An eager step is not traced: the error is the user's, of this batch.
            ours = not self._traced and not self.model.run_eagerly and meaning_of(error) not in OF_THE_BATCH
            if not ours or total_iterations(self._optimizers) != iterations:
                raise
            fault = error
        logs = function.users_function(iterator)
        self._recorder.fail(fault)
        return logs

    def _stop(self, error: BaseException, *, completed: int, in_step: bool) -> None:
        """Records that an exception ended `fit`, of which Keras tells its callbacks nothing."""
        self._training = False
        if not self._traced:
            items = facts.variable_items(listed_variables(self.model), self.model, self._optimizers)
            self._recorder.describe(self._recorder.last_step, "variables", {"items": items})
        self._recorder.end(*ending_of(error, completed, in_step=in_step))

    def _note_exception(self) -> None:
        """Records the exception of a step that ran the user's own function, when it is known afterwards."""
        error = exception_of_fit(self.model, self._earlier_exceptions) if self._training else None
        if error is not None:
            self._stop(error, completed=self._step, in_step=False)

    def _measure(self, step: RecordedStep) -> None:
        """Submits a recorded step to the measurement, right after it has run."""
        self._steps_measured += 1
        if self._recorder.off:
            return
        self._recorder.begun = self._steps_measured
        with self._recorder.guarded():
            layout, data = step.read()
            if not self._traced and self._steps_measured == self._step + 1:
                self._describe(layout, data)
            self._probing.keep(data.data["batch"])
            self._pipeline.submit(self._steps_measured, data)

    def _describe(self, layout: StepLayout, step: StepData) -> None:
        describe = self._recorder.describe
        describe(self._step, "variables", {"items": layout.variables})
        describe(self._step, "layers", {"items": layout.layers})
        describe(self._step, "facts", layout.batch_shapes)
        describe(self._step, "facts", facts.model_facts(self.model))
        if self._recording_function is not None:
            describe(self._step, "facts", self._recording_function.facts_of_first_step)
        for features in feature_records(step.data["x"], step.data["y"]):
            describe(self._step, "features", features)

    def _batches_left(self) -> int | None:
        """Returns how many batches of the epoch are left; None if that is not known."""
        batches = (self.params or {}).get("steps")
        return None if batches is None else batches - self._first_batch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, object] | None = None) -> None:
        """Counts the steps and, at the end of a burst, has its rows appended to the History."""
        gate = self._gate
        if self._idle:
            self._step += 1
            if time.perf_counter() >= gate.next_check_at:
                with self._recorder.guarded():
                    self._pipeline.write_if_due(self._step)
            return
        now = time.perf_counter()
        # With steps_per_execution the last index may lie beyond the epoch's end.
        steps = batch - self._first_batch + 1 if _INDEX_IS_LAST else self.model.steps_per_execution
        left = self._batches_left()
        steps = steps if left is None else min(steps, left)
        with self._recorder.guarded():
            self._end_recorded(steps, now) if gate.recording else self._end_unrecorded(steps, now)
            self._pipeline.write_if_due(self._step)
        gate.budget.add_row_cost(time.perf_counter() - now)
        if self._probing.is_due(self._recorder.latest_diagnosis):
            self._flush()
            self._probing.run_by_itself(model=self.model)

    def probe(self, x: Data | None = None, y: Batch | None = None, **options: Any) -> ProbeReport:
        """Runs experiments on the model as it is now, records them, and returns a `ProbeReport`.

        Args:
            x: inputs, as for `ww.probe`; None: those of the last recorded steps, if `probe="on-verdict"` was given.
            y: targets.
            options: further arguments of `ww.probe`.

        Raises:
            RuntimeError: `fit` has not been called yet.
            TypeError, ValueError: as for `ww.probe`.
        """
        if self._launch_model is None:
            raise RuntimeError("watch.probe needs the model that is trained; call it after model.fit has begun")
        self._flush()
        return self._probing.run(model=self._launch_model, x=x, y=y, **options)

    def _end_unrecorded(self, steps: int, now: float) -> None:
        self._step += steps
        if self.model.steps_per_execution == 1:
            self._gate.not_recorded(self._step)
        if self._user_function_untraced:
            self._user_function_untraced = False
            if self._traced:  # both have been traced now, and the training alone needs one of them
                self._gate.charge_once(now)
                return
        self._gate.end_step(now, steps)

    def _end_recorded(self, steps: int, now: float) -> None:
        self._step += steps
        if self._traced:
            self._gate.end_step(now, steps)
        else:
            self._traced = True
            # Else it takes the place of the user's own tracing, which comes later and is charged then.
            if not self._user_function_untraced:
                self._gate.charge_once(now)  # nearly all of it is tracing
        if not self._gate.due(self._step + 1):
            self._pipeline.schedule_flush()

    def on_train_end(self, logs: Mapping[str, object] | None = None) -> None:
        """Ends the launch; a further `fit` of the same model continues it."""
        self._training = False
        with self._recorder.guarded():
            self._recorder.end("completed")
