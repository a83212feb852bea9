"""Installs the observers for one step of `model.fit`, while the step's Python code runs: when it is traced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..legacy.objects import is_legacy
from ..legacy.update_hooks import GIVEN, update_hooks
from ..observe import observers
from ..observe.method_hooks import CallHook, Hooks, MethodCall
from ..observe.model_facts import has_own_train_step, loss_tracker
from ..observe.observation import StepObservation, base_optimizers, clips

BranchCollector = Callable[[list[Any], list[Any]], None]


@contextmanager
def fit_hooks(
    observation: StepObservation,
    model: Any,
    optimizers: Iterable[Any],
    layer_names: dict[int, str],
    branch_collector: BranchCollector,
) -> Iterator[None]:
    """Installs the hooks of one step and removes them at its end.

    Args:
        observation: is filled by the observers.
        model: its `compute_loss` and the `call` of its layers are hooked.
        optimizers: outermost ones.
        layer_names: id of layer -> name of its first use. Layers that are not listed are not hooked.
        branch_collector: called with gradients and variables if the optimizer updates inside a branch of the graph.
    """
    hooks = Hooks()
    try:
        with observation.guard():
            for optimizer in optimizers:
                _hook_optimizer(hooks, observation, optimizer, branch_collector)
            hooks.put(model, "compute_loss", _hook(observation, after=observers.loss_and_data))
            if observation.replica_count == 1 and has_own_train_step(model):
                _hook_own_step(hooks, observation, model)
            for layer in model._flatten_layers(include_self=False):
                if id(layer) in layer_names:
                    after = partial(_layer_output, layer_names[id(layer)])
                    hooks.put(layer, "call", _hook(observation, after=after))
        yield
    finally:
        hooks.remove()


def _hook(
    observation: StepObservation,
    before: Callable[[Any, MethodCall], None] | None = None,
    after: Callable[[Any, MethodCall, Any], None] | None = None,
) -> CallHook:
    """Returns a hook that observes the calls made by the observation's replica, which has a thread of its own."""
    observed = lambda: observation if threading.get_ident() == observation.thread else None  # noqa: E731
    return CallHook(observed, observation.set_fault, before, after)


def _hook_own_step(hooks: Hooks, observation: StepObservation, model: Any) -> None:
    """Hooks what a training step of one's own may call in the place of `compute_loss`."""
    hooks.put(model, "call", _hook(observation, after=observers.own_predictions))
    tracker = loss_tracker(model)
    if tracker is not None:
        hooks.put(tracker, "update_state", _hook(observation, before=observers.tracked_loss))


def _hook_optimizer(hooks: Hooks, observation: StepObservation, optimizer: Any, collector: BranchCollector) -> None:
    given = GIVEN if is_legacy(optimizer) else "apply"
    hooks.put(optimizer, given, _hook(observation, before=observers.gradients_given), materialize=True)
    if is_legacy(optimizer):
        for base in base_optimizers(optimizer):
            for hook in update_hooks(base, collector):
                hooks.put(base, hook.method, _hook(observation, hook.before, hook.after))
        return
    for base in base_optimizers(optimizer):
        if observation.replica_count > 1:
            hooks.put(base, "_all_reduce_sum_gradients", _hook(observation, after=_reduced_gradients))
            continue  # Keras has no gradients that are reduced and not yet clipped
        hooks.put(base, "_backend_update_step", _hook(observation, before=partial(_gradients_used, collector)))
        if clips(base):
            clipping = observers.ClippingObserver()
            hooks.put(base, "_backend_apply_gradients", _hook(observation, before=clipping.before_apply))
            hooks.put(base, "_clip_gradients", _hook(observation, before=clipping.before_clipping))


def _gradients_used(collector: BranchCollector, observation: StepObservation, call: MethodCall) -> None:
    observers.gradients_used(observation, call)
    if not observation.in_step_graph():
        collector(list(call.argument(0, "grads")), list(call.argument(1, "trainable_variables")))


def _reduced_gradients(observation: StepObservation, call: MethodCall, pairs: Any) -> None:
    if observation.in_step_graph():
        observers.store(observation.gradients_used, ((g, v) for g, v in pairs if g is not None))


def _layer_output(name: str, observation: StepObservation, call: MethodCall, output: Any) -> None:
    if not observation.optimizer_applied:  # the outputs that the update came from
        observers.layer_output(name, observation, call, output)
