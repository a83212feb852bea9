"""The hooks of one step of `model.fit`, which stand only while the step's Python runs: once, where it is traced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import tensorflow as tf

from ..observe.method_hooks import CallHook, Hooks, MethodCall
from ..observe.observation import StepObservation, base_optimizers, clips, unclipped, variable_id

InBranch = Callable[[list[Any], list[Any]], None]


@contextmanager
def fit_hooks(
    frame: StepObservation, model: Any, optimizers: Iterable[Any], layers: dict[int, str], in_branch: InBranch
) -> Iterator[None]:
    """Puts the hooks of one step on, and takes them off.

    Args:
        frame: where to keep what is seen.
        model: its `compute_loss` and the `call` of its layers are hooked.
        optimizers: outermost ones.
        layers: id of layer -> name under which its output is kept; further uses get "#2".
        in_branch: called with gradients and variables where the optimizer updates inside a branch of the graph.
    """
    hooks = Hooks()
    look = partial(CallHook, lambda: frame if threading.get_ident() == frame.thread else None)
    try:
        with frame.guard():
            for optimizer in optimizers:
                hooks.put(optimizer, "apply", look(before=_apply), listed=True)
                for leaf in base_optimizers(optimizer):
                    if frame.replicas > 1:
                        hooks.put(leaf, "_all_reduce_sum_gradients", look(after=_reduced))
                        continue  # gradients that are reduced and not clipped do not exist in Keras
                    hooks.put(leaf, "_backend_update_step", look(after=partial(_update, in_branch)))
                    if clips(leaf):
                        clip = _Clip()
                        hooks.put(leaf, "_backend_apply_gradients", look(before=clip.note))
                        hooks.put(leaf, "_clip_gradients", look(before=clip.clip))
            hooks.put(model, "compute_loss", look(after=_loss))
            for layer in model._flatten_layers(include_self=False):
                if id(layer) in layers:
                    hooks.put(layer, "call", look(after=partial(_output, layers[id(layer)])))
        yield
    finally:
        hooks.remove()


def _apply(frame: StepObservation, call: MethodCall) -> None:
    if not frame.here():
        return
    frame.applied = True
    variables = call.get(1, "trainable_variables")
    given = getattr(call.owner, "_trainable_variables", []) if variables is None else variables
    frame.handed.update((variable_id(v), g) for g, v in zip(call.get(0, "grads"), given, strict=False))


def _update(in_branch: InBranch, frame: StepObservation, call: MethodCall, result: Any) -> None:
    gradients, variables = call.get(0, "grads"), call.get(1, "trainable_variables")
    if frame.here():
        frame.used.update((variable_id(v), g) for g, v in zip(gradients, variables, strict=True))
    else:
        in_branch(list(gradients), list(variables))


def _reduced(frame: StepObservation, call: MethodCall, pairs: Any) -> None:
    if frame.here():
        frame.used.update((variable_id(v), g) for g, v in pairs if g is not None)


class _Clip:
    """Sees the gradients before clipping; which variables they belong to is known one call further out."""

    def __init__(self) -> None:
        self.variables: list[Any] = []

    def note(self, frame: StepObservation, call: MethodCall) -> None:
        self.variables = list(call.get(1, "trainable_variables"))

    def clip(self, frame: StepObservation, call: MethodCall) -> None:
        if frame.here():
            frame.unclipped |= unclipped(call.owner, call.get(0, "grads"), self.variables)


def _loss(frame: StepObservation, call: MethodCall, loss: Any) -> None:
    if frame.here():
        found = {name: call.get(place, name, call) for place, name in enumerate(("x", "y", "y_pred"))}
        frame.data.update({name: value for name, value in found.items() if value is not call})
        frame.loss = loss


def _output(name: str, frame: StepObservation, call: MethodCall, output: Any) -> None:
    if frame.here() and not frame.applied and tf.is_tensor(output):
        frame.output(name, output)
