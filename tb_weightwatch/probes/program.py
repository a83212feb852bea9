"""The training program under test: one function that makes a training step, and its gradients without the update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ..capture.observe import flat_layers, whole_loss_name
from .graphs import eager_functions, traced
from .state import SavedState, live_variables, replaced, tensor_variable

Batch = Any  # (x, y), (x, y, sample_weight), or whatever the step function takes


class CannotRun(Exception):
    """An experiment does not apply to this program; the message says why, as a clause without a full stop."""


class Gradients(NamedTuple):
    """What one step computes before the update.

    Attributes:
        loss: its loss.
        gradients: of each variable that was handed to an optimizer; None where there is none.
        variables: the variables.
    """

    loss: float
    gradients: list[Any]
    variables: list[Any]


class Program:
    """A training step, run as it is or without its update.

    Args:
        function: makes one step for a batch and returns its loss (a tensor or a number).
        model: the Keras model that it trains; None if there is none.
        optimizers: the optimizers that it calls.
        variables: what it trains.
        traced: whether `function` may be compiled as a graph; it then is.
        kind: "fit" for `model.fit`, "by hand" for a step of our own, "loop" for the user's step function.
        loss_of: returns the loss for a batch and predictions; None if the loss function is not known.
    """

    def __init__(  # noqa: PLR0913
        self,
        function: Callable[[Batch], Any],
        *,
        model: Any,
        optimizers: Sequence[Any],
        variables: Sequence[Any],
        traced: bool,
        kind: str,
        loss_of: Callable[[Batch, Any], Any] | None = None,
    ) -> None:
        self.function, self.model, self.kind, self._loss_of = function, model, kind, loss_of
        self.optimizers, self.variables = list(optimizers), list(variables)
        self._traced = traced
        self._step: Callable[[Batch], Any] | None = None
        self._gradients: Callable[[Batch], Any] | None = None
        self._layout: tuple[list[bool], list[Any]] = ([], [])
        self._others: list[Any] = []
        self._given: dict[int, list[Any]] = {}  # id of an optimizer -> the variables that it is given

    def find_changing(self, batch: Batch, state: SavedState) -> None:
        """Runs a step and notes which variables of a state it changes; the state is restored."""
        with state.restored():
            self.step(batch)
            self._others = state.changed()

    def build_optimizers(self, batch: Batch) -> None:
        """Builds the optimizers of a loop that have not been used yet, each for the variables that it is given."""
        unused = [optimizer for optimizer in self.optimizers if not getattr(optimizer, "built", True)]
        if not unused:
            return
        with SavedState(live_variables()).restored():
            self.gradients(batch)
        for optimizer in unused:
            if self._given.get(id(optimizer)):
                optimizer.build(self._given[id(optimizer)])

    def saved_state(self) -> SavedState:
        """Returns the present state: model, metrics, optimizers, and what the loop trains."""
        model = self.model
        of_model = [] if model is None else [*model.variables, *model.metrics_variables]
        of_optimizers = [variable for optimizer in self.optimizers for variable in optimizer.variables]
        layers = [] if model is None else [model, *model._flatten_layers(include_self=False)]
        return SavedState([*of_model, *of_optimizers, *self.variables, *self._others], layers)

    def forget_traces(self) -> None:
        """Has the step traced again, since what it does has changed (an activation, a `trainable` flag)."""
        self._step = self._gradients = None

    def step(self, batch: Batch) -> float:
        """Makes one step as the program makes it, update included; returns the loss before the update."""
        if self._step is None:
            self._step = traced(self.function) if self._traced else self.function
        self._reset_metrics()
        return as_loss(self._step(batch))

    def loss_follows_predictions(self, batch: Batch) -> bool | None:
        """Checks whether the loss changes when the predictions do; None if the loss function is not known."""
        if self._loss_of is None:
            return None
        predictions = self.model(keras.utils.unpack_x_y_sample_weight(batch)[0], training=False)
        generator = np.random.default_rng(0)

        def changed(prediction: Any) -> Any:
            noise = generator.uniform(0.05, 0.95, prediction.shape)  # also valid as probabilities
            return tf.cast(noise, prediction.dtype)

        losses = [as_loss(self._loss_of(batch, keras.tree.map_structure(changed, predictions))) for _ in range(3)]
        return len(set(losses)) > 1

    def loss(self, batch: Batch) -> float:
        """Returns the loss of a batch. The step of a loop is made whole; of others the update is left out."""
        try:
            return self.step(batch) if self.kind == "loop" else self.gradients(batch).loss
        except CannotRun:
            return self.step(batch)

    def gradients(self, batch: Batch) -> Gradients:
        """Runs forward and backward pass of a step, without its update. Statistics of layers may change.

        Raises:
            CannotRun: the step hands no gradient to an optimizer.
        """
        if self._gradients is None:
            self._gradients = traced(self._captured) if self._traced else self._captured
        self._reset_metrics()
        with eager_functions(not self._traced):
            loss, present = self._gradients(batch)
        is_given, variables = self._layout
        if not variables:
            raise CannotRun("the step hands no gradients to an optimizer that the experiment knows")
        remaining = iter(present)
        return Gradients(as_loss(loss), [next(remaining) if given else None for given in is_given], variables)

    def _captured(self, batch: Batch) -> tuple[Any, list[Any]]:
        """Runs a step whose optimizers only keep what they are given; returns the loss, and gradients without None."""
        pairs: list[tuple[Any, Any]] = []

        def apply(optimizer: Any) -> Callable[..., None]:
            def keep(gradients: Any, variables: Any = None) -> None:
                given = list(optimizer._trainable_variables if variables is None else variables)
                self._given[id(optimizer)] = given
                pairs.extend(zip(gradients, given, strict=True))

            return keep

        def apply_gradients(optimizer: Any) -> Callable[..., None]:
            def keep(grads_and_vars: Any, *arguments: Any, **options: Any) -> None:
                given = list(grads_and_vars)
                self._given[id(optimizer)] = [variable for _, variable in given]
                pairs.extend(given)

            return keep

        hooks = [(optimizer, "apply", apply(optimizer)) for optimizer in self.optimizers]
        hooks += [(optimizer, "apply_gradients", apply_gradients(optimizer)) for optimizer in self.optimizers]
        hooks += [(optimizer, "scale_loss", lambda loss: loss) for optimizer in self.optimizers]
        with replaced(hooks):
            loss = self.function(batch)
        self._layout = [gradient is not None for gradient, _ in pairs], [variable for _, variable in pairs]
        return loss, [gradient for gradient, _ in pairs if gradient is not None]

    def _reset_metrics(self) -> None:
        """Makes the loss that a `train_step` reports that of the step alone, not a running mean."""
        if self.model is not None and self.kind == "fit":
            self.model.reset_metrics()


def as_loss(result: Any) -> float:
    """Returns the loss in what a step returns: a number, a dict with a "loss", or a tuple that begins with it."""
    if isinstance(result, dict):
        name = whole_loss_name(result)
        if name is None:
            raise CannotRun(f"the training step returns no loss, only {', '.join(map(str, result)) or 'nothing'}")
        result = result[name]
    if isinstance(result, (tuple, list)) and result:
        result = result[0]
    if result is None:
        raise CannotRun("the training step returns no loss; return it from the step function")
    return float(np.mean(np.asarray(result)))


def copied(optimizer: Any, **settings: Any) -> Any:
    """Returns a new optimizer with the same settings but these. Its variables have their initial values.

    Raises:
        CannotRun: its class cannot be made from its configuration.
    """
    try:
        return type(optimizer).from_config({**optimizer.get_config(), **settings})
    except Exception as error:
        raise CannotRun(f"{type(optimizer).__name__} cannot be copied ({type(error).__name__})") from error


def layers_of(program: Program) -> list[Any]:
    """Returns the layers of the program's model, those of nested models included."""
    return [] if program.model is None else flat_layers(program.model)


def values(variables: Sequence[Any]) -> list[Any]:
    """Returns the present values of variables as tensors, which later updates do not change."""
    return [tf.identity(tensor_variable(variable)) for variable in variables]
