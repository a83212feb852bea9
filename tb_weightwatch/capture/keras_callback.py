"""The Keras callback: one line in `model.fit(..., callbacks=[ww.WeightWatch("logs/run-1")])`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from ..history import History
from ..verdict import Diagnosis
from .fit.recording_train_function import RecordingTrainFunction
from .fit.step_outputs import measured_variables
from .measure.pipeline import MeasurementPipeline
from .observe import model_facts as facts
from .observe import replicas
from .observe.batch_features import feature_records
from .observe.observation import base_optimizers
from .recorder import Recorder
from .schedule.budget import Budget
from .schedule.recording_gate import RecordingGate

# Whether Keras names the last of several steps when they end; before 3.11 it names the first once more.
NAMES_LAST = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 11)


class WeightWatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Records why weights move, or don't, while `model.fit` runs, and says so.

    Steps that are not recorded run the user's own train function, untouched. A second `fit` of the same model goes on
    in the same launch; another model starts a new one.

    Args:
        logdir: folder of the run (events go to `<logdir>/weightwatch`), or a `tf.summary` writer of your own.
        overhead: share of training time that recording may cost; None records on a fixed schedule.
        rules: rule name -> thresholds by name, or False to mute the rule.
        verbose: prints a new answer as training runs.
        maps: records histograms and motion maps now and then (`History.maps`).
        tensors: names of variables ("dense/kernel") or patterns ("*/kernel") whose gradients and weights are recorded
            in full whenever there are maps; or name -> steps.

    Raises:
        OSError: the folder can not be written.
        ValueError: `overhead`, `rules` or `tensors` is not valid.
        NotImplementedError: it is made in the scope of a ParameterServerStrategy.
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
        replicas.refuse(tf.distribute.get_strategy())
        self._make_gate: Callable[[], RecordingGate] = lambda: RecordingGate(overhead, maps, tensors)
        self._make_recorder: Callable[[Budget], Recorder] = lambda budget: Recorder(
            logdir, kind="fit", budget=budget, rules=rules, verbose=verbose
        )
        self._watched: Any = None  # the model of the present launch
        self._new = False  # whether the user's own function has yet to be traced
        self._twin: RecordingTrainFunction | None = None
        self._start()

    def _start(self) -> None:
        self._gate = self._make_gate()
        self._recorder = self._make_recorder(self._gate.budget)
        self._pipeline = MeasurementPipeline(self._recorder, self._gate)
        self._gate.budget.pause()  # until training begins
        self._twin, self._step, self._taken = None, 0, 0
        self._traced = False  # whether the twin has run
        self._idle = False  # whether the present step is before the gate's `idle_until`
        self._first_batch = 0  # index of the first batch of the present call of the train function

    @property
    def diagnosis(self) -> Diagnosis:
        """The answer from all steps recorded so far."""
        with self._recorder.guarded():
            self._pipeline.flush()
        return self._recorder.diagnosis

    @property
    def history(self) -> History:
        """What has been recorded so far."""
        with self._recorder.guarded():
            self._pipeline.flush()
        return self._recorder.history

    # -- what Keras calls

    def set_model(self, model: Any) -> None:
        """Takes the model; Keras makes its train function after this, unless a `fit` before has."""
        super().set_model(model)
        if getattr(model, "train_function", None) is None:
            self._new = True
        elif model is not self._watched:
            self._new = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Starts a launch, or goes on with it where the model is the same."""
        model = self.model
        if self._watched is not None and self._watched is not model:
            self._recorder.close("completed")
            self._start()
        self._watched = model
        self._gate.never_idle()  # the model may have been compiled anew
        self._gate.budget.begin()
        with self._recorder.guarded():
            self._prepare(model)

    def _prepare(self, model: Any) -> None:
        strategy = model.distribute_strategy
        replicas.refuse(strategy)
        optimizers = self._optimizers = _optimizers(model)
        describe = self._recorder.describe
        known = {**facts.model_facts(model), **facts.optimizer_facts(optimizers), **facts.loss_facts(model)}
        known |= replicas.facts(strategy)
        describe(self._step, "facts", {**known, "gradients": "used", "versions": facts.versions()})
        self._recorder.adopt_preflight(model)
        if self._twin is None or self._twin.plain is not model.train_function:
            self._pipeline.flush()
            self._twin, self._traced = RecordingTrainFunction(model, optimizers, self._take), False
        elif self._traced:  # `trainable` may have changed, whatever the traced functions go on doing
            items = facts.variable_items(measured_variables(model), model, optimizers)
            describe(self._step, "variables", {"items": items})

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Puts the recording function in place for a step that is due."""
        gate, recorder = self._gate, self._recorder
        self._idle = self._step + 1 < gate.idle_until
        if self._idle:
            return
        entered, due = time.perf_counter(), False
        if self._twin is not None and not recorder.off:
            several = range(1, self.model.steps_per_execution + 1)
            due = True in [gate.due(self._step + i) for i in several]  # each must be asked
            if due:
                self.model.train_function, self._taken = self._recording, self._step
        self._first_batch = batch
        gate.budget.add_row_cost(time.perf_counter() - entered)
        gate.begin_step(recording=due, background_idle=self._pipeline.idle)

    def _recording(self, iterator: Any) -> Any:
        twin = self._twin
        assert twin is not None
        self.model.train_function = twin.plain
        stood = 0 if self._traced else self._stands()
        try:
            return twin.call(iterator, self._left())
        except (tf.errors.OutOfRangeError, StopIteration):
            raise
        except Exception as error:
            # The user's own program may fail so, or our tracing of it; if nothing was updated yet, the user's goes on
            # without us. Run eagerly it is not traced: then the error is the user's, of this very batch.
            if self._traced or self.model.run_eagerly or self._stands() != stood:
                raise
            logs = twin.plain(iterator)
            self._recorder.fail(error)
            return logs

    def _take(self, left: Any) -> None:
        """Measures a step of the twin, right after it."""
        twin, recorder = self._twin, self._recorder
        assert twin is not None
        self._taken += 1
        if recorder.off:
            return
        with recorder.guarded():
            if twin.fault is not None:
                raise twin.fault
            reading = twin.export.reading(left)
            if not self._traced and self._taken == self._step + 1:
                self._describe(twin, reading.data)
            self._pipeline.submit(self._taken, reading)

    def _left(self) -> int | None:
        """Returns how many batches of the epoch are left, if that is known."""
        epoch = (self.params or {}).get("steps")
        return None if epoch is None else epoch - self._first_batch

    def _stands(self) -> int:
        return sum(int(leaf.iterations.numpy()) for one in self._optimizers for leaf in base_optimizers(one))

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Counts the steps and, at the end of a burst, brings its rows in."""
        gate = self._gate
        if self._idle:
            self._step += 1
            if time.perf_counter() >= gate.next_check_at:
                with self._recorder.guarded():
                    self._pipeline.write_if_due(self._step)
            return
        now = time.perf_counter()
        # With steps_per_execution the last index may lie beyond the epoch's end.
        steps = batch - self._first_batch + 1 if NAMES_LAST else self.model.steps_per_execution
        left = self._left()
        steps = steps if left is None else min(steps, left)
        with self._recorder.guarded():
            self._recorded(steps, now) if gate.recording else self._plain(steps, now)
            self._pipeline.write_if_due(self._step)
        gate.budget.add_row_cost(time.perf_counter() - now)

    def _plain(self, steps: int, now: float) -> None:
        self._step += steps
        if self.model.steps_per_execution == 1:
            self._gate.not_recorded(self._step)
        if self._new:
            self._new = False
            if self._traced:  # so this one was as well, and of the two the user's training alone needs only one
                self._gate.charge_once(now)
                return
        self._gate.end_step(now, steps)

    def _recorded(self, steps: int, now: float) -> None:
        self._step += steps
        if self._traced:
            self._gate.end_step(now, steps)
        else:
            self._traced = True
            if not self._new:  # else it takes the place of the user's own, which comes later and is charged then
                self._gate.charge_once(now)  # nearly all of it is tracing
        if not self._gate.due(self._step + 1):
            self._pipeline.schedule_flush()

    def _describe(self, twin: RecordingTrainFunction, data: Mapping[str, Any]) -> None:
        describe, export, step = self._recorder.describe, twin.export, self._step
        describe(step, "variables", {"items": export.items})
        describe(step, "layers", {"items": [item for _, item in export.layers]})
        describe(step, "facts", export.shapes)
        describe(step, "facts", facts.model_facts(self.model))
        for found in feature_records(*(export.structured(data, name) for name in ("x", "y"))):
            describe(step, "features", found)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Ends the launch; a further `fit` of the same model goes on with it."""
        with self._recorder.guarded():
            self._recorder.end("completed")


def _optimizers(model: Any) -> list[Any]:
    """Returns the optimizer that the model was compiled with, and others that it holds (own train steps, GANs)."""
    held = [v for v in vars(model).values() if isinstance(v, keras.optimizers.Optimizer)]
    own = [model.optimizer] if getattr(model, "optimizer", None) is not None else []
    return list({id(one): one for one in [*own, *held]}.values())
