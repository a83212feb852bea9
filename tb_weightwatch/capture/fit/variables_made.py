"""Variables that are made inside the call of a layer: those of a layer that is made there are new in each trace."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

import keras
import tensorflow as tf

from ..legacy.objects import is_legacy, metric_variables
from ..observe.fault_guard import FaultGuard
from ..observe.observation import base_optimizers, variable_id

_MOST_NAMES = 3


class VariablesMade:
    """Notes the trainable variables that are made inside a layer's call in the first step.

    A training step of one's own may make variables, such as an adversarial perturbation, that are no weights.

    Args:
        replicas: number of replicas; with several, a strategy makes a part of each variable, and none is noted.
        failed: called with an exception of ours, which does not reach the user's layer.
    """

    def __init__(self, replicas: int, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._made: list[Any] | None = [] if replicas == 1 else None  # None once they have been looked at

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Notes what is made inside, in the first step only."""
        made = self._made
        if made is None:
            yield
            return

        def creator(next_creator: Any, **arguments: Any) -> Any:
            variable = next_creator(**arguments)
            with FaultGuard(self._failed):
                if _is_in_layer_call():
                    made.append(variable)
            return variable

        with tf.variable_creator_scope(creator):
            yield

    def untracked(self, model: Any, optimizers: Iterable[Any]) -> dict[str, Any]:
        """Returns the facts about those that neither the model nor an optimizer has; {} if there is none.

        They are looked at once, after the first step: further calls return {}.
        """
        made, self._made = self._made, None
        if not made:
            return {}
        bases = [base for optimizer in optimizers for base in base_optimizers(optimizer)]
        lists = [model.variables, metric_variables(model)]
        lists += [variables for b in bases for variables in (b.variables, getattr(b, "_trainable_variables", ()))]
        known = {variable_id(v) for variables in lists for v in variables}
        unknown = [v for v in made if v.trainable and v.dtype.is_floating and variable_id(v) not in known]
        if not unknown:
            return {}
        elements = sum(int(v.shape.num_elements() or 1) for v in unknown)
        names = [str(v.name).removesuffix(":0") for v in unknown[:_MOST_NAMES]]
        return {"made_in_step": {"variables": len(unknown), "elements": elements, "names": names}}


def _is_in_layer_call() -> bool:
    """Whether a caller is `__call__` of a Keras layer or model."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "__call__" and _is_layer(frame.f_locals.get("self")):
            return True
        frame = frame.f_back
    return False


def _is_layer(value: Any) -> bool:
    return isinstance(value, keras.layers.Layer) or (is_legacy(value) and hasattr(value, "call"))
