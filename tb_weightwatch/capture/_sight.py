"""What an eager step of a hand-written loop shows: hooks on the user's instances that stay until the Watch is closed.

Inside a traced function each hook hands through what it got and adds nothing to the graph; it notes, in Python, for
which variables backpropagation gave no gradient, since that is known while tracing and nowhere later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

from ._frame import Frame, Hooks, key, leaves

Around = Callable[..., Any]


class Seen(Frame):
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


class Sight:
    """Keeps the hooks, and the step that is looked at (None: it is not recorded, and hooks only hand through).

    Args:
        before_update: called in an eager step when a forward pass (True) or an update (False) begins.
    """

    def __init__(self, before_update: Callable[[Seen, bool], None]) -> None:
        self.seen: Seen | None = None
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
                for leaf in leaves(optimizer):
                    self._put(leaf, "_backend_update_step", _update)
                    self._put(leaf, "_backend_apply_gradients", self._note(leaf))
                    self._put(leaf, "_clip_gradients", self._clip(leaf))
        for model in models:
            self._put(model, "call", self._forward({name for owner, _, name in uses if owner is model}))
        for _, layer, name in uses:
            self._put(layer, "call", _output(name))

    def remove(self) -> None:
        """Takes all hooks off."""
        self.seen = None
        self._hooks.remove()

    def _put(self, instance: Any, name: str, around: Around, *, traced: bool = False) -> None:
        def gate(original: Any, *args: Any, **kwargs: Any) -> Any:
            seen = self.seen if tf.executing_eagerly() else None
            if seen is None and not (traced and not tf.executing_eagerly()):
                return original(*args, **kwargs)
            return around(seen, original, *args, **kwargs)

        if (id(instance), name) not in self._hooked and hasattr(instance, "__dict__"):
            self._hooked.add((id(instance), name))
            self._hooks.put(instance, name, gate)

    # -- hooks; `original` is called exactly once, whatever happens to us

    def _apply(self, seen: Seen | None, original: Any, *args: Any, **kwargs: Any) -> Any:
        # Either may be a one-shot iterator: it is read once, and the optimizer gets the list.
        args = tuple(_listed(a) for a in args)
        kwargs = {k: _listed(v) for k, v in kwargs.items()}
        frame = seen if seen is not None else Seen()
        with frame.guard():
            gradients: Any = args[0] if args else kwargs.get("grads", ())
            variables: Any = args[1] if len(args) > 1 else kwargs.get("trainable_variables")
            if variables is None:
                variables = getattr(getattr(original, "__self__", None), "_trainable_variables", ())
            pairs = list(zip(gradients, variables, strict=False))
            if seen is None:
                self.none.update((key(v), g is None) for g, v in pairs)
            else:
                with tf.init_scope():
                    self._before_update(seen, False)
                seen.applied = True
                seen.settle()
                seen.handed.update((key(v), g) for g, v in pairs)
        return original(*args, **kwargs)

    def _forward(self, names: set[str]) -> Around:
        def around(seen: Seen, original: Any, *args: Any, **kwargs: Any) -> Any:
            with seen.guard():
                with tf.init_scope():
                    self._before_update(seen, True)
                seen.outputs = {k: v for k, v in seen.outputs.items() if k.partition("#")[0] not in names}
            output = original(*args, **kwargs)
            with seen.guard():
                inputs = args[0] if args else next(iter(kwargs.values()), None)
                seen.data = {"x": inputs, "y_pred": output}
            return output

        return around

    def _note(self, leaf: Any) -> Around:
        def around(seen: Seen, original: Any, *args: Any, **kwargs: Any) -> Any:
            if len(args) > 1:
                self._clipped[id(leaf)] = list(args[1])
            return original(*args, **kwargs)

        return around

    def _clip(self, leaf: Any) -> Around:
        def around(seen: Seen, original: Any, *args: Any, **kwargs: Any) -> Any:
            with seen.guard():
                variables = self._clipped.pop(id(leaf), [])
                if args and len(args[0]) == len(variables):
                    pairs = zip(args[0], variables, strict=True)
                    seen.unclipped.update((key(v), g) for g, v in pairs if g is not None)
            return original(*args, **kwargs)

        return around


def _update(seen: Seen, original: Any, *args: Any, **kwargs: Any) -> Any:
    with seen.guard():
        if len(args) > 2:
            seen.used.update((key(v), g) for g, v in zip(args[0], args[1], strict=False))
            seen.rate = args[2]
    return original(*args, **kwargs)


def _output(name: str) -> Around:
    def around(seen: Seen, original: Any, *args: Any, **kwargs: Any) -> Any:
        output = original(*args, **kwargs)
        with seen.guard():
            if tf.is_tensor(output):
                use, number = name, 2
                while use in seen.outputs:
                    use, number = f"{name}#{number}", number + 1
                seen.outputs[use] = output
        return output

    return around


def _listed(value: Any) -> Any:
    return list(value) if hasattr(value, "__next__") else value
