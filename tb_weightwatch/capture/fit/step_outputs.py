"""What leaves a step of `model.fit`: references to tensors that are there anyway, as further results of the step.

Nothing is computed in the step but a few concatenations of what is small, so tracing and compiling it takes no longer
than the user's own. The numbers are measured afterwards (`_meter`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ...statistics import NOT_OBSERVED, VariableStep
from ...statistics.device import batches as batch
from ...statistics.device import variables as measure
from ...statistics.fast import SMALL
from ..measure.step_data import StepData
from ..observe import model_facts as facts
from ..observe.observation import StepObservation, base_optimizers, clips, current_value, variable_id
from .graph_reads import independent_read
from .graph_variables import SideVariables

Tensors = dict[str, Any]
PARTS = ("gradient", "before", "after", "raw")


def measured_variables(model: Any) -> list[Any]:
    """Returns the model's floating-point variables, trainable or not, without random generators' states."""
    return [v for v in model.variables if measure.measurable(tf.as_dtype(keras.backend.standardize_dtype(v.dtype)))]


class StepOutputs:
    """Chooses what leaves the step while it is traced, and makes a `StepData` of what has left it."""

    def __init__(self, model: Any, optimizers: list[Any]) -> None:
        self.model, self.optimizers = model, optimizers
        self.items: list[dict[str, Any]] = []  # description of the variables; none until a step has been traced
        self.shapes: dict[str, Any] = {}  # facts about the first batch
        self.layers = facts.layer_uses(model)
        self._variables: list[Any] = []
        self._stands: dict[tuple[str, int], Any] = {}  # part, variable -> what stands for a tensor: None, UNSEEN
        self._packed: dict[str, list[tuple[int, slice, tuple[int, ...]]]] = {}  # part -> variables laid end to end
        self._run: list[str] = []
        self._structures: dict[str, Any] = {}  # of inputs and targets
        self.branch = SideVariables()  # gradients that can not leave the branch of the graph in which they are used

    @property
    def layer_names(self) -> dict[int, str]:
        """Returns id of layer -> its name on the L axis."""
        return {id(layer): item["name"] for layer, item in self.layers}

    # -- before the step

    def begin(self, frame: StepObservation, data: Any) -> None:
        """Reads weights, learning rate and loss scale as the step meets them."""
        if not self.layers:
            self.layers = facts.layer_uses(self.model)
        frame.before = {variable_id(v): current_value(v) for v in measured_variables(self.model) if v.trainable}
        frame.numbers = self._settings()
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        frame.data = {"x": x, "y": y}
        self.branch.clear()

    def _settings(self) -> Tensors:
        found: Tensors = {}
        for one in self.optimizers[:1]:
            rate = getattr(
                base_optimizers(one)[0], "learning_rate", None
            )  # a MultiOptimizer has none until it is built
            if rate is not None:
                found["learning_rate"] = tf.convert_to_tensor(rate)
            scale = getattr(one, "dynamic_scale", None)
            if scale is not None:
                found["loss_scale"] = tf.convert_to_tensor(scale)
        return found

    # -- inside the optimizer, where it updates in a branch of the graph

    def in_branch(self, frame: StepObservation) -> Callable[[list[Any], list[Any]], None]:
        """Returns what takes gradients that can not leave the branch in which they are used."""

        def take(gradients: list[Any], variables: list[Any]) -> None:
            self._variables = self._variables or measured_variables(self.model)
            places = {variable_id(v): i for i, v in enumerate(self._variables)}
            for gradient, variable in zip(gradients, variables, strict=True):
                if variable_id(variable) in places:
                    self.branch.put(_flattened("gradient", places[variable_id(variable)], gradient))
            self.branch.done()
            frame.branched = True

        return take

    # -- after the step

    def end(self, frame: StepObservation) -> Tensors:
        """Returns what leaves this step, by name."""
        self._variables = measured_variables(self.model)
        self.items = facts.variable_items(self._variables, self.model, self.optimizers)
        self.shapes = self.shapes or facts.shape_facts(*(frame.data.get(n) for n in ("x", "y", "y_pred")))
        found: Tensors = {}
        parts: dict[str, dict[int, Any]] = {part: {} for part in PARTS}
        for place, variable in enumerate(self._variables):
            if variable_id(variable) in frame.before:
                for part, value in zip(PARTS, self._change(frame, variable), strict=False):
                    parts[part][place] = value
        for part, values in parts.items():
            found |= self._leaving(part, values)
        uses = {item["name"]: tf.stop_gradient(frame.outputs[item["name"]])
                for _, item in self.layers if item["name"] in frame.outputs}  # fmt: skip
        found |= {f"output/{name}": output for name, output in uses.items() if measure.measurable(output.dtype)}
        self._structures = {n: tf.nest.map_structure(lambda _: None, value) for n, value in frame.data.items()}
        for name, value in frame.data.items():
            found |= {f"{name}/{i}": _stopped(one) for i, one in enumerate(batch.flat(value))}
        return found | self._numbers(frame)

    def _change(self, frame: StepObservation, variable: Any) -> VariableStep:
        name = variable_id(variable)
        gradient = frame.used.get(name, frame.handed.get(name, NOT_OBSERVED))
        if name in frame.handed and frame.handed[name] is None:
            gradient = None
        elif (frame.branched or frame.replicas > 1) and name not in frame.used:
            gradient = NOT_OBSERVED  # what was handed over is something else
        raw = frame.unclipped.get(name) if gradient is not None and gradient is not NOT_OBSERVED else None
        if frame.branched or (
            frame.replicas > 1 and any(clips(leaf) for o in self.optimizers for leaf in base_optimizers(o))
        ):
            raw = NOT_OBSERVED  # each replica clips its own part before they are added up
        return VariableStep(
            independent_read(gradient), frame.before[name], current_value(variable), independent_read(raw)
        )

    def _leaving(self, part: str, values: dict[int, Any]) -> Tensors:
        """Returns what leaves the step of one part of the changes; small tensors end to end, as each costs a call."""
        found: Tensors = {}
        small: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for place, value in values.items():
            self._stands[part, place] = None if value is None else NOT_OBSERVED
            if not tf.is_tensor(value) and not isinstance(value, tf.IndexedSlices):
                continue
            dense = isinstance(value, tf.Tensor) and value.dtype == tf.float32
            if dense and value.shape.is_fully_defined() and value.shape.num_elements() <= SMALL:
                small[tuple(value.shape)].append(place)
            else:
                found |= _flattened(part, place, value)
        sizes = [(place, shape) for shape, places in small.items() for place in places]
        ends = np.cumsum([int(np.prod(shape)) for _, shape in sizes]).tolist()
        at = map(slice, [0, *ends], ends)
        self._packed[part] = [(place, where, shape) for (place, shape), where in zip(sizes, at, strict=True)]
        if small:
            # Of one shape together: a thousand reshapes take TensorFlow's graph optimizer many seconds.
            each = (tf.stack([values[place] for place in places]) for places in small.values())
            found[part] = tf.concat([tf.reshape(one, [-1]) for one in each], 0)
        return found

    def _numbers(self, frame: StepObservation) -> Tensors:
        numbers = dict(frame.numbers)
        loss = frame.loss
        if loss is None and isinstance(frame.result, dict):
            loss = frame.result.get("loss")
        if loss is not None:
            numbers["loss"] = tf.reduce_mean(tf.cast(tf.stop_gradient(loss), tf.float64))
        if self.optimizers:
            numbers["iterations"] = tf.convert_to_tensor(base_optimizers(self.optimizers[0])[0].iterations)
        self._run = list(numbers)
        return {"run": tf.stack([tf.cast(value, tf.float64) for value in numbers.values()])} if numbers else {}

    # -- outside

    def reading(self, left: Mapping[str, Any]) -> StepData:
        """Returns what a step has shown, from what has left it."""
        left = {**left, **self.branch.read()}
        parts: dict[str, dict[int, Any]] = {part: self._unpacked(part, left) for part in PARTS}
        for name, value in left.items():
            part, _, place = name.partition("/")
            if part in parts and place.isdigit():
                rows = left.get(f"{name}/rows")
                parts[part][int(place)] = value if rows is None else tf.IndexedSlices(value, rows)
        names = [item["name"] for item in self.items]
        changes = {
            names[place]: VariableStep(*(parts[part].get(place, self._stands.get((part, place))) for part in PARTS))
            for place in sorted(parts["after"])
        }
        outputs = {name.removeprefix("output/"): x for name, x in left.items() if name.startswith("output/")}
        data = {
            which: [left[name] for i in range(len(left)) if (name := f"{which}/{i}") in left]
            for which in ("x", "y", "y_pred")
        }
        run = dict(zip(self._run, np.asarray(left["run"]), strict=True)) if self._run else {}
        layers = {item["name"]: item["activation"] for _, item in self.layers}
        return StepData(tuple(names), layers, changes, {}, outputs, data, run)

    def structured(self, data: Mapping[str, Any], which: str) -> Any:
        """Returns inputs ("x") or targets ("y") as they were given; None if some of them were left out."""
        flat = list(data[which])
        structure = self._structures.get(which)
        return tf.nest.pack_sequence_as(structure, flat) if len(tf.nest.flatten(structure)) == len(flat) else None

    def _unpacked(self, part: str, left: Mapping[str, Any]) -> dict[int, Any]:
        if not self._packed.get(part):
            return {}
        whole = np.asarray(left[part])
        return {place: whole[where].reshape(shape) for place, where, shape in self._packed[part]}


def _flattened(part: str, place: int, value: Any) -> Tensors:
    """Returns the tensors of which a tensor or IndexedSlices consists, by name."""
    name = f"{part}/{place}"
    if isinstance(value, tf.IndexedSlices):
        return {name: value.values, f"{name}/rows": value.indices}
    return {name: tf.convert_to_tensor(value)}


def _stopped(value: Any) -> Any:
    return tf.stop_gradient(value) if value.dtype.is_floating else tf.identity(value)
