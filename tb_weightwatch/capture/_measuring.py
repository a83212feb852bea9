"""Turns what a step showed into one row of numbers, inside the step (graph, XLA or eager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ..history import Column, Rows
from ..statistics import _batch as batch
from ..statistics import _tensorflow as measure
from ..statistics import names
from ..statistics._numpy import stride
from . import _facts as facts
from ._frame import Frame, key, leaves

VARIABLE, LAYER, RUN = names("variable"), names("layer"), names("run")
# What needs the gradient; where it is seen only inside a branch, these come from there.
_OF_GRADIENT = np.array([n.startswith(("gradient", "raw_gradient")) or n == "stuck_share" for n in VARIABLE])


class Layout(NamedTuple):
    """A row is values, then whether each is known: `[V * S + L * A + G]` twice, in the order of these names."""

    variables: tuple[str, ...]
    layers: tuple[str, ...]

    def rows(self, flat: NDArray[np.float64], steps: list[int], times: list[float]) -> Rows:
        """Returns flat rows `[n, 2N]` as `Rows`; columns that no row knows are left out."""
        half = flat.shape[1] // 2
        values, known = flat[:, :half], flat[:, half:] > 0
        block = Rows(np.array(steps, np.int64), np.array(times, np.float64))
        at = 0
        for target, count, quantities in (
            (block.variable, len(self.variables), VARIABLE),
            (block.layer, len(self.layers), LAYER),
        ):
            end = at + count * len(quantities)
            shape = (len(flat), count, len(quantities))
            part, seen = values[:, at:end].reshape(shape), known[:, at:end].reshape(shape)
            for i, name in enumerate(quantities):
                if seen[:, :, i].any():
                    target[name] = Column(part[:, :, i], seen[:, :, i])
            at = end
        for i, name in enumerate(RUN):
            if known[:, at + i].any():
                block.run[name] = Column(values[:, at + i], known[:, at + i])
        return block


def tensor(variable: Any) -> Any:
    """Returns the variable's value as it is now; later updates do not change it."""
    inner = variable if isinstance(variable, tf.Variable) else variable.value
    return inner.read_value()


def watched(model: Any) -> list[Any]:
    """Returns the model's floating-point variables, trainable or not, without random generators' states."""
    return [v for v in model.variables if measure.measurable(tf.as_dtype(keras.backend.standardize_dtype(v.dtype)))]


