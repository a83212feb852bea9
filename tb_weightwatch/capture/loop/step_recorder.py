"""What stands behind `Watch`: the open step with its snapshot, and the rows of steps that are over."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ...statistics import NOT_OBSERVED, VariableStep
from ..measure.pipeline import MeasurementPipeline
from ..measure.step_measurer import StepData
from ..observe import model_facts as facts
from ..observe.batch_features import feature_records
from ..observe.observation import base_optimizers, current_value
from ..recorder import Recorder
from .hooks import EagerStepObservation, LoopHooks
from .targets import WatchTargets

REMEMBERED = 8  # rows after which the optimizer's own memory is looked at
Data = dict[str, Any]  # "x", "y", "y_pred": as given, or None


class LoopStepRecorder:
    """Opens a step that is to be recorded, measures it when it is over, keeps its numbers until the host reads them."""

    def __init__(self, watched: WatchTargets, recorder: Recorder) -> None:
        self.watched, self._recorder = watched, recorder
        self.steps = MeasurementPipeline(recorder)
        self._sight = LoopHooks(self._began)
        self._before: dict[int, Any] = {}  # weights at the start of the open step
        self._stood: dict[str, Any] = {}  # where the optimizers stood at the start of the open step
        self._ended: tuple[dict[int, Any], dict[str, Any]] | None = None  # the same, at the end of the step just over
        self._gradients = ""  # "used", "raw" or "none", as last described
        self._rows = 0  # recorded so far

    # -- the open step

    def open(self) -> None:
        """Gets ready to record the step that begins."""
        if self._ended is None:
            self.watched.refresh(self._sight)
        after, stood = self._ended or ({}, self._stand())  # nothing has run since
        self._sight.observation = EagerStepObservation()
        self._before = {k: after[k] if k in after else current_value(v) for k, v in self.watched.trained.items()}
        self._stood, self._ended = stood, None

    def shut(self) -> None:
        """Lets go: the step that begins is not recorded."""
        self._sight.observation = self._ended = None
        self._before = {}

    def remove(self) -> None:
        """Takes all hooks off the user's objects."""
        self.shut()
        self._sight.remove()

    def _began(self, seen: EagerStepObservation, forward: bool) -> None:
        """In the first step, weights may have been made, or loaded, since the Watch was."""
        if not self._rows and not seen.optimizer_applied:
            self.watched.refresh(self._sight)
            trained = self.watched.trained.items()
            self._before |= {k: current_value(v) for k, v in trained if forward or k not in self._before}

    def _stand(self) -> dict[str, Any]:
        """Returns the optimizers' counts, the loss scale, and the count that a schedule goes by."""
        found: dict[str, Any] = {}
        counts = [getattr(leaf, "iterations", None) for leaf in self.watched.leaves]
        known = [_number(count) for count in counts if count is not None]
        if known and len(known) == len(counts):
            found["iterations"] = known[0] if len(known) == 1 else tf.add_n([tf.cast(n, tf.int64) for n in known])
        for one in self.watched.optimizers[:1]:
            leaf = base_optimizers(one)[0]
            # Until its first update a LossScaleOptimizer is not built, and scales by what it was made with.
            scale = getattr(one, "dynamic_scale" if getattr(one, "built", False) else "initial_scale", None)
            if scale is not None:
                found["loss_scale"] = _number(scale)
            if isinstance(getattr(leaf, "_learning_rate", None), keras.optimizers.schedules.LearningRateSchedule):
                # The former is not divided by accumulation; old Keras has the latter alone.
                count = leaf._iterations if hasattr(leaf, "_iterations") else leaf.iterations
                found["count"] = tf.identity(tf.convert_to_tensor(count))
        return found

    def _rate(self, seen: EagerStepObservation) -> Any:
        """Returns the learning rate that this step used, or None."""
        if seen.learning_rate is not None:
            return seen.learning_rate
        for leaf in self.watched.leaves[:1]:
            scheduled = "count" in self._stood
            return leaf._learning_rate(self._stood["count"]) if scheduled else getattr(leaf, "learning_rate", None)
        return None

    # -- its row

    def record(self, step: int, loss: Any, data: Data, pairs: dict[int, Any] | None) -> None:
        """Measures the step that has just ended."""
        recorder, watched = self._recorder, self.watched
        seen = self._sight.observation or EagerStepObservation()
        self._sight.observation = None
        if seen.fault is not None:
            raise seen.fault
        seen.freeze_forward()
        if len(watched.models) == 1:
            data = {n: seen.forward_data.get(n) if given is None else given for n, given in data.items()}
        watched.refresh(self._sight)
        outputs = seen.forward_outputs or {}
        for name in outputs:
            watched.use(name)
        watched.describe(recorder, step)
        self._describe(step, "used" if seen.gradients_used else "raw" if pairs else "none", data)
        names = dict(zip(watched.variables, (i["name"] for i in recorder.history.described("variables")), strict=True))
        after = {k: current_value(v) for k, v in watched.trained.items()}
        changes = {names[k]: self._change(seen, k, after[k], pairs or {}) for k in after}
        none = {names[k]: given for k, given in self._sight.none_gradients.items() if k in names}
        uses = {name: item["activation"] for name, item in watched.uses.items()}
        stands = self._stand()
        run = self._run(seen, loss, stands)
        data = {name: tf.nest.map_structure(_own, value) for name, value in data.items()}
        self.steps.take(step, StepData(tuple(names.values()), uses, changes, none, outputs, data, run))
        self._rows, self._ended = self._rows + 1, (after, stands)

    def _change(self, seen: EagerStepObservation, name: int, after: Any, pairs: dict[int, Any]) -> VariableStep:
        gradient: Any = NOT_OBSERVED
        raw: Any = NOT_OBSERVED
        if name in seen.gradients_given and seen.gradients_given[name] is None:
            gradient = None
        elif name in seen.gradients_used:
            gradient = seen.gradients_used[name]
            raw = seen.gradients_before_clipping.get(name)
            raw = None if raw is gradient else raw
        elif name in pairs:
            gradient = pairs[name]
        if isinstance(gradient, tf.Variable):
            gradient = tf.convert_to_tensor(gradient)
        return VariableStep(_own(gradient), self._before.get(name), after, raw)

    def _run(self, seen: EagerStepObservation, loss: Any, stands: dict[str, Any]) -> dict[str, Any]:
        told = {"loss": loss, "learning_rate": self._rate(seen), "loss_scale": self._stood.get("loss_scale")}
        run = {name: _number(_own(value)) for name, value in told.items() if value is not None}
        return run | ({"iterations": stands["iterations"]} if "iterations" in stands else {})

    def _describe(self, step: int, gradients: str, data: Data) -> None:
        recorder = self._recorder
        if gradients != self._gradients and (gradients != "none" or not self._gradients):
            self._gradients = gradients
            recorder.describe(step, "facts", {"gradients": gradients})
        if self._rows + 1 == REMEMBERED and self._gradients == "none":
            # Nobody shows gradients; whether there has been one at all is seen in what the optimizer keeps of them.
            state = facts.optimizer_state(self.watched.leaves, self.watched.trained)
            recorder.describe(step, "facts", {"optimizer_state": state} if state else {})
        if not self._rows:
            recorder.describe(step, "facts", facts.shape_facts(data["x"], data["y"], data["y_pred"]))
            for found in feature_records(data["x"], data["y"]):
                recorder.describe(step, "features", found)


def _own(value: Any) -> Any:
    """Returns what nobody can change while it is measured: a user may fill the same array again for the next step."""
    return np.array(value) if isinstance(value, np.ndarray) else value


def _number(value: Any) -> Any:
    return tf.convert_to_tensor(value)
