"""Installs the observers for a hand-written loop. The hooks stay until the Watch is closed and observe eager calls.

Inside a traced function each hook passes its arguments through and adds nothing to the graph. It notes, in Python, the
variables for which backpropagation gave no gradient, since that is known while tracing and never later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from ..legacy.objects import is_legacy_optimizer
from ..legacy.update_hooks import GIVEN, update_hooks
from ..observe import observers
from ..observe.method_hooks import CallHook, Hooks, MethodCall
from ..observe.observation import StepObservation, base_optimizers, variable_id
from .observed_calls import ObservedCalls


class EagerStepObservation(StepObservation):
    """The tensors of one eager step. Nothing is computed before the step is over."""

    def __init__(self) -> None:
        super().__init__(None)
        self.forward_outputs: dict[str, Any] | None = None  # layer outputs of the last forward pass before an update
        self.forward_data: dict[str, Any] = {}  # inputs and predictions of that pass

    def freeze_forward(self) -> None:
        """Keeps the outputs of the forward passes so far. An update begins, and later passes do not belong to it."""
        if self.forward_outputs is None:
            self.forward_outputs, self.forward_data = self.layer_outputs, dict(self.data)
        else:
            self.forward_outputs = {**self.forward_outputs, **self.layer_outputs}
        self.layer_outputs = {}


class LoopHooks:
    """Installs and removes the hooks, and holds the observation of the open step.

    Attributes:
        observation: of the step that is recorded; None between recorded steps, when hooks only pass calls through.
        none_gradients: id of variable -> whether backpropagation gave None when `apply` was last traced.
        fault: the first exception of the observers; the user's calls go on.
        calls: what the watched models and optimizers were called for, in recorded steps and while functions are traced.

    Args:
        before_update: called in an eager step when a forward pass (True) or an update (False) begins.
        update_raised: called with an exception of an optimizer's `apply`, in a traced function as well.
    """

    def __init__(
        self,
        before_update: Callable[[EagerStepObservation, bool], None],
        update_raised: Callable[[BaseException], None],
    ) -> None:
        self.observation: EagerStepObservation | None = None
        self.none_gradients: dict[int, bool] = {}
        self.calls = ObservedCalls()
        self.fault: Exception | None = None
        self._traced = EagerStepObservation()  # stands for the calls inside a traced function
        self._before_update, self._update_raised = before_update, update_raised
        self._hooks, self._suspended = Hooks(), False
        self._hooked: set[tuple[int, str]] = set()

    def install(self, models: Iterable[Any], optimizers: Iterable[Any], layers: list[tuple[Any, Any, str]]) -> None:
        """Hooks the methods that are not hooked yet.

        Args:
            models: their `call` is hooked.
            optimizers: outermost ones.
            layers: model, layer, and the name of the layer's first use.
        """
        for optimizer in optimizers:
            if isinstance(optimizer, keras.optimizers.Optimizer):
                self._put(optimizer, "apply", self._gradients_given, traced=True)
                for base in base_optimizers(optimizer):
                    clipping = observers.ClippingObserver()
                    self._put(base, "_backend_update_step", observers.gradients_used)
                    self._put(base, "_backend_apply_gradients", clipping.before_apply)
                    self._put(base, "_clip_gradients", clipping.before_clipping)
            elif is_legacy_optimizer(optimizer):
                self._put(optimizer, GIVEN, self._gradients_given, traced=True)
                for base in base_optimizers(optimizer):
                    for hook in update_hooks(base):
                        self._put(base, hook.method, hook.before, hook.after)
        for model in models:
            names = {name for owner, _, name in layers if owner is model}
            self._put(model, "call", partial(self._forward_pass, names), self._forward_pass_ended, traced=True)
        for _, layer, name in layers:
            self._put(layer, "call", after=partial(observers.layer_output, name))

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Has the hooks only pass calls through inside the block."""
        self._suspended = True
        try:
            yield
        finally:
            self._suspended = False

    def remove(self) -> None:
        """Removes all hooks."""
        self.observation = None
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
        """Hooks a method once; `traced`: calls inside a traced function are observed as well, and exceptions."""

        def observation() -> EagerStepObservation | None:
            if self._suspended:
                return None
            if tf.executing_eagerly():
                # A replica observes only its part of the step, so the program must pass what belongs to the whole.
                return self.observation if tf.distribute.get_strategy().num_replicas_in_sync == 1 else None
            return self._traced if traced else None

        if (id(instance), name) not in self._hooked and hasattr(instance, "__dict__"):
            self._hooked.add((id(instance), name))
            raised = self._raised if traced else None
            hook = CallHook(observation, self._set_fault, before, after, raised)
            self._hooks.put(instance, name, hook, materialize=traced)

    def _set_fault(self, error: Exception) -> None:
        self.fault = self.fault or error

    def _raised(self, error: BaseException) -> None:
        if not self._suspended:
            self._update_raised(error)

    def _gradients_given(self, observation: EagerStepObservation, call: MethodCall) -> None:
        pairs = observers.given_pairs(call)
        self.calls.optimizer_called([v for _, v in pairs], traced=observation is self._traced)
        if observation is self._traced:
            self.none_gradients.update((variable_id(v), gradient is None) for gradient, v in pairs)
            return
        with tf.init_scope():
            self._before_update(observation, False)
        observation.freeze_forward()
        observers.gradients_given(observation, call)

    def _forward_pass(self, names: set[str], observation: EagerStepObservation, call: MethodCall) -> None:
        """Drops the outputs of the model's earlier passes: the last one before an update counts."""
        self.calls.model_called(traced=observation is self._traced)
        if observation is self._traced:
            return
        with tf.init_scope():
            self._before_update(observation, True)
        outputs = observation.layer_outputs.items()
        observation.layer_outputs = {name: x for name, x in outputs if name.partition("#")[0] not in names}

    def _forward_pass_ended(self, observation: EagerStepObservation, call: MethodCall, output: Any) -> None:
        if observation is not self._traced:
            inputs = call.args[0] if call.args else next(iter(call.kwargs.values()), None)
            observation.data = {"x": inputs, "y_pred": output}