class Measuring:
    """State and arithmetic of the recording twin; state is made once, at the first trace, outside the graph."""

    def __init__(self, model: Any, optimizers: list[Any]) -> None:
        self.model, self.optimizers = model, optimizers
        self.layout: Layout | None = None
        self.items: list[dict[str, Any]] = []  # description of the variables
        self.shapes: dict[str, Any] = {}  # facts about the first batch
        self.layers: list[tuple[Any, dict[str, Any]]] = []
        self._variables: list[Any] = []
        self._branch: tf.Variable | None = None  # gradients seen inside a branch: [V, 2, S]
        self._sketches: dict[int, tf.Variable] = {}
        self._dead: dict[str, tf.Variable] = {}

    @property
    def layer_names(self) -> dict[int, str]:
        """Returns id of layer -> its name on the L axis."""
        return {id(layer): item["name"] for layer, item in self.layers}

    # -- before the step

    def begin(self, frame: Frame, data: Any) -> None:
        """Reads weights, learning rate and loss scale as the step meets them."""
        if not self.layers:
            self.layers = facts.layer_uses(self.model)
        frame.before = {key(v): tensor(v) for v in watched(self.model) if v.trainable}
        frame.numbers = self._settings()
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        frame.data = {"x": x, "y": y}
        if self._branch is not None:
            self._branch.assign(tf.zeros_like(self._branch))

    def _settings(self) -> measure.Numbers:
        found: measure.Numbers = {}
        for one in self.optimizers[:1]:
            found["learning_rate"] = tf.cast(tf.convert_to_tensor(leaves(one)[0].learning_rate), tf.float64)
            scale = getattr(one, "dynamic_scale", None)
            if scale is not None:
                found["loss_scale"] = tf.cast(tf.convert_to_tensor(scale), tf.float64)
        return found

    # -- inside the optimizer, where it updates in a branch of the graph

    def in_branch(self, frame: Frame) -> Callable[[list[Any], list[Any]], None]:
        """Returns what takes gradients that can not leave the branch in which they are used."""

        def take(gradients: list[Any], variables: list[Any]) -> None:
            self._prepare()
            places = {key(v): i for i, v in enumerate(self._variables)}
            assert self._branch is not None
            for gradient, variable in zip(gradients, variables, strict=True):
                place = places.get(key(variable))
                if place is not None:
                    now = tensor(variable)
                    numbers = measure.gradient_numbers(gradient, frame.before.get(key(variable)), now)
                    values, known = measure.stacked(numbers, "variable")
                    self._branch.scatter_nd_update([[place]], tf.stack([values, known])[None])
            frame.branched = True

        return take

    def _prepare(self) -> None:
        if self._variables:
            return
        self._variables = watched(self.model)
        with tf.init_scope():
            shape = [len(self._variables), 2, len(VARIABLE)]
            self._branch = tf.Variable(tf.zeros(shape, tf.float64), trainable=False)
            for variable in self._variables:
                size = -(-int(np.prod(variable.shape)) // stride(int(np.prod(variable.shape))))
                self._sketches[key(variable)] = tf.Variable(tf.zeros([size]), trainable=False)

    # -- after the step

    def end(self, frame: Frame, result: Any) -> tf.Tensor:
        """Returns the row of this step, `[2N]` float64."""
        self._prepare()
        self.items = facts.variable_items(self._variables, self.model, self.optimizers)
        self.shapes = self.shapes or facts.shape_facts(*(frame.data.get(n) for n in ("x", "y", "y_pred")))
        parts = [self._variable(frame, i, v) for i, v in enumerate(self._variables)]
        uses = [item for _, item in self.layers]
        self.layout = Layout(tuple(i["name"] for i in self.items), tuple(u["name"] for u in uses))
        parts += [self._layer(frame, u["name"], u["activation"]) for u in uses]
        parts.append(self._run(frame, result))
        return tf.concat([tf.concat([v for v, _ in parts], 0), tf.concat([k for _, k in parts], 0)], 0)

    def _variable(self, frame: Frame, place: int, variable: Any) -> tuple[Any, Any]:
        name, before = key(variable), frame.before.get(key(variable))
        if before is None:  # not trained: described, not measured
            return measure.stacked({}, "variable")
        after = tensor(variable)
        numbers = measure.weight_numbers(before, after)
        gradient = frame.used.get(name, frame.handed.get(name, frame))
        if name in frame.handed and frame.handed[name] is None:
            numbers |= measure.gradient_numbers(None, before, after)
        elif gradient is not frame and not (frame.branched and name not in frame.used):
            numbers |= measure.gradient_numbers(gradient, before, after)
            raw = frame.unclipped.get(name)
            numbers["raw_gradient_norm"] = numbers["gradient_norm"] if raw is None else measure.norm(raw, before)
            numbers["gradient_cosine"] = self._cosine(name, gradient, before)
        values, known = measure.stacked(numbers, "variable")
        if frame.branched and self._branch is not None:
            mask = tf.constant(_OF_GRADIENT)
            seen = self._branch[place, 1]
            values = tf.where(mask & (seen > 0), self._branch[place, 0], values)
            known = tf.maximum(known, tf.where(mask, seen, tf.zeros_like(seen)))
        return values, known

    def _cosine(self, name: int, gradient: Any, like: Any) -> Any:
        now = measure.sketch(gradient, like)
        found = measure.cosine(self._sketches[name].read_value(), now)
        self._sketches[name].assign(now)
        return found

    def _layer(self, frame: Frame, name: str, activation: str) -> tuple[Any, Any]:
        output = frame.outputs.get(name)
        if output is None:
            return measure.stacked({}, "layer")
        output = tf.stop_gradient(output)
        dead = None
        if output.shape.rank and output.shape[-1]:
            dead = batch.dead_units(output)
            if name not in self._dead:
                with tf.init_scope():
                    self._dead[name] = tf.Variable(tf.ones(dead.shape, tf.int32), trainable=False)
            dead = tf.cast(self._dead[name].assign(self._dead[name] * tf.cast(dead, tf.int32)), tf.bool)
        return measure.stacked(batch.layer_numbers(output, activation, dead), "layer")

    def _run(self, frame: Frame, result: Any) -> tuple[Any, Any]:
        data = tf.nest.map_structure(_stopped, frame.data)
        numbers = {**frame.numbers, **batch.batch_numbers(data.get("x"), data.get("y"), data.get("y_pred"))}
        loss = frame.loss
        if loss is None and isinstance(result, dict):
            loss = result.get("loss")
        if loss is not None:
            numbers["loss"] = tf.reduce_mean(tf.cast(tf.stop_gradient(loss), tf.float64))
        if self.optimizers:
            numbers["iterations"] = tf.convert_to_tensor(leaves(self.optimizers[0])[0].iterations)
        return measure.stacked(numbers, "run")


def _stopped(value: Any) -> Any:
    return tf.stop_gradient(value) if tf.is_tensor(value) and value.dtype.is_floating else value
