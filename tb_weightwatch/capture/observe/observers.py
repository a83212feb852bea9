"""The observers of a training step: each stores what one hooked method was given or returned.

`capture.fit.hooks` installs them for a step of `model.fit`, `capture.loop.hooks` for a custom loop, `dry_run` for a
single pass. An observer ignores calls outside of the step's own graph, since their tensors cannot leave it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from ..legacy.objects import is_legacy
from .method_hooks import MethodCall
from .observation import StepObservation, clips, match_unclipped, variable_id

Pairs = list[tuple[Any, Any]]


def given_pairs(call: MethodCall) -> Pairs:
    """Returns the (gradient, variable) pairs of a call of `optimizer.apply`, or `apply_gradients` of legacy Keras."""
    if is_legacy(call.owner):
        return list(call.argument(0, "grads_and_vars"))
    variables = call.argument(1, "trainable_variables")
    if variables is None:
        variables = getattr(call.owner, "_trainable_variables", ())
    return list(zip(call.argument(0, "grads"), variables, strict=False))


def store(gradients: dict[int, Any], pairs: Iterable[tuple[Any, Any]]) -> None:
    """Adds (gradient, variable) pairs to gradients by `variable_id`."""
    gradients.update((variable_id(variable), gradient) for gradient, variable in pairs)


def gradients_given(observation: StepObservation, call: MethodCall) -> None:
    """Before `optimizer.apply`: stores the gradients that the training program passes."""
    if observation.in_step_graph():
        observation.optimizer_applied = True
        store(observation.gradients_given, given_pairs(call))


def gradients_used(observation: StepObservation, call: MethodCall) -> None:
    """At `_backend_update_step`: stores the gradients and the learning rate that the update rule gets."""
    if observation.in_step_graph():
        pairs = zip(call.argument(0, "grads"), call.argument(1, "trainable_variables"), strict=True)
        store(observation.gradients_used, pairs)
        observation.learning_rate = call.argument(2, "learning_rate")


class ClippingObserver:
    """Stores the gradients of one base optimizer before it clips them.

    `_clip_gradients` gets gradients alone; their variables are known from `_backend_apply_gradients`, which calls it.
    """

    def __init__(self) -> None:
        self._variables: list[Any] = []

    def before_apply(self, observation: StepObservation, call: MethodCall) -> None:
        """Before `_backend_apply_gradients`: notes the variables."""
        self._variables = list(call.argument(1, "trainable_variables") or ())

    def before_clipping(self, observation: StepObservation, call: MethodCall) -> None:
        """Before `_clip_gradients`: stores the gradients."""
        variables, self._variables = self._variables, []
        if observation.in_step_graph() and clips(call.owner):
            gradients = call.argument(0, "grads")
            observation.gradients_before_clipping |= match_unclipped(call.owner, gradients, variables)


def loss_and_data(observation: StepObservation, call: MethodCall, loss: Any) -> None:
    """After `model.compute_loss`: stores the loss of the batch, and the batch with its predictions."""
    if observation.in_step_graph():
        for position, name in enumerate(("x", "y", "y_pred")):
            value = call.argument(position, name, call)
            if value is not call:  # the argument was passed
                observation.data[name] = value
        observation.loss = loss


def own_predictions(observation: StepObservation, call: MethodCall, output: Any) -> None:
    """After `model.call` in a training step of one's own: stores the predictions, if the update comes after them."""
    if observation.in_step_graph() and not observation.optimizer_applied and tf.is_tensor(output):
        observation.data["y_pred"] = output


def tracked_loss(observation: StepObservation, call: MethodCall) -> None:
    """Before `metric.update_state`: stores the loss of the batch, of which the metric only keeps the mean."""
    value = call.argument(0, "values")
    if observation.in_step_graph() and tf.is_tensor(value) and value.dtype.is_floating:
        observation.tracked_loss = value


def layer_output(name: str, observation: StepObservation, call: MethodCall, output: Any) -> None:
    """After `layer.call`: stores the output under the name of the layer use."""
    if observation.in_step_graph() and tf.is_tensor(output):
        observation.add_layer_output(name, output)
