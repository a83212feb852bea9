"""What an eager step of a hand-written loop shows: hooks on the user's instances that stay until the Watch is closed.

Inside a traced function each hook hands through what it got and adds nothing to the graph; it notes, in Python, for
which variables backpropagation gave no gradient, since that is known while tracing and nowhere later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from ..observe.method_hooks import CallHook, Hooks, MethodCall
from ..observe.observation import StepObservation, base_optimizers, clips, unclipped, variable_id


class EagerStepObservation(StepObservation):
    """References gathered during one eager step; nothing is computed before the step is over."""

    def __init__(self) -> None:
        super().__init__(None)
        self.rate: Any = None  # learning rate as the optimizer used it
        self.held: dict[str, Any] | None = None  # outputs of the last forward pass before an update
        self.held_data: dict[str, Any] = {}

    def settle(self) -> None:
        """Says that an update begins: forward passes from here on are not those that it came from."""
        if self.held is None:
            self.held, self.held_data = self.outputs, dict(self.data)
        else:
            self.held = {**self.held, **self.outputs}
        self.outputs = {}


class LoopHooks:
    """Keeps the hooks, and the step that is looked at (None: it is not recorded, and hooks only hand through).

    Args:
        before_update: called in an eager step when a forward pass (True) or an update (False) begins.
    """

    def __init__(self, before_update: Callable[[EagerStepObservation, bool], None]) -> None:
        self.seen: EagerStepObservation | None = None
        self._traced = EagerStepObservation()  # stands for what a traced function shows
        self.none: dict[int, bool] = {}  # id of variable -> backpropagation gave None, as last traced
        self._before_update = before_update
        self._hooks = Hooks()
        self._clipped: dict[int, list[Any]] = {}  # id of optimizer -> the variables it is about to clip gradients of
        self._hooked: set[tuple[int, str]] = set()

    def install(self, models: Iterable[Any], optimizers: Iterable[Any], uses: list[tuple[Any, Any, str]]) -> None:
        """Puts hooks on what has none yet; `uses`: model, layer, and the name under which its output is kept."""
        for optimizer in optimizers:
            if isinstance(optimizer, keras.optimizers.Optimizer):
                self._put(optimizer, "apply", self._apply, traced=True)
                for leaf in base_optimizers(optimizer):
                    self._put(leaf, "_backend_update_step", _update)
                    self._put(leaf, "_backend_apply_gradients", self._note)
                    self._put(leaf, "_clip_gradients", self._clip)
        for model in models:
            names = {name for owner, _, name in uses if owner is model}
            self._put(model, "call", partial(self._forward, names), _predicted)
        for _, layer, name in uses:
            self._put(layer, "call", after=partial(_output, name))

    def remove(self) -> None:
        """Takes all hooks off."""
        self.seen = None
        self._hooks.remove()

    def _put(
        self,
        instance: Any,
        name: str,
        before: Callable[[Any, MethodCall], None] | None = None,
        after: Callable[[Any, MethodCall, Any], None] | None = None,
        *,
        traced: bool = False,
    ) -> None:
        def look() -> EagerStepObservation | None:
            if tf.executing_eagerly():
                # A replica shows but its part; what belongs to the step is handed over.
                return self.seen if tf.distribute.get_strategy().num_replicas_in_sync == 1 else None
            return self._traced if traced else None

        if (id(instance), name) not in self._hooked and hasattr(instance, "__dict__"):
            self._hooked.add((id(instance), name))
            self._hooks.put(instance, name, CallHook(look, before, after), listed=traced)

    def _apply(self, seen: EagerStepObservation, call: MethodCall) -> None:
        variables = call.get(1, "trainable_variables")
        if variables is None:
            variables = getattr(call.owner, "_trainable_variables", ())
        pairs = list(zip(call.get(0, "grads"), variables, strict=False))
        if seen is self._traced:
            self.none.update((variable_id(v), g is None) for g, v in pairs)
            return
        with tf.init_scope():
            self._before_update(seen, False)
        seen.applied = True
        seen.settle()
        seen.handed.update((variable_id(v), g) for g, v in pairs)

    def _forward(self, names: set[str], seen: EagerStepObservation, call: MethodCall) -> None:
        with tf.init_scope():
            self._before_update(seen, True)
        seen.outputs = {k: v for k, v in seen.outputs.items() if k.partition("#")[0] not in names}

    def _note(self, seen: EagerStepObservation, call: MethodCall) -> None:
        if len(call.args) > 1:
            self._clipped[id(call.owner)] = list(call.args[1])

    def _clip(self, seen: EagerStepObservation, call: MethodCall) -> None:
        variables = self._clipped.pop(id(call.owner), [])
        if call.args and clips(call.owner):
            seen.unclipped |= unclipped(call.owner, call.args[0], variables)


def _predicted(seen: EagerStepObservation, call: MethodCall, output: Any) -> None:
    inputs = call.args[0] if call.args else next(iter(call.kwargs.values()), None)
    seen.data = {"x": inputs, "y_pred": output}


def _update(seen: EagerStepObservation, call: MethodCall) -> None:
    if len(call.args) > 2:
        seen.used.update((variable_id(v), g) for g, v in zip(call.args[0], call.args[1], strict=False))
        seen.rate = call.args[2]


def _output(name: str, seen: EagerStepObservation, call: MethodCall, output: Any) -> None:
    if tf.is_tensor(output):
        seen.output(name, output)
