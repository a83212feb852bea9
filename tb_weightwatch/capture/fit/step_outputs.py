"""Selects the tensors of a `model.fit` step that become additional results of the compiled step.

Nothing is computed in the step but a few concatenations of small tensors, so tracing and compiling it takes no longer
than the user's own step. The statistics are computed afterwards (`StepMeasurer`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import keras
import tensorflow as tf

from ...statistics import NOT_OBSERVED, VariableStep, measurable
from ..legacy.objects import frozen_ids, is_legacy, is_trained
from ..legacy.optimizers import loss_scale, next_rate, numbers_after
from ..measure.step_data import StepData
from ..observe import model_facts as facts
from ..observe.loss_names import whole_loss_name
from ..observe.model_layers import moving_statistics
from ..observe.observation import StepObservation, base_optimizers, clips, current_value, variable_id
from .graph_reads import independent_read
from .graph_variables import SideVariables
from .held_weights import HeldWeights
from .hooks import BranchCollector
from .step_layout import StepLayout, Tensors, packed_alone


def listed_variables(model: Any) -> list[Any]:
    """Returns the model's floating-point variables, trainable or not, without the states of random generators."""
    return [v for v in model.variables if measurable(keras.backend.standardize_dtype(v.dtype))]


class StepOutputs:
    """Reads the tensors of a step while it is traced (or runs eagerly).

    Args:
        model: a compiled Keras model.
        optimizers: its optimizers, outermost ones.
    """

    def __init__(self, model: Any, optimizers: list[Any]) -> None:
        self._model, self._optimizers = model, optimizers
        self._layers = facts.layer_uses(model)  # empty while the model is not built
        self._batch: Any = None  # of the present step, as `train_step` gets it
        self._held: frozenset[int] = frozenset()  # ids of variables whose weight before the step is no result of it
        self._branch = SideVariables()  # gradients that are used inside a branch of the graph

    def layer_names(self) -> dict[int, str]:
        """Returns id of layer -> its name on the L axis."""
        self._layers = self._layers or facts.layer_uses(self._model)
        return {id(layer): item["name"] for layer, item in self._layers}

    def hold_weights(self) -> HeldWeights:
        """Returns the large weights before a step that is going to run compiled, and to be read."""
        held = HeldWeights(listed_variables(self._model))
        self._held = held.ids
        return held

    def read_before(self, observation: StepObservation, data: Any) -> None:
        """Reads weights, learning rate and loss scale before the step changes them."""
        statistics, frozen = moving_statistics(self._model), frozen_ids([self._model])
        measured = (v for v in listed_variables(self._model) if is_trained(v, frozen) or variable_id(v) in statistics)
        held = self._held
        observation.weights_before = {i: None if i in held else current_value(v) for i, v in _by_id(measured)}
        observation.run_numbers = _optimizer_settings(self._optimizers)
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        observation.data, self._batch = {"x": x, "y": y}, data
        self._branch.clear()

    def branch_collector(self, observation: StepObservation) -> BranchCollector:
        """Returns a function that stores gradients used inside a branch, which cannot be results of the step."""

        def collect(gradients: list[Any], variables: list[Any]) -> None:
            positions = {variable_id(v): i for i, v in enumerate(listed_variables(self._model))}
            for gradient, variable in zip(gradients, variables, strict=True):
                if variable_id(variable) in positions:
                    self._branch.write(packed_alone("gradient", positions[variable_id(variable)], gradient))
            self._branch.mark_complete()
            observation.updated_in_branch = True

        return collect

    def branch_tensors(self) -> Tensors:
        """Returns the packed gradients that the last step has used inside a branch."""
        return self._branch.read()

    def read_after(self, observation: StepObservation) -> tuple[StepLayout, Tensors]:
        """Returns the layout of the step that has just been traced, and its tensors in that layout."""
        variables = listed_variables(self._model)
        items = facts.variable_items(variables, self._model, self._optimizers)
        layers = [item for _, item in self._layers]
        batch_shapes = facts.shape_facts(*(observation.data.get(name) for name in ("x", "y", "y_pred")))
        names = {variable_id(v): item["name"] for v, item in zip(variables, items, strict=True)}
        measured = [v for v in variables if variable_id(v) in observation.weights_before]
        activations = {item["name"]: item["activation"] for item in layers}
        outputs = {name: x for name, x in observation.layer_outputs.items() if name in activations}
        step = StepData(
            variables=tuple(item["name"] for item in items),
            layers=activations,
            changes={names[variable_id(v)]: self._variable_step(observation, v) for v in measured},
            none={},
            outputs={name: tf.stop_gradient(x) for name, x in outputs.items() if measurable(x.dtype)},
            data={**observation.data, **self._whole_batch(observation)},
            run=self._run_numbers(observation),
            moving_statistics=frozenset(names[variable_id(v)] for v in measured if not v.trainable),
        )
        held = {position: i for position, (i, _) in enumerate(_by_id(variables)) if i in self._held}
        layout = StepLayout.of(step, items, layers, batch_shapes, held)
        return layout, layout.pack(step)

    def _whole_batch(self, observation: StepObservation) -> dict[str, Any]:
        """Returns {"batch": ...} unless it is the pair of "x" and "y", which the step may have changed meanwhile."""
        batch, data = self._batch, observation.data
        is_pair = isinstance(batch, tuple) and len(batch) == 2 and batch[0] is data["x"] and batch[1] is data["y"]
        # The parts of several replicas make no batch that one of them could train on.
        return {} if is_pair or observation.replica_count > 1 else {"batch": batch}

    def _variable_step(self, observation: StepObservation, variable: Any) -> VariableStep:
        gradient = self._gradient(observation, variable_id(variable))
        raw = None
        if observation.updated_in_branch or (observation.replica_count > 1 and self._any_clips()):
            raw = NOT_OBSERVED  # each replica clips its own part before they are added up
        elif gradient is not None and gradient is not NOT_OBSERVED:
            raw = observation.gradients_before_clipping.get(variable_id(variable))
        return VariableStep(
            gradient=independent_read(gradient),
            before=observation.weights_before[variable_id(variable)],
            after=current_value(variable),
            raw=independent_read(raw),
        )

    def _gradient(self, observation: StepObservation, variable: int) -> Any:
        """Returns the gradient as the optimizer uses it; None if there is none; NOT_OBSERVED if it is not known."""
        given = observation.gradients_given.get(variable, NOT_OBSERVED)
        if given is None:
            return None
        if variable in observation.gradients_used:
            return observation.gradients_used[variable]
        # In a branch, or before the replicas' parts are added up, the gradient given is not yet the one used.
        return NOT_OBSERVED if observation.updated_in_branch or observation.replica_count > 1 else given

    def _any_clips(self) -> bool:
        return any(clips(base) for optimizer in self._optimizers for base in base_optimizers(optimizer))

    def _run_numbers(self, observation: StepObservation) -> Tensors:
        numbers = dict(observation.run_numbers)
        loss = observation.loss if observation.loss is not None else observation.tracked_loss
        if loss is None:
            loss = _reported_loss(observation.train_step_result)
        if loss is not None:
            numbers["loss"] = tf.reduce_mean(tf.cast(tf.stop_gradient(loss), tf.float64))
        if self._optimizers:
            numbers["iterations"] = tf.convert_to_tensor(base_optimizers(self._optimizers[0])[0].iterations)
            numbers |= numbers_after(self._optimizers[0])
        return numbers


def _by_id(variables: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    return ((variable_id(variable), variable) for variable in variables)


def _reported_loss(result: Any) -> Any:
    """Returns the loss that a training step of one's own returns, by its name; None if there is none."""
    if not isinstance(result, dict):
        return None
    name = whole_loss_name(result)
    return None if name is None else result[name]


def _optimizer_settings(optimizers: list[Any]) -> Tensors:
    """Returns the learning rate and the loss scale of the first optimizer, as far as it has them."""
    settings: Tensors = {}
    for optimizer in optimizers[:1]:
        base = base_optimizers(optimizer)[0]
        if is_legacy(optimizer):
            values = {"learning_rate": next_rate(base), "loss_scale": loss_scale(optimizer)}
            return {name: tf.convert_to_tensor(value) for name, value in values.items() if value is not None}
        values = {
            "learning_rate": getattr(base, "learning_rate", None),  # a MultiOptimizer has none until it is built
            "loss_scale": getattr(optimizer, "dynamic_scale", None),
        }
        settings = {name: tf.convert_to_tensor(value) for name, value in values.items() if value is not None}
    return settings
