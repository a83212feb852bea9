"""The Keras callback: one line in `model.fit(..., callbacks=[ww.WeightWatch("logs/run-1")])`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ..history import History
from ..verdict import Diagnosis
from .fit.recording_train_function import RecordedStep, RecordingTrainFunction
from .fit.step_layout import StepLayout
from .fit.step_outputs import measured_variables
from .measure.pipeline import MeasurementPipeline
from .measure.step_measurer import StepData
from .observe import model_facts as facts
from .observe import replicas
from .observe.batch_features import feature_records
from .observe.library_versions import library_versions
from .observe.observation import base_optimizers
from .recorder import Recorder

# Whether `on_train_batch_end` gets the index of an execution's last step; before Keras 3.11 it gets that of the first.
_INDEX_IS_LAST = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 11)


class BatchStart(NamedTuple):
    """The state when an execution of one or several steps began.

    Attributes:
        batch: index of the first batch in its epoch.
        time: by `time.perf_counter`.
        recorded: whether the recording train function runs it.
        worker_idle: whether no measurement ran beside training.
    """

    batch: int = 0
    time: float = 0.0
    recorded: bool = False
    worker_idle: bool = True


class WeightWatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Records why weights move, or don't, while `model.fit` runs, and reports it.

    Steps that are not recorded run the user's own train function, unchanged. A second `fit` of the same model continues
    the launch; another model starts a new one.

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        overhead: share of training time that recording may cost; None records on a fixed schedule.
        rules: rule name -> thresholds by name, or False to mute the rule.
        verbose: prints new verdicts while training runs.
        maps: records histograms and motion maps at intervals (`History.maps`).
        tensors: names of variables ("dense/kernel") or patterns ("*/kernel") whose gradients and weights are recorded
            in full whenever maps are; or name -> steps.

    Raises:
        OSError: the folder cannot be written.
        ValueError: `overhead`, `rules` or `tensors` is not valid.
        NotImplementedError: the callback is made in the scope of a ParameterServerStrategy.
    """

    def __init__(  # noqa: PLR0913
        self,
        logdir: Any,
        *,
        overhead: float | None = 0.02,
        rules: Mapping[str, Any] | None = None,
        verbose: bool = True,
        maps: bool = True,
        tensors: Any = (),
    ) -> None:
        super().__init__()
        replicas.reject_parameter_server(tf.distribute.get_strategy())
        self._make_recorder: Callable[[], Recorder] = lambda: Recorder(
            logdir, kind="fit", overhead=overhead, rules=rules, verbose=verbose, maps=maps, tensors=tensors
        )
        self._launch_model: Any = None
        self._user_function_untraced = False
        self._recording_function: RecordingTrainFunction | None = None
        self._start_launch()

    def _start_launch(self) -> None:
        self._recorder = self._make_recorder()
        self._steps = MeasurementPipeline(self._recorder)
        self._recorder.collect = self._steps.collect
        self._recorder.budget.pause()  # until training begins
        self._recording_function, self._step, self._steps_measured = None, 0, 0
        self._traced = False  # whether the recording train function has run
        self._rest = 0.0  # the step before which nothing need be asked
        self._resting = False  # whether the step that runs is before it
        self._batch_start = BatchStart()

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of all steps recorded so far."""
        with self._recorder.guarded():
            self._steps.collect()
        return self._recorder.diagnosis

    @property
    def history(self) -> History:
        """All steps and records so far."""
        with self._recorder.guarded():
            self._steps.collect()
        return self._recorder.history

    # -- called by Keras

    def set_model(self, model: Any) -> None:
        """Sets the model. Keras makes its train function after this call, unless an earlier `fit` has."""
        super().set_model(model)
        if getattr(model, "train_function", None) is None:
            self._user_function_untraced = True
        elif model is not self._launch_model:
            self._user_function_untraced = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Starts a launch, or continues it if the model is the same."""
        model = self.model
        if self._launch_model is not None and self._launch_model is not model:
            self._recorder.close("completed")
            self._start_launch()
        self._launch_model = model
        self._rest = 0.0  # it may be compiled anew since
        self._recorder.budget.begin()
        with self._recorder.guarded():
            self._prepare(model)

    def _prepare(self, model: Any) -> None:
        strategy = model.distribute_strategy
        replicas.reject_parameter_server(strategy)
        optimizers = self._optimizers = _optimizers(model)
        describe = self._recorder.describe
        settings = {**facts.model_facts(model), **facts.optimizer_facts(optimizers), **facts.loss_facts(model)}
        settings |= replicas.distribution_facts(strategy)
        describe(self._step, "facts", {**settings, "gradients": "used", "versions": library_versions()})
        self._recorder.looked_at(model)
        if self._recording_function is None or self._recording_function.users_function is not model.train_function:
            self._steps.collect()
            self._recording_function, self._traced = RecordingTrainFunction(model, optimizers), False
        elif self._traced:  # `trainable` may have changed, although the traced functions go on as before
            items = facts.variable_items(measured_variables(model), model, optimizers)
            describe(self._step, "variables", {"items": items})

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Replaces the model's train function by the recording one for a step that is due."""
        self._resting = self._step + 1 < self._rest
        if self._resting:
            return
        entered, recorder, due = time.perf_counter(), self._recorder, False
        if self._recording_function is not None and not recorder.off:
            several = range(1, self.model.steps_per_execution + 1)
            due = True in [recorder.due(self._step + i) for i in several]  # each must be asked
            if due:
                self.model.train_function, self._steps_measured = self._run_recorded, self._step
        self._batch_start = BatchStart(batch, time.perf_counter(), due, self._steps.idle)
        recorder.budget.spent(self._batch_start.time - entered)

    def _run_recorded(self, iterator: Any) -> Any:
        """Runs one execution recorded, in place of the user's train function."""
        function, logs = self._recording_function, None
        assert function is not None
        self.model.train_function = function.users_function
        iterations = 0 if self._traced else self._total_iterations()
        try:
            for batch in function.batches(iterator, self._batches_left()):
                step = function.run(batch)
                logs = step.logs
                self._measure(step)
        except (tf.errors.OutOfRangeError, StopIteration):
            raise
        except Exception as error:
            # Either the user's own program has failed, or our tracing of it. If nothing has been updated yet, the
            # user's function goes on without us. An eager step is not traced: the error is the user's, of this batch.
            if self._traced or self.model.run_eagerly or self._total_iterations() != iterations:
                raise
            logs = function.users_function(iterator)
            self._recorder.fail(error)
        return logs

    def _measure(self, step: RecordedStep) -> None:
        """Submits a recorded step to the measurement, right after it has run."""
        self._steps_measured += 1
        if self._recorder.off:
            return
        with self._recorder.guarded():
            layout, data = step.read()
            if not self._traced and self._steps_measured == self._step + 1:
                self._describe(layout, data)
            self._steps.take(self._steps_measured, data)

    def _describe(self, layout: StepLayout, step: StepData) -> None:
        describe = self._recorder.describe
        describe(self._step, "variables", {"items": layout.variables})
        describe(self._step, "layers", {"items": layout.layers})
        describe(self._step, "facts", layout.batch_shapes)
        describe(self._step, "facts", facts.model_facts(self.model))
        for features in feature_records(step.data["x"], step.data["y"]):
            describe(self._step, "features", features)

    def _batches_left(self) -> int | None:
        """Returns how many batches of the epoch are left; None if that is not known."""
        batches = (self.params or {}).get("steps")
        return None if batches is None else batches - self._batch_start.batch

    def _total_iterations(self) -> int:
        return sum(int(base.iterations.numpy()) for o in self._optimizers for base in base_optimizers(o))

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Counts the steps and, at the end of a burst, has its rows appended to the History."""
        if self._resting:
            self._step += 1
            if time.perf_counter() >= self._steps.look:
                with self._recorder.guarded():
                    self._steps.tick(self._step)
            return
        begin, started, recorded, alone = self._batch_start
        now = time.perf_counter()
        # With steps_per_execution the last index may lie beyond the epoch's end.
        steps = batch - begin + 1 if _INDEX_IS_LAST else self.model.steps_per_execution
        left = self._batches_left()
        steps = steps if left is None else min(steps, left)
        with self._recorder.guarded():
            self._recorded(steps, now - started) if recorded else self._plain(steps, now - started, alone)
            self._steps.tick(self._step)
        self._recorder.budget.spent(time.perf_counter() - now)

    def _plain(self, steps: int, seconds: float, alone: bool) -> None:
        self._step += steps
        rest = self._steps.skip(self._step)
        self._rest = rest if self.model.steps_per_execution == 1 else 0.0
        if self._user_function_untraced:
            self._user_function_untraced = False
            if self._traced:  # so this one was as well, and of the two the user's training alone needs only one
                self._recorder.budget.prepared(seconds)
                return
        for _ in range(steps):
            self._recorder.budget.stepped(seconds / steps, recorded=not alone)

    def _recorded(self, steps: int, seconds: float) -> None:
        self._step += steps
        if self._traced:
            for _ in range(steps):
                self._recorder.budget.stepped(seconds / steps, recorded=True)
        else:
            self._traced = True
            # Else it takes the place of the user's own tracing, which comes later and is charged then.
            if not self._user_function_untraced:
                self._recorder.budget.prepared(seconds)  # nearly all of it is tracing
        if not self._recorder.due(self._step + 1):
            self._steps.gather()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Ends the launch; a further `fit` of the same model continues it."""
        with self._recorder.guarded():
            self._recorder.end("completed")


def _optimizers(model: Any) -> list[Any]:
    """Returns the optimizer that the model was compiled with, and others among its attributes (GANs)."""
    attributes = [v for v in vars(model).values() if isinstance(v, keras.optimizers.Optimizer)]
    compiled = [model.optimizer] if getattr(model, "optimizer", None) is not None else []
    return list({id(optimizer): optimizer for optimizer in [*compiled, *attributes]}.values())
