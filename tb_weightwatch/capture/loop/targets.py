"""The models, optimizers and variables that a hand-written loop gave us to watch; more may appear as it runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import keras

from ...statistics import measurable
from ..legacy.objects import frozen_ids, is_trained
from ..observe import model_facts as facts
from ..observe.library_versions import library_versions
from ..observe.model_layers import moving_statistics
from ..observe.observation import variable_id
from ..observe.optimizer_facts import optimized_count, optimizer_facts
from ..observe.replicas import reduce_gradient
from ..recorder import Recorder
from .gradient_arguments import check_pairs, is_pair, pairs_of, reject_swapped
from .optimizer_counters import all_base_optimizers
from .own_variables import OwnVariables


class WatchTargets:
    """Knows which variables and layers are watched, in the order in which they first appeared: the V and L axes.

    Args:
        models: Keras models.
        optimizers: their optimizers, the outermost ones.
        variables: further variables.
        replicas: number of replicas in sync.

    Attributes:
        variables: id of variable -> variable.
        names: id of variable -> its name, of the variables that have been described.
        layer_outputs: name of layer output -> its description.
        own: the variables that belong to no model.
        predecessors: id of variable -> id of the variable whose place it has taken in the present step.
    """

    def __init__(
        self, models: Sequence[Any], optimizers: Sequence[Any], variables: Iterable[Any], replicas: int = 1
    ) -> None:
        self.models, self.optimizers, self.replicas = models, optimizers, replicas
        self.variables: dict[int, Any] = {}
        self.names: dict[int, str] = {}
        self.layer_outputs: dict[str, dict[str, Any]] = {}
        self.own = OwnVariables(variables)
        self.predecessors: dict[int, int] = {}
        self._layers: dict[int, tuple[Any, Any, str]] = {}  # id of layer -> model, layer, name of its output
        self._moving_statistics: set[int] = set()  # ids of variables
        self._frozen: set[int] = set()
        self._described: Any = None

    @property
    def trained(self) -> dict[int, Any]:
        """The trainable variables: id -> variable."""
        return {key: v for key, v in self.variables.items() if is_trained(v, self._frozen)}

    @property
    def measured(self) -> dict[int, Any]:
        """The trainable variables and the moving statistics of BatchNormalization: id -> variable."""
        statistics = self._moving_statistics
        return {k: v for k, v in self.variables.items() if is_trained(v, self._frozen) or k in statistics}

    @property
    def moving_statistics(self) -> frozenset[str]:
        """Names of the moving statistics of BatchNormalization, of those that have been described."""
        return frozenset(self.names[key] for key in self._moving_statistics if key in self.names)

    @property
    def layers(self) -> list[tuple[Any, Any, str]]:
        """The layers whose outputs are read: model, layer, name of the output."""
        return list(self._layers.values())

    def begin_step(self) -> None:
        """Begins a recorded step, to which nothing has been given yet."""
        self.own.begin_step()
        self.predecessors = {}

    def add(self, variables: Iterable[Any]) -> None:
        """Adds variables that the present step is given; one may take the place of another that is no longer used."""
        for old, variable in self.own.receive(variables, self.variables).items():
            new = variable_id(variable)
            self.predecessors[new] = old
            self.variables = {new if k == old else k: variable if k == old else v for k, v in self.variables.items()}
            self.names = {new if k == old else k: name for k, name in self.names.items()}

    def drop_released(self) -> int:
        """Drops variables that the program no longer holds; returns how many. Their names stay on the V axis."""
        released = self.own.drop_released(self.variables)
        for key in released:  # another variable may get the id
            self.names = {~key if k == key else k: name for k, name in self.names.items()}
        return len(released)

    def add_layer_output(self, name: str) -> None:
        """Adds the output of a further call of a layer in the same step, "dense#2"."""
        if name not in self.layer_outputs:
            first = self.layer_outputs.get(name.rpartition("#")[0], {"kind": "", "activation": ""})
            self.layer_outputs[name] = {**first, "name": name}

    def refresh(self) -> bool:
        """Adds variables and layers that have been made since; returns whether there may be something new to hook."""
        count = len(self.variables)
        self._frozen = frozen_ids(self.models)
        for variable in [*(v for model in self.models for v in model.variables), *self.own.variables.values()]:
            if measurable(keras.backend.standardize_dtype(variable.dtype)):
                self.variables.setdefault(variable_id(variable), variable)
        if self._layers and len(self.variables) == count:
            return False
        for model in self.models:
            self._moving_statistics |= moving_statistics(model)
            for layer, item in facts.layer_uses(model):
                if id(layer) not in self._layers:
                    name = facts.unique_names([*self.layer_outputs, item["name"]])[-1]
                    self._layers[id(layer)] = model, layer, name
                    self.layer_outputs[name] = {**item, "name": name}
        return True

    def trained_variables(self) -> list[Any]:
        """Returns the trainable variables of the models, and the variables that belong to none."""
        of_models = [variable for model in self.models for variable in model.trainable_variables]
        own = [variable for variable in self.own.variables.values() if variable.trainable]
        return list({variable_id(variable): variable for variable in [*of_models, *own]}.values())

    def describe(self, recorder: Recorder, step: int) -> None:
        """Describes to the recorder what is watched, if it has changed."""
        bases = all_base_optimizers(self.optimizers)
        optimized = tuple(map(optimized_count, bases))
        names = self.names  # one that took the place of another has its name
        trainable = tuple((names.get(k), is_trained(v, self._frozen)) for k, v in self.variables.items())
        if (trainable, optimized, len(self.layer_outputs)) == self._described:
            return
        self._described = trainable, optimized, len(self.layer_outputs)
        recorder.describe(step, "variables", {"items": self._variable_items()})
        recorder.describe(step, "layers", {"items": list(self.layer_outputs.values())})
        known: dict[str, Any] = {"versions": library_versions()}
        for model in self.models[:1]:
            known |= facts.model_facts(model)
        if len(self.models) > 1:
            known.pop("output_layer", None)  # any of them may make the predictions
        recorder.describe(step, "facts", {**known, **optimizer_facts(list(self.optimizers))})

    def _variable_items(self) -> list[dict[str, Any]]:
        """Returns the description of each variable, under the name that it was given first."""
        all_models = SimpleNamespace(_layers=self.models)
        items = facts.variable_items(list(self.variables.values()), all_models, list(self.optimizers))
        taken = set(self.names.values())
        for key, item in zip(self.variables, items, strict=True):
            if key not in self.names:
                self.names[key] = _free_name(item["name"], taken)
                taken.add(self.names[key])
            item["name"] = self.names[key]
        return items

    def match_gradients(self, gradients: Iterable[Any], variables: Sequence[Any] = ()) -> dict[int, Any]:
        """Returns id of variable -> gradient.

        Args:
            gradients: as given to `Watch.step`.
            variables: those that the same step was given.

        Raises:
            TypeError: one of them is no gradient.
            ValueError: the gradients do not fit the variables, or belong to a traced function.
        """
        pairs = self._pairs(gradients, variables)
        check_pairs(pairs)
        self.add(v for _, v in pairs)
        return {variable_id(v): gradient for gradient, v in pairs}

    def _pairs(self, gradients: Iterable[Any], variables: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Returns (gradient, variable) pairs. Its lists are gone before `add` looks which variables are still held."""
        combine = partial(reduce_gradient, replicas=self.replicas)
        items = list(gradients)
        reject_swapped(items, self.variables)
        given = [(combine(item[0]), item[1]) if is_pair(item) else combine(item) for item in items]
        trained = list(self.trained.values()) or self.trained_variables()  # the model may have been built since
        all_frozen = bool(self.variables) and not trained
        is_iterator = hasattr(gradients, "__next__")
        return pairs_of(given, trained, variables, is_iterator=is_iterator, all_frozen=all_frozen)


def _free_name(name: str, taken: set[str]) -> str:
    """Returns the name, with "#2", "#3" ... if it is taken."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}#{number}", number + 1
    return free
