"""Makes the variables of an optimizer and of metrics outside of the graph of the first step.

Keras makes them while the first step is traced, and TensorFlow traces a function once more if variables were made while
it was traced. So a plain `fit` of a new model traces its step twice, and uses the second graph. Here the variables are
made in the same order and with the same values, but not in the graph, and the step is traced once. What is saved is
more than what recording adds to the first step.

Only the making of a variable is moved. A builder that adds other operations to the graph (that of `ScheduleFreeAdamW`
assigns values) adds them to the first graph only, so TensorFlow has to trace the step again, as without the recorder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf

from ..observe.fault_guard import FaultGuard
from ..observe.method_hooks import CallHook, Hooks
from ..observe.observation import base_optimizers


class LiftedVariables:
    """Lifts the variables that Keras makes in the first step out of the graph that is being traced.

    Args:
        failed: called with an exception of ours; the variable is then made as without the recorder.

    Attributes:
        count: variables that were lifted.
    """

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed, self.count = failed, 0
        self._graph_versions: list[int] = []  # when each call of `build` that is running has begun

    @contextlib.contextmanager
    def lifted(self, model: Any, optimizers: Iterable[Any]) -> Iterator[None]:
        """Lifts the variables that are made inside.

        Args:
            model: a compiled model of Keras 3, without a strategy that distributes it.
            optimizers: its optimizers, outermost ones.
        """
        hooks = Hooks()
        try:
            with FaultGuard(self._failed):
                for builder in _builders(model, optimizers):
                    hooks.put(builder, "build", CallHook(lambda: self, self._failed, _begin, _end, self._end_raised))
            with tf.variable_creator_scope(self._make):
                yield
        finally:
            hooks.remove()

    def _make(self, next_creator: Callable[..., Any], **arguments: Any) -> Any:
        """Makes a variable; it is called for each one that is made inside."""
        variable = None
        if self._graph_versions and not tf.executing_eagerly() and callable(arguments.get("initial_value")):
            with contextlib.suppress(Exception), tf.init_scope():  # its value may need a tensor of the graph
                variable = next_creator(**{**arguments, "experimental_enable_variable_lifting": False})
                self.count += 1
        return next_creator(**arguments) if variable is None else variable

    def begin_build(self) -> None:
        """Notes that a builder begins to make its variables."""
        self._graph_versions.append(tf.compat.v1.get_default_graph().version)

    def end_build(self) -> None:
        """Notes that a builder has made its variables; has TensorFlow trace the step again if it did anything else."""
        began = self._graph_versions.pop()
        if not self._graph_versions and tf.compat.v1.get_default_graph().version != began:
            tf.Variable(0.0, trainable=False, name="traced_again")

    def _end_raised(self, error: BaseException) -> None:
        self._graph_versions.clear()


def _begin(lifted: LiftedVariables, call: Any) -> None:
    lifted.begin_build()


def _end(lifted: LiftedVariables, call: Any, result: Any) -> None:
    lifted.end_build()


def _builders(model: Any, optimizers: Iterable[Any]) -> list[Any]:
    """Returns what makes variables in its own first step by a method of Keras.

    An optimizer around others, as for loss scaling, is not among them: what is read of it before a step is there only
    once it has been built, so that its step has to be traced again.
    """
    single = [optimizer for optimizer in optimizers if [*base_optimizers(optimizer)] == [optimizer]]
    owners = [*single, getattr(model, "_compile_loss", None), getattr(model, "_compile_metrics", None)]
    return [owner for owner in owners if not getattr(owner, "built", True) and _is_of_keras(owner)]


def _is_of_keras(owner: Any) -> bool:
    return str(getattr(type(owner).build, "__module__", "")).split(".")[0] == "keras"
