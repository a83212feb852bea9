"""Turns what a step showed into one row of numbers, inside the step (graph, XLA or eager)."""

from __future__ import annotations

from collections import Counter
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
from ..statistics._groups import Change, grouped
from ..statistics._numpy import UNSEEN, stride
from . import _facts as facts
from ._aside import aside
from ._frame import Frame, clips, key, leaves
from ._state import variable, zeros

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
        self._sketches: dict[int, tf.Variable] = {}  # length -> the last gradients' sketches of that length
        self._rows: dict[int, tuple[int, int]] = {}  # id of variable -> length and row of its sketch
        self._dead: dict[str, tf.Variable] = {}
        self._functions: dict[Any, Any] = {}  # kind of layer output -> what measures it

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
        if frame.arrays is not None:
            frame.arrays.begin()
        if self._branch is not None:
            self._branch.assign(tf.zeros_like(self._branch))

    def _settings(self) -> measure.Numbers:
        found: measure.Numbers = {}
        for one in self.optimizers[:1]:
            rate = getattr(leaves(one)[0], "learning_rate", None)  # a MultiOptimizer has none until it is built
            if rate is not None:
                found["learning_rate"] = tf.cast(tf.convert_to_tensor(rate), tf.float64)
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
            pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if key(v) in places]
            changes = [Change(g, frame.before.get(key(v)), tensor(v)) for g, v in pairs]
            values, known = _rows(
                changes, lambda _, c, axis: measure.gradient_numbers(c.gradient, c.before, c.after, axis)
            )
            chosen = [[places[key(v)]] for _, v in pairs]
            self._branch.scatter_nd_update(chosen, tf.stack([values, known], axis=1))
            frame.branched = True
            if frame.arrays is not None:
                names = facts.unique(facts.name_of(v) for v in self._variables)
                told = zip((names[places[key(v)]] for _, v in pairs), changes, strict=True)
                frame.arrays.measure("branch", {name: change._replace(before=None) for name, change in told})

        return take

    def _prepare(self) -> None:
        if self._variables:
            return
        self._variables = watched(self.model)
        self._branch = zeros(len(self._variables), 2, len(VARIABLE))
        counts: Counter[int] = Counter()
        for one in self._variables:
            size = int(np.prod(one.shape))
            length = -(-size // stride(size))
            self._rows[key(one)] = length, counts[length]
            counts[length] += 1
        self._sketches = {n: zeros(count, n, dtype=np.float32) for n, count in counts.items()}

    # -- after the step

    def end(self, frame: Frame) -> tf.Tensor:
        """Returns the row of this step, `[2N]` float64."""
        self._prepare()
        self.items = facts.variable_items(self._variables, self.model, self.optimizers)
        self.shapes = self.shapes or facts.shape_facts(*(frame.data.get(n) for n in ("x", "y", "y_pred")))
        parts = [self._weights(frame)]
        uses = [item for _, item in self.layers]
        self.layout = Layout(tuple(i["name"] for i in self.items), tuple(u["name"] for u in uses))
        parts += [self._layer(frame, u["name"], u["activation"]) for u in uses]
        parts.append(self._run(frame))
        return tf.concat([tf.concat([v for v, _ in parts], 0), tf.concat([k for _, k in parts], 0)], 0)

    def _weights(self, frame: Frame) -> tuple[Any, Any]:
        # What is not trained is described, not measured.
        places = [i for i, v in enumerate(self._variables) if key(v) in frame.before]
        changes = [self._change(frame, self._variables[i]) for i in places]
        if frame.arrays is not None:
            frame.arrays.measure("step", {self.items[i]["name"]: c for i, c in zip(places, changes, strict=True)})
        ids = [key(self._variables[i]) for i in places]
        values, known = _rows(changes, lambda group, *rest: self._variable([ids[i] for i in group], *rest))
        if len(places) < len(self._variables):
            shape = [len(self._variables), len(VARIABLE)]
            values, known = (tf.scatter_nd(np.array(places, np.int32)[:, None], x, shape) for x in (values, known))
        if frame.branched and self._branch is not None:
            seen = tf.where(tf.constant(_OF_GRADIENT), self._branch[:, 1], tf.zeros([], tf.float64))
            values, known = tf.where(seen > 0, self._branch[:, 0], values), tf.maximum(known, seen)
        return tf.reshape(values, [-1]), tf.reshape(known, [-1])

    def _change(self, frame: Frame, variable: Any) -> Change:
        name = key(variable)
        gradient = frame.used.get(name, frame.handed.get(name, UNSEEN))
        if name in frame.handed and frame.handed[name] is None:
            gradient = None
        elif (frame.branched or frame.replicas > 1) and name not in frame.used:
            gradient = UNSEEN  # what was handed over is something else
        raw = frame.unclipped.get(name) if gradient is not None and gradient is not UNSEEN else None
        if frame.replicas > 1 and any(clips(leaf) for one in self.optimizers for leaf in leaves(one)):
            raw = UNSEEN  # each replica clips its own part before they are added up
        return Change(aside(gradient), frame.before[name], tensor(variable), aside(raw))

    def _variable(self, ids: list[int], change: Change, axis: int | None) -> measure.Numbers:
        gradient, before, after, raw = change
        numbers = measure.change_numbers(gradient, before, after, axis)
        if "gradient_norm" in numbers:
            if raw is not UNSEEN:
                clipped = raw is not None
                numbers["raw_gradient_norm"] = measure.norm(raw, before, axis) if clipped else numbers["gradient_norm"]
            numbers["gradient_cosine"] = self._cosine(ids, measure.sketch(gradient, before, axis))
        return numbers

    def _cosine(self, ids: list[int], now: Any) -> Any:
        """Compares the gradients of variables of one shape, `[k]` or `[n, k]`, with those of the last step."""
        length, rows = self._rows[ids[0]][0], [self._rows[name][1] for name in ids]
        if not length:  # of empty variables
            return tf.constant(np.nan, tf.float64)
        state = self._sketches[length]
        found = measure.cosine(tf.reshape(tf.gather(state.read_value(), rows), tf.shape(now)), now)
        state.scatter_nd_update([[row] for row in rows], tf.reshape(now, [len(rows), length]))
        return found

    def _layer(self, frame: Frame, name: str, activation: str) -> tuple[Any, Any]:
        output = frame.outputs.get(name)
        if output is None:
            return measure.stacked({}, "layer")
        if not measure.measurable(output.dtype):
            return measure.stacked({}, "layer")
        output = tf.stop_gradient(output)
        if not output.shape.rank or not output.shape[-1]:
            return measure.stacked(batch.layer_numbers(output, activation), "layer")
        if output.shape.rank > 1:
            output = tf.reshape(output, [-1, output.shape[-1]])
        if name not in self._dead:
            self._dead[name] = variable(np.ones(output.shape[-1], np.int32))
        values, known, dead = self._function(output, activation)(output, self._dead[name].read_value())
        self._dead[name].assign(dead)
        return values, known

    def _function(self, output: Any, activation: str) -> Any:
        """Returns what measures such outputs; one trace serves all layers of a kind, of which there may be hundreds."""
        kind = tf.TensorSpec([None, *output.shape[1:]], output.dtype), activation
        if kind not in self._functions:

            def measured(output: Any, dead: Any) -> Any:
                dead = dead * tf.cast(batch.dead_units(output), tf.int32)
                numbers = batch.layer_numbers(output, activation, tf.cast(dead, tf.bool))
                return *measure.stacked(numbers, "layer"), dead

            mask = tf.TensorSpec([output.shape[-1]], tf.int32)
            with tf.init_scope():
                self._functions[kind] = tf.function(measured, autograph=False).get_concrete_function(kind[0], mask)
        return self._functions[kind]

    def _run(self, frame: Frame) -> tuple[Any, Any]:
        data = tf.nest.map_structure(_stopped, frame.data)
        numbers = {**frame.numbers, **batch.batch_numbers(data.get("x"), data.get("y"), data.get("y_pred"))}
        loss = frame.loss
        if loss is None and isinstance(frame.result, dict):
            loss = frame.result.get("loss")
        if loss is not None:
            numbers["loss"] = tf.reduce_mean(tf.cast(tf.stop_gradient(loss), tf.float64))
        if self.optimizers:
            numbers["iterations"] = tf.convert_to_tensor(leaves(self.optimizers[0])[0].iterations)
        return measure.stacked(numbers, "run")


def _rows(
    changes: list[Change], numbers_of: Callable[[tuple[int, ...], Change, int | None], measure.Numbers]
) -> tuple[Any, Any]:
    """Returns the numbers of variables, `[V, S]` in the order of `changes`, and which are known."""
    groups = grouped(changes)
    if not groups:
        return tf.zeros([0, len(VARIABLE)], tf.float64), tf.zeros([0, len(VARIABLE)], tf.float64)
    parts = [measure.stacked(numbers_of(*group), "variable", len(group.places)) for group in groups]
    order = np.argsort([place for group in groups for place in group.places])
    values, known = (tf.gather(tf.concat(part, 0), order) for part in zip(*parts, strict=True))
    return values, known


def _stopped(value: Any) -> Any:
    return tf.stop_gradient(value) if tf.is_tensor(value) and value.dtype.is_floating else value
