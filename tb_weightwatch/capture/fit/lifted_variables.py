"""Makes the variables of an optimizer and of metrics outside of the graph of the first step.

Keras makes them while the first step is traced, and TensorFlow traces a function once more if variables were made while
it was traced. So a plain `fit` of a new model traces its step twice, and uses the second graph. Here the variables are
made in the same order and with the same values, but not in the graph, and the step is traced once. On five models the
first step, recorded, takes a quarter to a half less time than without the recorder.

It is done only if the first graph is the one that a second tracing would have given: no code of the user's is found in
the step (`keras_code`); only making a variable is moved; and if a builder adds other operations to the graph (that of
`ScheduleFreeAdamW` assigns values), or a random number of Python or NumPy was drawn, a variable is made in the graph,
and TensorFlow traces the step again.
"""

from __future__ import annotations

import contextlib
import pickle
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from ..observe.fault_guard import FaultGuard
from ..observe.method_hooks import CallHook, Hooks
from .keras_code import is_keras_code


class LiftedVariables:
    """Lifts the variables that Keras makes in the first step out of the graph that is being traced.

    Args:
        failed: called with an exception of ours; the variable is then made as without the recorder.

    Attributes:
        count: variables that were lifted.
    """

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed, self.count = failed, 0
        self._graph_versions: list[int] = []  # of the graph at the beginning of each `build` that is running
        self._random_state: tuple[Any, ...] = ()  # before the step, as long as that is traced for the first time

    @contextlib.contextmanager
    def lifted(self, model: Any, optimizers: Iterable[Any]) -> Iterator[None]:
        """Lifts the variables that are made inside, if the step is one that would be traced alike once more.

        Call it before other hooks are put on the model.

        Args:
            model: a compiled model of Keras 3.
            optimizers: its optimizers, outermost ones.
        """
        hooks, builders = Hooks(), list[Any]()

        def creator(next_creator: Callable[..., Any], **arguments: Any) -> Any:
            variable = None
            with FaultGuard(self._failed):
                variable = self._made_outside(next_creator, arguments)
            return next_creator(**arguments) if variable is None else variable

        try:
            with FaultGuard(self._failed):
                builders = _builders(model, list(optimizers))
                self._random_state = _random_state() if builders else ()
                for builder in builders:
                    hooks.put(builder, "build", CallHook(lambda: self, self._failed, _begin, _end, self._end_raised))
            with tf.variable_creator_scope(creator) if builders else contextlib.nullcontext():
                yield
        finally:
            hooks.remove()

    def end_step(self) -> None:
        """Has TensorFlow trace the step again if tracing it has drawn random numbers; call it inside the graph."""
        before, self._random_state = self._random_state, ()
        if self.count and before and _random_state() != before:
            _make_in_graph()

    def _made_outside(self, next_creator: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Returns a variable that a builder makes, made outside of the graph; None if it is made where it would be."""
        if not self._graph_versions or tf.executing_eagerly() or not callable(arguments.get("initial_value")):
            return None
        # Whatever fails here, such as an initial value that needs a tensor of the graph: it is made in the graph.
        with contextlib.suppress(Exception), tf.init_scope():
            variable = next_creator(**{**arguments, "experimental_enable_variable_lifting": False})
            self.count += 1
            return variable
        return None

    def begin_build(self) -> None:
        """Notes that a builder begins to make its variables."""
        self._graph_versions.append(tf.compat.v1.get_default_graph().version)

    def end_build(self) -> None:
        """Notes that a builder has made its variables; has TensorFlow trace the step again if it did anything else."""
        began = self._graph_versions.pop()
        if tf.compat.v1.get_default_graph().version != began:
            _make_in_graph()

    def _end_raised(self, error: BaseException) -> None:
        self._graph_versions = self._graph_versions[:-1]


def _begin(lifted: LiftedVariables, call: Any) -> None:
    lifted.begin_build()


def _end(lifted: LiftedVariables, call: Any, result: Any) -> None:
    lifted.end_build()


def _builders(model: Any, optimizers: list[Any]) -> list[Any]:
    """Returns what makes variables in its own first step; [] if the step might not be traced alike once more.

    An optimizer around others, as for loss scaling, is not among them: what is read of it before a step is there only
    once it has been built, so that its step has to be traced again.
    """
    single = [o for o in optimizers if not hasattr(o, "optimizers") and not hasattr(o, "inner_optimizer")]
    owners = [*single, getattr(model, "_compile_loss", None), getattr(model, "_compile_metrics", None)]
    builders = [owner for owner in owners if not getattr(owner, "built", True)]
    # A creator of the user's would see whether it is called in the graph.
    creators = getattr(tf.compat.v1.get_default_graph(), "_variable_creator_stack", ())
    distributed = tf.distribute.has_strategy() or getattr(model, "_distribute_strategy", None) is not None
    return [] if not builders or creators or distributed or not is_keras_code(model, optimizers) else builders


def _make_in_graph() -> None:
    tf.Variable(0.0, trainable=False, name="traced_again")


def _random_state() -> tuple[Any, ...]:
    """Returns the states of the global random generators of Python and NumPy."""
    return random.getstate(), pickle.dumps(np.random.get_state(legacy=False))
