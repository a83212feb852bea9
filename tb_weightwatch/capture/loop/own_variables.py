"""The variables that belong to no watched model, and the places on the V axis that replaced ones leave to new ones.

A loop that makes its variables anew in each step gives us others each time. If each got a place of its own, the V axis
would grow with the steps. So a new variable takes the place of one with the same name and shape that is no longer used.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from ..observe.model_layers import variable_name
from ..observe.observation import variable_id

Signature = tuple[str, tuple[int, ...], str]
_COUNTER = re.compile(r"_\d+(?=/|$)")  # Keras counts the objects that it names: dense, dense_1, dense_2


def signature(variable: Any) -> Signature:
    """Returns what a variable and the one that replaces it have in common: name without counters, shape, dtype."""
    dtype = str(getattr(variable.dtype, "name", variable.dtype))
    return _COUNTER.sub("", variable_name(variable)), tuple(-1 if n is None else int(n) for n in variable.shape), dtype


class OwnVariables:
    """Variables that are watched without a model: those given to the Watch, and those given to its steps.

    Args:
        variables: those given to the Watch.

    Attributes:
        variables: id of variable -> variable.
        given: the variables given to the present step: id -> variable.
        new: ids of those that no earlier step was given and that were not watched.
    """

    def __init__(self, variables: Iterable[Any]) -> None:
        self.variables = {variable_id(v): v for v in variables}
        self.given: dict[int, Any] = {}
        self.new: set[int] = set()
        self._given_in: dict[int, list[int]] = {}  # id -> number of steps that were given it, and the last of them
        self._steps = 0  # steps that were given variables

    def begin_step(self) -> None:
        """Begins a recorded step: nothing has been given to it yet."""
        self._steps += bool(self.given)
        self.given, self.new = {}, set()

    def receive(self, variables: Iterable[Any], watched: dict[int, Any]) -> dict[int, Any]:
        """Notes the variables that the present step is given.

        Args:
            variables: what is given; more than one call in the same step adds up.
            watched: all watched variables: id -> variable. Those that the program no longer holds are set to None.

        Returns:
            Id of a watched variable -> the variable that takes its place. Other new ones were added to `variables`.
        """
        given = {variable_id(v): v for v in variables}
        self.given |= given
        for key in given:
            count, last = self._given_in.get(key, (0, -1))
            self._given_in[key] = [count + (last != self._steps), self._steps]
        new = {k: v for k, v in given.items() if watched.get(k) is None and self.variables.get(k) is None}
        self.new |= set(new)
        successors: dict[int, Any] = {}
        for key, variable in new.items():
            old = self._unused_place(signature(variable), watched, successors)
            self.variables[key] = variable
            if old is not None:
                successors[old] = variable
                self.variables.pop(old)
                self._given_in.pop(old, None)
        return successors

    def _unused_place(self, wanted: Signature, watched: dict[int, Any], taken: dict[int, Any]) -> int | None:
        """Returns the id of a watched variable of this signature that the program has replaced; None if there is none.

        That is so if the program no longer holds it. Objects that refer to each other, as those of a Keras model, are
        released late; so a variable also counts as replaced if one step alone was given it and the next was not.
        """
        for key in list(self.variables):
            variable = watched.get(key)
            if key in self.given or key in taken or variable is None or signature(variable) != wanted:
                continue
            count, last = self._given_in.get(key, (0, self._steps))
            del variable
            if (count == 1 and last < self._steps - 1) or is_released(key, self.variables, watched):
                return key
        return None

    def drop_released(self, watched: dict[int, Any]) -> list[int]:
        """Drops the variables that the program no longer holds, so that it cannot train them; returns their ids."""
        released = [k for k in list(self.variables) if k not in self.given and is_released(k, self.variables, watched)]
        for key in released:
            self.variables.pop(key)
            watched.pop(key, None)
        return released


def is_released(key: int, *holders: dict[int, Any]) -> bool:
    """Checks whether nothing but these dictionaries refers to the variable of that id. If so, it is freed.

    Their entries are None afterwards, else they are as before.
    """
    holders = tuple(holder for holder in holders if key in holder)
    variable = next((holder[key] for holder in holders if holder[key] is not None), None)
    if variable is None:
        return True
    wrapped = variable if isinstance(variable, tf.Variable) else getattr(variable, "value", variable)
    outer, inner = weakref.ref(variable), weakref.ref(wrapped)
    for holder in holders:
        holder[key] = None
    del variable, wrapped
    remaining = outer() if outer() is not None else inner()  # a program may keep the variable without Keras' wrapper
    for holder in holders:
        holder[key] = remaining
    return remaining is None
