"""A train function that runs the user's `train_step` and also returns its intermediate tensors.

It is called on recorded steps only, and hooks exist only during that call, so every other step is the user's own
program.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ..legacy.objects import is_legacy, steps_per_execution
from ..legacy.train_step import as_called, not_converted
from ..measure.step_data import StepData
from ..observe.fault_guard import FaultGuard
from ..observe.observation import StepObservation, base_optimizers, variable_id
from ..observe.replicas import ReplicaObservations
from .graph_variables import SideVariables
from .hooks import fit_hooks
from .step_layout import StepLayout, Tensors
from .step_outputs import StepOutputs
from .variables_made import VariablesMade

_GRAPH_ITERATORS = (tf.data.Iterator, tf.distribute.DistributedIterator)


class RecordedStep(NamedTuple):
    """One step that has run.

    Attributes:
        logs: what the user's train function returns for it.
        layout: describes the variables and layers of the step; None after a fault.
        data: the tensors of the step; None after a fault.
        fault: the first exception of the recorder's own code in this train function.
    """

    logs: Any
    layout: StepLayout | None
    data: StepData | None
    fault: BaseException | None

    def read(self) -> tuple[StepLayout, StepData]:
        """Returns layout and data; raises the fault if there is one."""
        if self.fault is not None:
            raise self.fault
        if self.layout is None or self.data is None:
            raise RuntimeError("the recorded step returned no tensors")
        return self.layout, self.data


class RecordingTrainFunction:
    """Runs single steps of `model.fit` recorded.

    Args:
        model: a compiled Keras model whose train function has been made.
        optimizers: its optimizers, outermost ones.
    """

    def __init__(self, model: Any, optimizers: list[Any]) -> None:
        self._model, self.users_function = model, model.train_function
        self._outputs = StepOutputs(model, optimizers)
        self._optimizers = optimizers
        self._layouts: list[StepLayout] = []  # one for each way in which the step has been traced
        self._fault: BaseException | None = None
        self._trainable_since_tracing = _trainable_since_tracing(model, optimizers)
        self._replicas = ReplicaObservations(model.distribute_strategy, legacy=is_legacy(model))
        self._made, self.facts_of_first_step = VariablesMade(self._replicas.count), dict[str, Any]()
        # Keras would average the results of several replicas, so their tensors leave the step through variables.
        self._replica_tensors = SideVariables() if self._replicas.count > 1 else None
        traced = getattr(model, "train_tf_function", None)  # of legacy Keras
        try:
            with self._recording_train_step():
                model.make_train_function(force=True)
            self._function = _without_optional(model)
        finally:
            model.train_function = self.users_function
            if is_legacy(model):
                model.train_tf_function = traced

    def batches(self, iterator: Any, batches_left: int | None = None) -> Iterator[Any]:
        """Yields the arguments for `run`, one for each step of an execution; ends where the data end.

        A train function that is called beyond the end of the data fails, but may have counted a step before it does.

        Args:
            iterator: the argument of the train function.
            batches_left: how many batches the iterator still has; None if that is not known.
        """
        steps = steps_per_execution(self._model)
        if batches_left is not None or steps == 1 or not isinstance(iterator, _GRAPH_ITERATORS):
            for _ in range(steps if batches_left is None else min(steps, batches_left)):
                yield iterator
            return
        for step in range(steps):
            batch = iterator.get_next_as_optional()
            if bool(batch.has_value()):
                yield [batch.get_value()]
            elif step == 0:
                yield iterator  # fails as the user's own function would
            else:
                return

    def run(self, batch: Any) -> RecordedStep:
        """Runs one step in place of the user's train function. Exceptions of the user's step are raised as they are."""
        with self._recording_train_step(), self._made.noted():
            result = self._function(batch)
        layout = data = None
        with FaultGuard(self._set_fault):
            self.facts_of_first_step = self.facts_of_first_step or self._made.untracked(self._model, self._optimizers)
            for key, tensors in result["layout"].items():  # none after a fault while tracing
                side_tensors = self._replica_tensors.read() if self._replica_tensors else {}
                layout = self._layouts[int(key)]
                data = layout.unpack({**tensors, **side_tensors, **self._outputs.branch_tensors()})
        return RecordedStep(result["logs"], layout, data, self._fault)

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
        observation, outputs = self._replicas.new_observation(), self._outputs
        layer_names: dict[int, str] = {}
        with observation.guard():
            outputs.read_before(observation, data)
            layer_names = outputs.layer_names()
        collector = outputs.branch_collector(observation)
        hooks = fit_hooks(observation, self._model, self._optimizers, layer_names, collector)
        with self._trainable_as_traced(), hooks:
            observation.train_step_result = result = as_called(self._model, train_step)(data)
        return {"logs": result, "layout": self._replicas.when_all_are_done(self._pack)}

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
        self._set_fault(observation.fault)
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


def _without_optional(model: Any) -> Callable[[Any], Any]:
    """Returns the model's train function, of one step, such that its results are not wrapped in an Optional.

    Keras puts the results into one Optional, and TensorFlow's optimizer then infers all of their shapes once for each
    of them: for 500 tensors that took three times as long as all other tracing. A train function also takes a list of
    batches, and then does without the Optional.
    """
    function: Callable[[Any], Any] = model.train_function
    names = ("make_train_function", "_make_function")
    own = [getattr(getattr(model, n, None), "__func__", None) is not getattr(keras.Model, n, model) for n in names]
    # Before Keras 3.7 the train function is itself a tf.function, which uses no Optional and takes no list.
    if model.run_eagerly or any(own) or hasattr(function, "get_concrete_function"):
        return function
    step = tf.function(lambda iterator: function([iterator.get_next()]), autograph=False, reduce_retracing=True)
    return lambda iterator: (step if isinstance(iterator, _GRAPH_ITERATORS) else function)(iterator)


def _trainable_since_tracing(model: Any, optimizers: list[Any]) -> list[Any]:
    """Returns the variables that became trainable after the user's function was traced, which trains without them."""
    if is_legacy(model):  # whose `fit` itself trains what was trainable when the model was compiled
        return []
    bases = [base for optimizer in optimizers for base in base_optimizers(optimizer)]
    optimized = {variable_id(v) for base in bases for v in getattr(base, "_trainable_variables", ())}
    built = bool(optimized) and all(getattr(base, "built", False) for base in bases)
    if model.run_eagerly or not built or not any(int(base.iterations.numpy()) for base in bases):
        return []
    return [v for v in model.trainable_variables if variable_id(v) not in optimized]
