"""What a hand-written loop gave us to watch: models, optimizers, variables; they may come into being as it runs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any

import keras
import tensorflow as tf

from ...statistics import measurable
from ..observe import model_facts as facts
from ..observe.library_versions import library_versions
from ..observe.observation import base_optimizers, variable_id
from ..observe.replicas import reduce_gradient
from ..recorder import Recorder
from .hooks import LoopHooks


class WatchTargets:
    """Keeps the order in which variables and layer uses first appeared: the V and L axes."""

    def __init__(self, models: list[Any], optimizers: list[Any], variables: list[Any], replicas: int = 1) -> None:
        self.models, self.optimizers, self._replicas = models, optimizers, replicas
        self.variables: dict[int, Any] = {}  # id -> variable
        self.uses: dict[str, dict[str, Any]] = {}  # name of layer use -> its description
        self._extra = list(variables)
        self._layers: dict[int, tuple[Any, Any, str]] = {}
        self._described: Any = None

    @property
    def leaves(self) -> list[Any]:
        """The optimizers that truly update."""
        return [leaf for one in self.optimizers for leaf in base_optimizers(one)]

    @property
    def trained(self) -> dict[int, Any]:
        """The variables that are measured: id -> variable."""
        return {k: v for k, v in self.variables.items() if getattr(v, "trainable", True)}

    def add(self, variables: Iterable[Any]) -> None:
        """Watches these as well."""
        known = {variable_id(v) for v in self._extra}
        self._extra += [v for v in variables if variable_id(v) not in known]

    def use(self, name: str) -> None:
        """Takes in a further use of a layer, "dense#2"."""
        if name not in self.uses:
            self.uses[name] = {**self.uses.get(name.rpartition("#")[0], {"kind": "", "activation": ""}), "name": name}

    def refresh(self, sight: LoopHooks) -> None:
        """Takes in variables and layers that have come into being."""
        before = len(self.variables)
        for variable in [*(v for m in self.models for v in m.variables), *self._extra]:
            if measurable(keras.backend.standardize_dtype(variable.dtype)):
                self.variables.setdefault(variable_id(variable), variable)
        if not self._layers or len(self.variables) != before:
            for model in self.models:
                for layer, item in facts.layer_uses(model):
                    if id(layer) not in self._layers:
                        name = facts.unique_names([*self.uses, item["name"]])[-1]
                        self._layers[id(layer)] = model, layer, name
                        self.uses[name] = {**item, "name": name}
            sight.install(self.models, self.optimizers, list(self._layers.values()))

    def describe(self, recorder: Recorder, step: int) -> None:
        """Writes what is watched, where it has changed."""
        listed = tuple(len(getattr(leaf, "_trainable_variables", ())) for leaf in self.leaves)
        trainable = tuple((k, bool(getattr(v, "trainable", True))) for k, v in self.variables.items())
        if (trainable, listed, len(self.uses)) == self._described:
            return
        self._described = trainable, listed, len(self.uses)
        whole = SimpleNamespace(_layers=self.models)
        items = facts.variable_items(list(self.variables.values()), whole, self.optimizers)
        recorder.describe(step, "variables", {"items": items})
        recorder.describe(step, "layers", {"items": list(self.uses.values())})
        told: dict[str, Any] = {"versions": library_versions()}
        for model in self.models[:1]:
            told |= facts.model_facts(model)
        recorder.describe(step, "facts", {**told, **facts.optimizer_facts(self.optimizers)})

    def pairs(self, gradients: Iterable[Any]) -> dict[int, Any]:
        """Returns id of variable -> gradient.

        Raises:
            ValueError: they can not be matched, or are of a traced function.
        """
        one = partial(reduce_gradient, replicas=self._replicas)
        given = [(one(g[0]), g[1]) if _is_pair(g) else one(g) for g in gradients]
        trained = list(self.trained.values())
        if not given and self.variables and not trained:  # all is frozen: there is nothing to be given
            pairs = []
        elif given and all(_is_pair(item) for item in given):
            pairs = [(g, v) for g, v in given]
        elif given and len(given) == len(trained):
            pairs = list(zip(given, trained, strict=True))
        elif not given and hasattr(gradients, "__next__"):
            raise ValueError(
                "gradients must not be empty: a zip can be read only once, so hand over a list, "
                "list(zip(gradients, variables)), got an iterator that is used up"
            )
        else:
            raise ValueError(
                f"gradients must be (gradient, variable) pairs, or one gradient for each of the {len(trained)} "
                f"trainable watched variables in their order; got {len(given)} without variables: "
                "use zip(gradients, variables)"
            )
        if any(symbolic(g) for g, _ in pairs):
            raise ValueError("gradients must be values, got those of a traced tf.function; return them from it")
        self.add(v for _, v in pairs if variable_id(v) not in self.variables)
        return {variable_id(v): g for g, v in pairs}


def _is_pair(item: Any) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2 and hasattr(item[1], "assign")


def symbolic(value: Any) -> bool:
    """Says whether it is a tensor of a traced function, which has no value."""
    value = value.values if isinstance(value, tf.IndexedSlices) else value
    return bool(tf.is_tensor(value) and tf.is_symbolic_tensor(value))


def as_list(value: Any, name: str, needs: str) -> list[Any]:
    """Returns one object or several as a list.

    Raises:
        TypeError: it is something else.
    """
    found = list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]
    for one in found:
        if isinstance(one, (str, bytes, int, float)) or (needs and not hasattr(one, needs)):
            raise TypeError(f"{name} must be a Keras {name} or a list of them, got {type(one).__name__}")
    return found
