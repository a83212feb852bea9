"""The recording twin of a model's train function: the user's own step, from which what it computes leaves as well.

Only recorded steps call it, and hooks live only inside that call, so every other step is the user's own program.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from ..observe.observation import StepObservation, base_optimizers, variable_id
from ..observe.replicas import Replicas
from .graph_variables import SideVariables
from .hooks import fit_hooks
from .step_outputs import StepOutputs


class RecordingTrainFunction:
    """Runs steps of `model.fit` recorded.

    Args:
        model: a compiled Keras model whose train function has been made.
        optimizers: its optimizers, outermost ones.
        take: gets what has left each step.
    """

    def __init__(self, model: Any, optimizers: list[Any], take: Callable[[Any], None]) -> None:
        self.model, self.plain = model, model.train_function
        self.fault: BaseException | None = None
        self.export = StepOutputs(model, optimizers)
        self._late = _late(model, optimizers)
        self._take = take
        self._replicas = Replicas(model.distribute_strategy)
        self._shelf = SideVariables() if self._replicas.in_sync > 1 else None
        try:
            self._inside(lambda: model.make_train_function(force=True))
            self._function = _direct(model)
        finally:
            model.train_function = self.plain

    def call(self, iterator: Any, left: int | None = None) -> Any:
        """Runs the recording function in place of the user's, and puts the user's back whatever happens.

        An execution of several steps is run step by step.

        Args:
            iterator: what the train function gets.
            left: how many batches it still has, if that is known.
        """
        several, logs = self.model.steps_per_execution, None
        for batch in _batches(iterator, several if left is None else min(several, left), left is None):
            result = self._inside(lambda batch=batch: self._function(batch))  # type: ignore[misc]
            logs = result["logs"]
            self._take({**result["left"], **(self._shelf.read() if self._shelf else {})})
        return logs

    def _inside(self, run: Callable[[], Any]) -> Any:
        # Keras 3.15 binds train_step when the function is made, older versions look it up while tracing: so it stands
        # in both cases, and only as long.
        own, several = self.model.__dict__.get("train_step"), self.model.steps_per_execution
        original = self.model.train_step
        self._replicas.start()
        self.model.__dict__["train_step"] = lambda data: self._recorded(original, data)
        self.model.steps_per_execution = 1
        try:
            return run()
        finally:
            self.model.steps_per_execution = several
            if own is None:
                self.model.__dict__.pop("train_step", None)
            else:
                self.model.__dict__["train_step"] = own

    def _recorded(self, train_step: Callable[[Any], Any], data: Any) -> Any:
        frame, export = self._replicas.frame(), self.export
        with frame.guard():
            export.begin(frame, data)
        hooks = fit_hooks(frame, self.model, export.optimizers, export.layer_names, export.in_branch(frame))
        with self._as_compiled(), hooks:
            frame.result = result = train_step(data)
        left: dict[str, Any] = {}
        self._replicas.finish(lambda whole: self._end(whole, left))
        return {"logs": result, "left": left}

    @contextlib.contextmanager
    def _as_compiled(self) -> Iterator[None]:
        """Lets the step see as trainable what was so when it was first traced."""
        for variable in self._late:
            variable.trainable = False
        try:
            yield
        finally:
            for variable in self._late:
                variable.trainable = True

    def _end(self, frame: StepObservation, left: dict[str, Any]) -> None:
        with frame.guard():
            found = self.export.end(frame)
            if self._shelf is None:
                left.update(found)
            else:  # results of replicas would be averaged
                self._shelf.put(found)
                self._shelf.done()
        self.fault = self.fault or frame.fault


def _direct(model: Any) -> Callable[[Any], Any]:
    """Returns the model's train function, of one step, with what that returns handed over directly.

    Keras puts it into one Optional, and TensorFlow's optimizer then infers all of its shapes once for each of them: for
    500 tensors that took three times as long as all other tracing. A train function takes a list of batches as well.
    """
    function: Callable[[Any], Any] = model.train_function
    names = ("make_train_function", "_make_function")
    own = [getattr(getattr(model, n, None), "__func__", None) is not getattr(keras.Model, n, model) for n in names]
    # Of Keras before 3.7 the function is a traced one by itself, and knows neither Optionals nor lists.
    if model.run_eagerly or any(own) or hasattr(function, "get_concrete_function"):
        return function
    step = tf.function(lambda iterator: function([iterator.get_next()]), autograph=False, reduce_retracing=True)
    graphed = (tf.data.Iterator, tf.distribute.DistributedIterator)
    return lambda iterator: (step if isinstance(iterator, graphed) else function)(iterator)


def _late(model: Any, optimizers: list[Any]) -> list[Any]:
    """Returns variables that have become trainable after the user's function was traced, which goes on without them."""
    each = [leaf for one in optimizers for leaf in base_optimizers(one)]
    known = {variable_id(v) for leaf in each for v in getattr(leaf, "_trainable_variables", ())}
    begun = bool(known) and all(getattr(leaf, "built", False) for leaf in each)
    if model.run_eagerly or not begun or not any(int(leaf.iterations.numpy()) for leaf in each):
        return []
    return [v for v in model.trainable_variables if variable_id(v) not in known]


def _batches(iterator: Any, count: int, open_end: bool) -> Iterator[Any]:
    """Yields what to call a train function with, of one step, so many times; ends where the data end.

    A function that is called beyond the end fails, but may have counted a step before it does.
    """
    careful = open_end and count > 1 and isinstance(iterator, (tf.data.Iterator, tf.distribute.DistributedIterator))
    for number in range(count):
        if not careful:
            yield iterator
            continue
        batch = iterator.get_next_as_optional()
        if bool(batch.has_value()):
            yield [batch.get_value()]
        elif number == 0:
            yield iterator  # fails as the user's own function would
        else:
            return
