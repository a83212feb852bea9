"""Observes one recorded step of a hand-written loop, from a snapshot of the weights, hooks and what `step` is given."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ...statistics import NOT_OBSERVED, VariableStep
from ..measure.step_data import StepData
from ..observe import model_facts as facts
from ..observe.batch_features import feature_records
from ..observe.observation import current_value
from ..observe.optimizer_facts import optimizer_state
from ..recorder import Recorder
from .hooks import EagerStepObservation, LoopHooks
from .made_anew import MadeAnew
from .optimizer_counters import (
    OptimizerCounters,
    all_base_optimizers,
    applied_iterations,
    learning_rate,
    optimizer_counters,
)
from .targets import WatchTargets

RELEASED_AT = (8, 64)  # rows at which is checked whether the program still holds its variables
OPTIMIZER_STATE_AT = 8  # rows after which the state of the optimizer shows whether there have been gradients
Data = dict[str, Any]  # "x", "y", "y_pred": as given, or None


class Snapshot(NamedTuple):
    """The state between two steps.

    Attributes:
        weights: id of variable -> its value.
        counters: of the optimizers.
    """

    weights: dict[int, Any]
    counters: OptimizerCounters


class LoopStepRecorder:
    """Takes a snapshot before a step that is to be recorded, and describes what the step did when it is over.

    Args:
        targets: what is watched.
        recorder: gets descriptions and facts.
        update_raised: called with an exception of an optimizer's `apply`.
    """

    def __init__(
        self, targets: WatchTargets, recorder: Recorder, update_raised: Callable[[BaseException], None]
    ) -> None:
        self._targets, self._recorder = targets, recorder
        self._hooks = LoopHooks(self._before_update, update_raised)
        self._before = Snapshot({}, OptimizerCounters())  # the start of the present step
        self._after: Snapshot | None = None  # the end of the step that was recorded last, if no other step followed
        self._gradient_source = ""  # "used", "raw" or "none", as described last
        self._count = 0  # steps recorded so far
        self._made_anew = MadeAnew()
        self._released = 0  # variables that the program no longer holds

    # -- before the step

    def begin_step(self) -> None:
        """Prepares for recording the step that begins."""
        if self._after is None:
            self._refresh()
        last = self._after or Snapshot({}, optimizer_counters(self._targets.optimizers))  # nothing has run since
        self._hooks.observation = EagerStepObservation()
        weights = last.weights
        measured = self._targets.measured.items()
        self._before = last._replace(weights={k: weights[k] if k in weights else current_value(v) for k, v in measured})
        if not self._count:
            self._made_anew.watched(self._targets.trained, self._before.weights)
        self._after = None

    def skip_step(self) -> None:
        """Releases what was observed: the step that begins is not recorded."""
        self._hooks.observation = self._after = None
        self._before = Snapshot({}, OptimizerCounters())

    def suspended(self) -> AbstractContextManager[None]:
        """Returns a context in which nothing is observed; after it weights and optimizers must be as they were."""
        return self._hooks.suspended()

    def remove_hooks(self) -> None:
        """Removes all hooks from the user's objects."""
        self.skip_step()
        self._hooks.remove()

    def raise_fault(self) -> None:
        """Raises what has failed in the hooks, if something has."""
        if self._hooks.fault is not None:
            raise self._hooks.fault

    def _refresh(self) -> None:
        if self._targets.refresh():
            self._hooks.install(self._targets.models, self._targets.optimizers, self._targets.layers)

    def _before_update(self, observation: EagerStepObservation, forward: bool) -> None:
        """Completes the snapshot of the first step: weights may have been made or loaded since the Watch was made."""
        if not self._count and not observation.optimizer_applied:
            self._refresh()
            weights = self._before.weights
            measured = self._targets.measured.items()
            weights |= {k: current_value(v) for k, v in measured if forward or k not in weights}

    # -- after the step

    def record(self, step: int, loss: Any, data: Data, gradients: dict[int, Any]) -> StepData:
        """Returns what is known of the step that has just ended.

        Args:
            step: number of the step.
            loss: its loss, or None.
            data: inputs, targets and predictions; what is None is taken from what the model did, if it is the only one.
            gradients: id of variable -> gradient, as given by the caller.
        """
        targets, observation = self._targets, self._end_observation()
        self._released += targets.drop_released() if self._count + 1 in RELEASED_AT else 0
        if len(targets.models) == 1:
            data = {k: observation.forward_data.get(k) if value is None else value for k, value in data.items()}
        self._refresh()
        outputs = observation.forward_outputs or {}
        for name in outputs:
            targets.add_layer_output(name)
        targets.describe(self._recorder, step)
        self._describe(step, "used" if observation.gradients_used else "raw" if gradients else "none", data)
        after = Snapshot(
            {key: current_value(v) for key, v in targets.measured.items()}, optimizer_counters(targets.optimizers)
        )
        self._describe_trained(step, after.weights, gradients)
        step_data = StepData(
            variables=tuple(targets.names.values()),
            layers={name: item["activation"] for name, item in targets.layer_outputs.items()},
            changes=self._changes(observation, after.weights, gradients),
            moving_statistics=targets.moving_statistics,
            none={targets.names[key]: none for key, none in self._hooks.none_gradients.items() if key in targets.names},
            outputs=outputs,
            data={name: tf.nest.map_structure(_copy, value) for name, value in data.items()},
            run=self._run(observation, loss, after.counters),
        )
        self._count, self._after = self._count + 1, after
        return step_data

    def _end_observation(self) -> EagerStepObservation:
        observation = self._hooks.observation or EagerStepObservation()
        self._hooks.observation = None
        self.raise_fault()
        observation.freeze_forward()
        return observation

    def _describe_trained(self, step: int, weights: dict[int, Any], gradients: dict[int, Any]) -> None:
        """Describes whether the program trains the variables that are watched, if something has changed."""
        targets, trained = self._targets, self._targets.trained
        given = {key: v for key, v in targets.own.given.items() if key in trained}
        anew = self._made_anew.observe(step, given, targets.own.new, weights, gradients)
        known: dict[str, Any] = {} if anew is None else {"made_anew": anew}
        if targets.replicas == 1:  # eager calls of a replica are not observed
            known |= self._hooks.calls.facts(len(targets.models), len(targets.optimizers), trained)
        if self._released and self._count + 1 in RELEASED_AT:
            known["released"] = self._released
        if known:
            self._recorder.describe(step, "facts", known)

    def _changes(
        self, observation: EagerStepObservation, after: dict[int, Any], gradients: dict[int, Any]
    ) -> dict[str, VariableStep]:
        changes = {}
        for key, weight in after.items():
            gradient, raw = _gradients(observation, key, gradients)
            old = self._targets.predecessors.get(key) if self._made_anew.carried else None
            before = self._before.weights.get(key if old is None else old)
            changes[self._targets.names[key]] = VariableStep(gradient, before, weight, raw)
        return changes

    def _run(self, observation: EagerStepObservation, loss: Any, after: OptimizerCounters) -> dict[str, Any]:
        rate, before = observation.learning_rate, self._before.counters
        values = {
            "loss": loss,
            "learning_rate": learning_rate(self._targets.optimizers, before) if rate is None else rate,
            "loss_scale": before.loss_scale,
            "iterations": applied_iterations(before, after),
        }
        return {name: tf.convert_to_tensor(_copy(value)) for name, value in values.items() if value is not None}

    def _describe(self, step: int, gradient_source: str, data: Data) -> None:
        describe = self._recorder.describe
        if gradient_source != self._gradient_source and (gradient_source != "none" or not self._gradient_source):
            self._gradient_source = gradient_source
            describe(step, "facts", {"gradients": gradient_source})
        if self._count + 1 == OPTIMIZER_STATE_AT and self._gradient_source == "none":
            # Gradients are not observed, but what the optimizer accumulates shows whether there have been any.
            state = optimizer_state(all_base_optimizers(self._targets.optimizers), self._targets.trained)
            describe(step, "facts", {"optimizer_state": state} if state else {})
        if not self._count:
            describe(step, "facts", facts.shape_facts(data["x"], data["y"], data["y_pred"]))
            for record in feature_records(data["x"], data["y"]):
                describe(step, "features", record)


def _gradients(observation: EagerStepObservation, key: int, given: dict[int, Any]) -> tuple[Any, Any]:
    """Returns the gradient of a variable as the optimizer used it, or else as given, and the one before clipping."""
    if observation.gradients_given.get(key, NOT_OBSERVED) is None:
        return None, NOT_OBSERVED
    gradient: Any = given.get(key, NOT_OBSERVED)
    raw: Any = NOT_OBSERVED
    if key in observation.gradients_used:
        gradient, raw = observation.gradients_used[key], observation.gradients_before_clipping.get(key)
        raw = None if raw is gradient else raw
    if isinstance(gradient, tf.Variable):
        gradient = tf.convert_to_tensor(gradient)
    return _copy(gradient), raw


def _copy(value: Any) -> Any:
    """Returns a copy of an array, since the caller may fill it again for the next step while it is measured."""
    return np.array(value) if isinstance(value, np.ndarray) else value
