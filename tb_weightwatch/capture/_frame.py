"""What one training step shows while it is traced (or runs eagerly): references only, nothing computed on the way.

The hooks stand on instances, only while the step's Python runs, and are taken off in any case; each guards itself, so
that a fault of ours is kept for the recorder and never reaches the user's program.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf


class Frame:
    """References gathered during one step; `fault` is the first exception of a hook, if any."""

    def __init__(self, graph: Any, opened: bool = True) -> None:
        self.graph = graph  # the step's own graph; None when eager
        self.opened = opened  # False: nothing is looked at
        self.fault: BaseException | None = None
        self.handed: dict[int, Any] = {}  # id of variable -> gradient as given to the optimizer (None included)
        self.unclipped: dict[int, Any] = {}  # ... unscaled and accumulated, before clipping
        self.used: dict[int, Any] = {}  # ... as the optimizer uses it
        self.branched = False  # gradients were seen inside a branch of the graph
        self.before: dict[int, Any] = {}  # id of variable -> its value before the step
        self.numbers: dict[str, Any] = {}  # run-wide numbers read before the step
        self.outputs: dict[str, Any] = {}  # name of layer use -> its output
        self.loss: Any = None
        self.data: dict[str, Any] = {}  # x, y, y_pred
        self.applied = False
        self.on_apply: Callable[[Any, list[Any]], None] | None = getattr(self, "on_apply", None)

    def here(self) -> bool:
        """Says whether the code runs in the step's own graph (a value made in a branch or loop can not leave it)."""
        if not self.opened:
            return False
        if self.graph is None:
            return bool(tf.executing_eagerly())
        return tf.compat.v1.get_default_graph() is self.graph

    def clear(self, opened: bool) -> None:
        """Forgets everything, for the next step."""
        Frame.__init__(self, self.graph, opened)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Keeps an exception of ours away from the user's program."""
        try:
            yield
        except Exception as error:
            self.fault = self.fault or error


def key(variable: Any) -> int:
    """Returns what identifies a variable, whether it comes as a Keras or a TensorFlow one."""
    return id(getattr(variable, "value", variable)) if not isinstance(variable, tf.Variable) else id(variable)


def leaves(optimizer: Any) -> list[Any]:
    """Returns the optimizers that truly update: inside loss scaling, and inside a MultiOptimizer."""
    if optimizer is None:
        return []
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return leaves(inner)
    several = getattr(optimizer, "optimizers", None)
    return [leaf for one in several for leaf in leaves(one)] if several else [optimizer]


class Hooks:
    """Wrappers on instances, put on and taken off together. Keras' attribute tracking never sees them."""

    def __init__(self) -> None:
        self._put: list[tuple[Any, str]] = []

    def put(self, instance: Any, name: str, around: Callable[..., Any]) -> None:
        """Lets `around(original, *args, **kwargs)` stand in for the method `name`; skipped where there is none."""
        original = getattr(instance, name, None)
        if original is None or name in instance.__dict__:
            return

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return around(original, *args, **kwargs)

        instance.__dict__[name] = wrapper
        self._put.append((instance, name))

    def remove(self) -> None:
        """Takes all wrappers off."""
        while self._put:
            instance, name = self._put.pop()
            instance.__dict__.pop(name, None)


@contextmanager
def watching(
    frame: Frame,
    model: Any,
    optimizers: Iterable[Any],
    layers: dict[int, str],
    in_branch: Callable[[list[Any], list[Any]], None],
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
    try:
        with frame.guard():
            for optimizer in optimizers:
                watch_optimizer(hooks, frame, optimizer, in_branch)
            hooks.put(model, "compute_loss", functools.partial(_loss, frame))
            watch_layers(hooks, frame, model, layers)
        yield
    finally:
        hooks.remove()


def watch_optimizer(hooks: Hooks, frame: Frame, optimizer: Any, in_branch: Callable[[Any, Any], None]) -> None:
    """Puts the hooks of an optimizer (outermost) and of those inside it."""
    hooks.put(optimizer, "apply", functools.partial(_apply, frame))
    for leaf in leaves(optimizer):
        hooks.put(leaf, "_backend_update_step", functools.partial(_update, frame, in_branch))
        if any(getattr(leaf, n, None) is not None for n in ("clipnorm", "global_clipnorm", "clipvalue")):
            around = _Clip(frame)
            hooks.put(leaf, "_backend_apply_gradients", around.apply)
            hooks.put(leaf, "_clip_gradients", around.clip)


def watch_layers(hooks: Hooks, frame: Frame, model: Any, layers: dict[int, str]) -> None:
    """Puts the hooks of a model's layers that are named in `layers`."""
    for layer in model._flatten_layers(include_self=False):
        if id(layer) in layers:
            hooks.put(layer, "call", functools.partial(_output, frame, layers[id(layer)]))


def _apply(frame: Frame, original: Any, grads: Any, trainable_variables: Any = None) -> Any:
    if not frame.here():
        return original(grads, trainable_variables)
    grads = list(grads)  # may be a one-shot iterator; the optimizer gets the list
    if trainable_variables is not None:
        trainable_variables = list(trainable_variables)
    with frame.guard():
        frame.applied = True
        owner = getattr(original, "__self__", None)
        given = getattr(owner, "_trainable_variables", []) if trainable_variables is None else trainable_variables
        for gradient, variable in zip(grads, given, strict=False):
            frame.handed[key(variable)] = gradient
        if frame.on_apply is not None:
            frame.on_apply(owner, given)
    return original(grads, trainable_variables)


def _update(frame: Frame, in_branch: Any, original: Any, grads: Any, trainable_variables: Any, *rest: Any) -> Any:
    result = original(grads, trainable_variables, *rest)
    with frame.guard():
        if frame.here():
            frame.used.update((key(v), g) for g, v in zip(grads, trainable_variables, strict=True))
        else:
            in_branch(list(grads), list(trainable_variables))
    return result


class _Clip:
    """Sees the gradients before clipping; which variables they belong to is known one call further out."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.variables: list[Any] = []

    def apply(self, original: Any, grads: Any, trainable_variables: Any) -> Any:
        self.variables = list(trainable_variables)
        return original(grads, trainable_variables)

    def clip(self, original: Any, grads: Any) -> Any:
        with self.frame.guard():
            if self.frame.here() and len(grads) == len(self.variables):
                pairs = zip(grads, self.variables, strict=True)
                self.frame.unclipped.update((key(v), g) for g, v in pairs if g is not None)
        return original(grads)


def _loss(frame: Frame, original: Any, *args: Any, **kwargs: Any) -> Any:
    loss = original(*args, **kwargs)
    with frame.guard():
        if frame.here():
            names = ("x", "y", "y_pred")
            frame.data.update({**dict(zip(names, args, strict=False)), **{n: kwargs[n] for n in names if n in kwargs}})
            frame.loss = loss
    return loss


def _output(frame: Frame, name: str, original: Any, *args: Any, **kwargs: Any) -> Any:
    output = original(*args, **kwargs)
    with frame.guard():
        if frame.here() and not frame.applied and tf.is_tensor(output):
            use, number = name, 2
            while use in frame.outputs:
                use, number = f"{name}#{number}", number + 1
            frame.outputs[use] = output
    return output
