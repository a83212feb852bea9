"""Ways to make a training step in an experiment: as it is, with longer steps, at another rate, by another optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from ..capture.observe import base_optimizers
from .program import Batch, CannotRun, Program, copied, values
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


def rate_updates(program: Program) -> Callable[[float], Update]:
    """Returns a function of a learning rate, which returns the program's own update at that rate.

    Several optimizers keep the ratio of their rates. A rate that a schedule sets is that of a copy of the optimizer, or
    else steps are made longer.

    Raises:
        CannotRun: the rate is not known, or cannot be set.
    """
    variables, present = rate_variables(program), present_rate(program)
    if present is None:
        raise CannotRun("the optimizer and its learning rate are not known; pass optimizer=")
    if variables is None:
        return _updates_of_a_copy(program, present)
    present_values = [float(variable) for variable in variables]

    def at_rate(rate: float) -> Update:
        def update(batch: Batch) -> float:
            for variable, value in zip(variables, present_values, strict=True):
                variable.assign(rate * (value / present if present else 1.0))
            return program.step(batch)

        return update

    return at_rate


def _updates_of_a_copy(program: Program, present: float) -> Callable[[float], Update]:
    optimizer = program.optimizers[0]
    try:
        return Substitute(program, copied(optimizer, learning_rate=present), slots_of=optimizer).at
    except CannotRun:
        if not present:
            raise
        return lambda rate: scaled(program, rate / present)


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
