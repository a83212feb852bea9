"""What is hooked in an optimizer of legacy Keras to see the gradients of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..observe import observers
from ..observe.method_hooks import MethodCall
from ..observe.observation import StepObservation, clips
from .optimizers import is_old_style, used_rate

GIVEN = "apply_gradients"  # the method of the outermost optimizer that a program passes its gradients to
Branch = Callable[[list[Any], list[Any]], None]  # takes gradients and variables of an update inside a branch


class UpdateHook(NamedTuple):
    """The observers of one method of a base optimizer, as `CallHook` takes them."""

    method: str
    before: Callable[[Any, MethodCall], None] | None = None
    after: Callable[[Any, MethodCall, Any], None] | None = None


def update_hooks(base: Any, branch: Branch | None = None) -> Iterator[UpdateHook]:
    """Yields what is hooked in a base optimizer.

    Args:
        base: an optimizer of `tf_keras`.
        branch: called if it updates inside a branch of the graph, as within a LossScaleOptimizer.
    """
    observer = _UpdateObserver(base, branch)
    if is_old_style(base):
        yield UpdateHook("_transform_gradients", observer.before_transformation, observer.after_transformation)
    else:
        yield UpdateHook("_clip_gradients", observer.before_clipping)
        yield UpdateHook("_internal_apply_gradients", observer.before_update)


class _UpdateObserver:
    """Stores the gradients of one base optimizer, before it clips them and as it uses them."""

    def __init__(self, base: Any, branch: Branch | None) -> None:
        self._base, self._branch = base, branch
        self._unclipped: list[Any] = []  # `_clip_gradients` gets no variables; they come with the update

    def before_clipping(self, observation: StepObservation, call: MethodCall) -> None:
        self._unclipped = list(call.argument(0, "grads")) if clips(self._base) else []

    def before_update(self, observation: StepObservation, call: MethodCall) -> None:
        pairs = list(call.argument(0, "grads_and_vars"))
        unclipped, self._unclipped = self._unclipped, []
        if observation.in_step_graph() and len(unclipped) == len(pairs):
            variables = [variable for _, variable in pairs]
            observers.store(observation.gradients_before_clipping, zip(unclipped, variables, strict=True))
        self._used(observation, pairs)

    def before_transformation(self, observation: StepObservation, call: MethodCall) -> None:
        if observation.in_step_graph() and clips(self._base):
            observers.store(observation.gradients_before_clipping, call.argument(0, "grads_and_vars"))

    def after_transformation(self, observation: StepObservation, call: MethodCall, pairs: Any) -> None:
        self._used(observation, list(pairs))

    def _used(self, observation: StepObservation, pairs: observers.Pairs) -> None:
        if observation.in_step_graph():
            observers.store(observation.gradients_used, pairs)
            if observation.graph is None:
                observation.learning_rate = used_rate(self._base)
        elif self._branch is not None:
            self._branch([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
