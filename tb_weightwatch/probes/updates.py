"""Ways to make a training step in an experiment: as it is, with longer steps, at another rate, by another optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from ..capture.observe import base_optimizers
from .program import Batch, CannotRun, Program, values
from .state import SavedState, tensor_variable

Update = Callable[[Batch], float]  # makes one step for a batch and returns the loss before its update


def scaled(program: Program, factor: float) -> Update:
    """Returns an update whose steps are `factor` times as long as the program's own: w + factor * (w_new - w)."""

    def update(batch: Batch) -> float:
        before = values(program.variables)
        loss = program.step(batch)
        for variable, old in zip(program.variables, before, strict=True):
            new = tensor_variable(variable)
            if new.dtype.is_floating:
                new.assign(old + tf.cast(factor, new.dtype) * (new - old))
        return loss

    return update


def rate_variables(program: Program) -> list[Any] | None:
    """Returns the variables that hold the learning rates of the program's optimizers; None if one has a schedule."""
    bases = [base for optimizer in program.optimizers for base in base_optimizers(optimizer)]
    rates = [getattr(base, "_learning_rate", None) for base in bases]
    if not rates or not all(isinstance(rate, (keras.Variable, tf.Variable)) for rate in rates):
        return None
    return [tensor_variable(rate) for rate in rates]


def present_rate(program: Program) -> float | None:
    """Returns the present learning rate of the first optimizer; None if it is not known."""
    for optimizer in program.optimizers:
        for base in base_optimizers(optimizer):
            rate = getattr(base, "learning_rate", None)
            return None if rate is None else float(tf.convert_to_tensor(rate))
    return None


def at_rate(program: Program, rate: float) -> Update:
    """Returns the program's own update at another learning rate; several optimizers keep the ratio of their rates.

    Raises:
        CannotRun: the rate cannot be set.
    """
    variables, present = rate_variables(program), present_rate(program)
    if present is None:
        raise CannotRun("the learning rate is not known")
    if variables is None:
        return _copied_at_rate(program, rate, present)
    present_values = [float(variable) for variable in variables]

    def update(batch: Batch) -> float:
        for variable, value in zip(variables, present_values, strict=True):
            variable.assign(rate * (value / present if present else 1.0))
        return program.step(batch)

    return update


def _copied_at_rate(program: Program, rate: float, present: float) -> Update:
    """Returns the update at another rate of an optimizer with a schedule: by a copy, or by longer steps."""
    if len(program.optimizers) == 1 and hasattr(program.optimizers[0], "get_config"):
        optimizer = program.optimizers[0]
        try:
            return Substitute(program, constant_rate_copy(optimizer, rate), slots_of=optimizer)
        except CannotRun:
            pass
    if not present:
        raise CannotRun("the learning rate is 0 and cannot be set")
    return scaled(program, rate / present)


def constant_rate_copy(optimizer: Any, rate: float, **settings: Any) -> Any:
    """Returns a new optimizer of the same class and settings, with a constant learning rate."""
    try:
        config = {**optimizer.get_config(), "learning_rate": rate, **settings}
        return type(optimizer).from_config(config)
    except Exception as error:
        raise CannotRun(f"{type(optimizer).__name__} cannot be copied ({type(error).__name__})") from error


class Substitute:
    """An update by another optimizer, which gets the program's gradients.

    Args:
        program: computes the gradients.
        optimizer: a new optimizer.
        slots_of: an optimizer of the same class whose slots it starts with.
    """

    def __init__(self, program: Program, optimizer: Any, slots_of: Any = None) -> None:
        self._program, self._optimizer = program, optimizer
        self._apply: Callable[[Sequence[Any]], None] | None = None
        self._slots_of = slots_of
        self._built_for: list[int] = []
        self._initial: SavedState | None = None
        self._rate: float | None = None

    def at(self, rate: float) -> Substitute:
        """Sets the learning rate of the next trials; the optimizer must have been made with a constant one."""
        self._rate = rate
        return self

    def begin(self) -> None:
        """Starts a trial: the optimizer gets its initial state."""
        if self._initial is not None:
            self._initial.restore()
        if self._rate is not None:
            self._optimizer.learning_rate = self._rate

    def __call__(self, batch: Batch) -> float:
        """Makes one step for a batch and returns the loss before its update.

        Raises:
            CannotRun: there is no gradient for any variable.
        """
        loss, gradients, variables = self._program.gradients(batch)
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        if not pairs:
            raise CannotRun("there is no gradient for any variable")
        if self._built_for != [id(v) for _, v in pairs]:
            self._build([v for _, v in pairs])
        assert self._apply is not None
        self._apply([g for g, _ in pairs])
        return loss

    def _build(self, variables: list[Any]) -> None:
        optimizer = self._optimizer
        if not optimizer.built:
            optimizer.build(variables)
        if self._slots_of is not None and self._slots_of.built:
            copy_slots(self._slots_of, optimizer)
        self._built_for = [id(variable) for variable in variables]
        self._initial = SavedState(optimizer.variables)

        def apply(gradients: Sequence[Any]) -> None:
            optimizer.apply(list(gradients), variables)

        self._apply = tf.function(partial(apply), autograph=False)


def copy_slots(source: Any, target: Any) -> None:
    """Gives a new optimizer the slots and the count of steps of another of its class, but not its learning rate."""
    rates = {id(tensor_variable(getattr(base, "_learning_rate", None))) for base in base_optimizers(target)}
    own = {_slot_name(v): v for v in target.variables if id(tensor_variable(v)) not in rates}
    for variable in source.variables:
        slot = own.get(_slot_name(variable))
        if slot is not None and slot.shape == variable.shape:
            slot.assign(keras.ops.cast(variable, slot.dtype))


def _slot_name(variable: Any) -> str:
    """Returns the path of an optimizer's variable without the name of the optimizer."""
    return str(variable.path).split("/", 1)[-1]
