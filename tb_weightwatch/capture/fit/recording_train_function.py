"""A train function that runs the user's `train_step` and also returns its intermediate tensors.

It is called on recorded steps only, and hooks exist only during that call, so every other step is the user's own
program.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from ..legacy.objects import is_legacy, steps_per_execution
from ..legacy.train_step import as_called, not_converted
from ..observe.fault_guard import FaultGuard
from ..observe.observation import StepObservation
from ..observe.replicas import ReplicaObservations
from .graph_variables import SideVariables
from .hooks import fit_hooks
from .lifted_variables import LiftedVariables
from .logs_only import returning_logs_only
from .recorded_step import RecordedStep
from .step_layout import StepLayout, Tensors
from .step_outputs import StepOutputs
from .users_train_function import GRAPH_ITERATORS, is_traced_step_of_keras, trainable_since_tracing, without_optional
from .variables_made import VariablesMade


class RecordingTrainFunction:
    """Runs single steps of `model.fit` recorded.

    Args:
        model: a compiled Keras model whose train function has been made.
        optimizers: its optimizers, outermost ones.

    Attributes:
        users_function: the train function in whose place this one runs.
        has_run: whether a step has run to its end, and so has been traced.
        logs_only_has_run: whether one has without what only the recorder needs of it.
        users_code_runs: whether the user's step or data run, so that an exception may be the user's.
        once_traced_seconds: how long the user's `train_step` took to trace, with our hooks in it, if the first step was
            traced once where a plain `fit` traces it twice; else 0.
    """

    def __init__(self, model: Any, optimizers: list[Any]) -> None:
        self._model, self.users_function = model, model.train_function
        self._outputs = StepOutputs(model, optimizers)
        self._optimizers = optimizers
        self._layouts: list[StepLayout] = []  # one for each way in which the step has been traced
        self._fault: BaseException | None = None
        self._trainable_since_tracing = trainable_since_tracing(model, optimizers)
        self._replicas = ReplicaObservations(model.distribute_strategy, legacy=is_legacy(model))
        self._made, self.facts_of_first_step = VariablesMade(self._replicas.count, self._set_fault), dict[str, Any]()
        self._lifted, self.once_traced_seconds = LiftedVariables(self._set_fault), 0.0
        # Keras would average the results of several replicas, so their tensors leave the step through variables.
        self._replica_tensors = SideVariables() if self._replicas.count > 1 else None
        traced = getattr(model, "train_tf_function", None)  # of legacy Keras
        try:
            with self._recording_train_step():
                model.make_train_function(force=True)
            self._function = without_optional(model)
            self._logs_only = returning_logs_only(self._function)
        finally:
            model.train_function = self.users_function
            if is_legacy(model):
                model.train_tf_function = traced
        self._holds_weights = self._replicas.count == 1 and not is_legacy(model) and not model.run_eagerly
        self.users_code_runs = self.has_run = self.logs_only_has_run = False
        self._tracings = 0  # of the step

    @property
    def can_stand_in(self) -> bool:
        """Whether it has been traced, and may run steps that are not recorded."""
        replaced = self._model.train_function is not self.users_function
        return self.has_run and not replaced and self._replicas.count == 1 and is_traced_step_of_keras(self._model)

    @property
    def can_leave_out_results(self) -> bool:
        """Whether a step without what only the recorder needs is faster; XLA compiles it with all of its results."""
        return self.can_stand_in and not self._model.jit_compile

    def batches(self, iterator: Any, batches_left: int | None = None) -> Iterator[Any]:
        """Yields the arguments for `run`, one for each step of an execution; ends where the data end.

        A train function that is called beyond the end of the data fails, but may have counted a step before it does.

        Args:
            iterator: the argument of the train function.
            batches_left: how many batches the iterator still has; None if that is not known.
        """
        steps = steps_per_execution(self._model)
        if batches_left is not None or steps == 1 or not isinstance(iterator, GRAPH_ITERATORS):
            for _ in range(steps if batches_left is None else min(steps, batches_left)):
                yield iterator
            return
        for step in range(steps):
            self.users_code_runs = True  # what the data raise is the user's
            batch = iterator.get_next_as_optional()
            has_value = bool(batch.has_value())
            batch = [batch.get_value()] if has_value else iterator
            self.users_code_runs = False
            if has_value:
                yield batch
            elif step == 0:
                yield iterator  # fails as the user's own function would
            else:
                return

    def run(self, batch: Any, *, read: bool = True, logs_only: bool = False) -> RecordedStep:
        """Runs one step in place of the user's train function. Exceptions of the user's step are raised as they are.

        Whatever fails of ours, the user's step runs once.

        Args:
            batch: one that `batches` yields.
            read: whether the tensors of the step are read; if not, the step has only logs.
            logs_only: it is not read and runs without what only the recorder needs, which has to be traced once.
        """
        context, held = contextlib.ExitStack(), None
        function = self._logs_only if logs_only else self._function
        with FaultGuard(self._set_fault):
            held = self._outputs.hold_weights() if read and self._holds_weights else None
            if not (self.has_run or is_legacy(self._model)):
                context.enter_context(self._lifted.lifted(self._model, self._optimizers))
            context.enter_context(self._recording_train_step())
            context.enter_context(self._made.noted())
        self.users_code_runs = True
        try:
            result = function(batch)
        finally:
            with FaultGuard(self._set_fault):
                context.close()
        self.users_code_runs, self.has_run = False, True
        self.logs_only_has_run |= logs_only
        layout = data = None
        is_recorded = isinstance(result, dict) and "layout" in result  # else the user's own train step has run
        if not read:
            return RecordedStep(result["logs"] if is_recorded else result, None, None, self._fault)
        with FaultGuard(self._set_fault):
            self.facts_of_first_step = self.facts_of_first_step or self._made.untracked(self._model, self._optimizers)
            for key, tensors in (result["layout"] if is_recorded else {}).items():  # none after a fault while tracing
                side_tensors = self._replica_tensors.read() if self._replica_tensors else {}
                layout = self._layouts[int(key)]
                before = held.tensors(layout.held) if held else {}
                data = layout.unpack({**tensors, **before, **side_tensors, **self._outputs.branch_tensors()})
        return RecordedStep(result["logs"] if is_recorded else result, layout, data, self._fault)

    @contextlib.contextmanager
    def _recording_train_step(self) -> Iterator[None]:
        """Replaces the model's `train_step` by the recorded one, and an execution of several steps by one of one."""
        # Keras 3.15 binds train_step when the function is made, older versions look it up while tracing. So it is
        # replaced in both cases, and only for as long.
        model = self._model
        own, original = model.__dict__.get("train_step"), model.train_step
        steps = steps_per_execution(model)
        self._replicas.clear()
        model.__dict__["train_step"] = not_converted(lambda data: self._recorded_train_step(original, data))
        model.steps_per_execution = 1
        try:
            yield
        finally:
            model.steps_per_execution = steps
            if own is None:
                model.__dict__.pop("train_step", None)
            else:
                model.__dict__["train_step"] = own

    def _recorded_train_step(self, train_step: Callable[[Any], Any], data: Any) -> Any:
        """Runs while the step is traced; its result names the layout, so each compiled step is read in its own."""
        context = contextlib.ExitStack()
        observation = None
        with FaultGuard(self._set_fault):
            observation = self._observed(data, context)
        step, began = train_step, time.perf_counter()
        with FaultGuard(self._set_fault):
            step = as_called(self._model, train_step)
        try:
            result = step(data)
        finally:
            with FaultGuard(self._set_fault):
                context.close()
                self._lifted.end_step()
                self._note_tracing(time.perf_counter() - began)
        layout: dict[str, Tensors] = {}
        with FaultGuard(self._set_fault):
            if observation is not None:
                observation.train_step_result = result
                layout = self._replicas.when_all_are_done(self._pack)
        return {"logs": result, "layout": layout}

    def _note_tracing(self, seconds: float) -> None:
        self._tracings += 1
        is_spared = self._tracings == 1 and self._lifted.count and not tf.executing_eagerly()
        self.once_traced_seconds = seconds if is_spared else 0.0

    def _observed(self, data: Any, context: contextlib.ExitStack) -> StepObservation:
        """Begins the observation of a step; `context` is closed when the step is over."""
        observation, outputs = self._replicas.new_observation(), self._outputs
        layer_names: dict[int, str] = {}
        with observation.guard():
            outputs.read_before(observation, data)
            layer_names = outputs.layer_names()
        collector = outputs.branch_collector(observation)
        context.enter_context(self._trainable_as_traced())
        context.enter_context(fit_hooks(observation, self._model, self._optimizers, layer_names, collector))
        return observation

    def _pack(self, observation: StepObservation) -> dict[str, Tensors]:
        """Returns the key of the step's layout -> the tensors that are results of the step; {} after a fault."""
        results: dict[str, Tensors] = {}
        with observation.guard():
            layout, tensors = self._outputs.read_after(observation)
            if self._replica_tensors is None:
                results = {self._key(layout): tensors}
            else:
                self._replica_tensors.write(tensors)
                self._replica_tensors.mark_complete()
                results = {self._key(layout): {}}
        self._fault = self._fault or observation.fault
        return results

    def _key(self, layout: StepLayout) -> str:
        if tf.executing_eagerly():
            self._layouts.clear()  # an eager step is read before the next one runs
        if layout not in self._layouts:
            self._layouts.append(layout)
        return str(self._layouts.index(layout))

    @contextlib.contextmanager
    def _trainable_as_traced(self) -> Iterator[None]:
        """Lets the step see those variables as trainable that were so when the user's function was traced."""
        for variable in self._trainable_since_tracing:
            variable.trainable = False
        try:
            yield
        finally:
            for variable in self._trainable_since_tracing:
                variable.trainable = True

    def _set_fault(self, fault: BaseException | None) -> None:
        self._fault = self._fault or fault
