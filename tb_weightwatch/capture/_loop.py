"""What a hand-written loop shows: hooks that act on eager calls only, snapshots, and one compiled function of our own."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ..statistics import _batch as batch
from ..statistics import _tensorflow as measure
from . import _facts as facts
from ._frame import Frame, Hooks, key, leaves, watch_layers, watch_optimizer
from ._measuring import Layout, tensor

UNSEEN, NONE, SEEN = "unseen", "none", "seen"


class Loop:
    """State of the present step of a hand-written loop.

    Args:
        models: Keras models; their layers' outputs and inputs are seen where they are called eagerly.
        optimizers: Keras optimizers; gradients are seen where they are applied eagerly.
        variables: further variables.
    """

    def __init__(self, models: list[Any], optimizers: list[Any], variables: list[Any]) -> None:
        self.models, self.optimizers, self.given = models, optimizers, variables
        self.frame = Frame(None, opened=False)
        self.frame.on_apply = self._applying
        self.variables: list[Any] = []  # in the order of the V axis; only grows
        self.layers: dict[str, dict[str, Any]] = {}  # name -> description, in the order of the L axis; only grows
        self._hooks = Hooks()
        self._sketches: dict[int, Any] = {}
        self._dead: dict[str, Any] = {}
        self._numbers = tf.function(self._graph, autograph=False, reduce_retracing=True)
        for optimizer in optimizers:
            watch_optimizer(self._hooks, self.frame, optimizer, lambda gradients, variables: None)
        for model in models:
            self._hooks.put(model, "call", functools.partial(self._calling, model))

    def close(self) -> None:
        """Takes all hooks off and lets the snapshots go."""
        self._hooks.remove()
        self.frame.clear(opened=False)

    # -- hooks

    def _calling(self, model: Any, original: Any, *args: Any, **kwargs: Any) -> Any:
        frame = self.frame
        looking = frame.here() and not frame.applied
        if looking:
            with frame.guard():
                names = self._describe_layers(model)
                watch_layers(self._hooks, frame, model, names)
                for name in [n for n in frame.outputs if n.partition("#")[0] in set(names.values())]:
                    del frame.outputs[name]  # of an earlier forward pass
        result = original(*args, **kwargs)
        if looking:
            with frame.guard():
                frame.data.update(x=args[0] if args else next(iter(kwargs.values()), None), y_pred=result)
        return result

    def _describe_layers(self, model: Any) -> dict[int, str]:
        found = {}
        for layer, item in facts.layer_uses(model):
            self.layers.setdefault(item["name"], item)
            found[id(layer)] = item["name"]
        return found

    def _applying(self, optimizer: Any, variables: Iterable[Any]) -> None:
        """Sees what an update is about to change, if it was not there at the end of the step before."""
        for variable in variables:
            self.frame.before.setdefault(key(variable), tensor(variable))
        if "learning_rate" not in self.frame.numbers:
            self.frame.numbers.update(_settings(optimizer))

    # -- steps

    def await_step(self, recorded: bool) -> None:
        """Takes a snapshot for the step to come if it will be recorded; else lets everything go."""
        self.frame.clear(opened=recorded)
        if recorded:
            self._list_variables()
            self.frame.before = {key(v): tensor(v) for v in self.variables if _trained(v)}
            iterations = [leaf.iterations for one in self.optimizers[:1] for leaf in leaves(one)[:1]]
            self._iterations = tensor(iterations[0]) if iterations else None
        else:
            self._sketches.clear()

    def _list_variables(self) -> None:
        known = {key(v) for v in self.variables}
        held = [v for model in self.models for v in model.variables]
        if not self.models and not self.given:
            held = [v for one in self.optimizers for leaf in leaves(one) for v in getattr(leaf, "_trainable_variables", [])]
        for variable in [*held, *self.given]:
            if key(variable) not in known and measure.measurable(tf.as_dtype(_dtype(variable))):
                known.add(key(variable))
                self.variables.append(variable)

    def items(self) -> list[dict[str, Any]]:
        """Returns the description of the variables."""
        model = self.models[0] if len(self.models) == 1 else _Several(self.models)
        return facts.variable_items(self.variables, model, self.optimizers)

    def row(
        self, loss: Any, data: dict[str, Any], gradients: dict[int, Any] | None
    ) -> tuple[NDArray[np.float64], Layout, str]:
        """Returns the row of the step that has just ended, its layout, and which gradients it is about."""
        self._list_variables()
        frame = self.frame
        seen = {**frame.handed, **frame.used}  # None stays only in what was handed over
        source = "used" if frame.handed else "raw" if gradients else "none"
        if not frame.handed and gradients:
            seen = gradients
        raw = gradients or frame.unclipped
        outputs = {name: frame.outputs[name] for name in self.layers if name in frame.outputs}
        kinds = tuple(SEEN if seen.get(key(v)) is not None else NONE if key(v) in seen else UNSEEN for v in self.variables)
        row, sketches, dead = self._numbers(
            kinds,
            [seen.get(key(v)) for v in self.variables],
            [raw.get(key(v)) if source == "used" else None for v in self.variables],
            [frame.before.get(key(v)) for v in self.variables],
            [tensor(v) for v in self.variables],
            [self._sketches.get(key(v)) for v in self.variables],
            outputs,
            {name: self._dead[name] for name in outputs if name in self._dead},
            {name: _tensors(value) for name, value in {**frame.data, **data}.items()},
            {**self._rates(), **({} if loss is None else {"loss": loss})},
        )
        self._sketches = {key(v): s for v, s in zip(self.variables, sketches, strict=True) if s is not None}
        self._dead.update(dead)
        layout = Layout(tuple(facts.unique(map(facts.name_of, self.variables))), tuple(self.layers))
        return row.numpy()[None], layout, source

    def _rates(self) -> dict[str, Any]:
        found = dict(self.frame.numbers)
        for one in self.optimizers[:1]:
            leaf = leaves(one)[0]
            if "learning_rate" not in found:
                schedule = getattr(leaf, "_learning_rate", None)
                # The schedule's value at the iteration that the step began with: the step itself counted on.
                begun = self._iterations if callable(schedule) and self._iterations is not None else None
                found.update({"learning_rate": schedule(begun)} if begun is not None else _settings(one))
            if getattr(leaf, "iterations", None) is not None:
                found["iterations"] = tensor(leaf.iterations)
        return {name: tf.cast(tf.convert_to_tensor(value), tf.float64) for name, value in found.items()}

    # -- arithmetic, compiled once per signature

    def _graph(
        self,
        kinds: tuple[str, ...],
        gradients: list[Any],
        raw: list[Any],
        before: list[Any],
        after: list[Any],
        sketches: list[Any],
        outputs: dict[str, Any],
        dead: dict[str, Any],
        data: dict[str, Any],
        rates: dict[str, Any],
    ) -> tuple[Any, list[Any], dict[str, Any]]:
        parts, kept = [], []
        for kind, g, r, b, a, s in zip(kinds, gradients, raw, before, after, sketches, strict=True):
            numbers = {} if b is None and kind == UNSEEN else measure.weight_numbers(b, a)
            trace = None
            if kind == NONE:
                numbers |= measure.gradient_numbers(None, b, a)
            elif kind == SEEN:
                numbers |= measure.gradient_numbers(g, b, a)
                numbers["raw_gradient_norm"] = numbers["gradient_norm"] if r is None else measure.norm(r, a)
                trace = measure.sketch(g, a)
                if s is not None:
                    numbers["gradient_cosine"] = measure.cosine(s, trace)
            kept.append(trace)
            parts.append(measure.stacked(numbers, "variable"))
        masks: dict[str, Any] = {}
        for name, item in self.layers.items():
            numbers = {}
            if name in outputs:
                output = outputs[name]
                if output.shape.rank and output.shape[-1]:
                    masks[name] = batch.dead_units(output)
                    if name in dead:
                        masks[name] &= dead[name]
                numbers = batch.layer_numbers(output, item["activation"], masks.get(name))
            parts.append(measure.stacked(numbers, "layer"))
        run = {**batch.batch_numbers(data.get("x"), data.get("y"), data.get("y_pred")), **rates}
        parts.append(measure.stacked(run, "run"))
        return tf.concat([v for v, _ in parts] + [k for _, k in parts], 0), kept, masks


class _Several:
    """Several models, walked like one."""

    def __init__(self, models: list[Any]) -> None:
        self._layers = models


def _settings(optimizer: Any) -> dict[str, Any]:
    leaf = leaves(optimizer)[0]
    found = {"learning_rate": tf.convert_to_tensor(leaf.learning_rate)} if hasattr(leaf, "learning_rate") else {}
    scale = getattr(optimizer, "dynamic_scale", None)
    return found if scale is None else {**found, "loss_scale": tf.convert_to_tensor(scale)}


def _trained(variable: Any) -> bool:
    return bool(getattr(variable, "trainable", True))


def _dtype(variable: Any) -> Any:
    return getattr(variable.dtype, "name", variable.dtype)


def _tensors(structure: Any) -> Any:
    """Returns the structure with tensors; what can not be one is left out."""
    found = []
    for value in tf.nest.flatten(structure):
        try:
            found.append(tf.convert_to_tensor(value))
        except (ValueError, TypeError):
            continue
    return found
