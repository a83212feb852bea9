"""Whether a program trains the variables that are watched: dated facts of the recorder of a hand-written loop.

Each reader returns what was described and from which step on; what was not described is not known.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...history import History
from .memo import from_records
from .optimizer import optimizers
from .scans import Bool

F = TypeVar("F", bound="MadeAnew | UpdatedVariables | Called | Released")


class MadeAnew(NamedTuple):
    """How often the variables given to `watch.step` were new ones, of the same names and shapes as those before.

    Attributes:
        step: from which this was known.
        steps: recorded steps with new variables.
        of: recorded steps that were compared.
        first_step: the first step with new variables.
        variables: number of new variables in the last one.
        given: number of variables given to a step.
        names: names of the first of them.
        start: the values with which they began: "same" as the first ones did, "other" (unrelated), "carried" over from
            the variables that they replace, or "unknown".
    """

    step: int
    steps: int
    of: int
    first_step: int
    variables: int
    given: int
    names: tuple[str, ...]
    start: str


class UpdatedVariables(NamedTuple):
    """The variables that the watched optimizers were given to update.

    Attributes:
        step: from which this was known.
        watched: number of watched variables among them.
        trainable: number of watched variables that are trainable.
        other: number of the others.
        names: names of the first of the others.
    """

    step: int
    watched: int
    trainable: int
    other: int
    names: tuple[str, ...]


class Called(NamedTuple):
    """How the watched models and optimizers were called: "eager", "traced", "never" so far; None if none is watched.

    Attributes:
        step: from which this was known.
        model: calls of a watched model.
        optimizer: calls of a watched optimizer's `apply`.
    """

    step: int
    model: str | None
    optimizer: str | None


class Released(NamedTuple):
    """Variables that nothing in the program refers to any more.

    Attributes:
        step: at which that was seen.
        variables: their number.
    """

    step: int
    variables: int


class TensorsForVariables(NamedTuple):
    """Tensors that steps were given in the place of variables.

    Attributes:
        tensors: their number in the last step that had any.
        of: number of what that step was given.
        first_step: the first step that had any.
    """

    tensors: int
    of: int
    first_step: int


@from_records
def tensors_for_variables(history: History) -> TensorsForVariables | None:
    """Returns the tensors that were given in the place of variables; None if there were none."""
    dated = _dated(history, "tensors_for_variables")
    if not dated:
        return None
    data = dated[-1][1]
    return TensorsForVariables(_count(data, "tensors"), _count(data, "of"), _count(data, "first_step"))


@from_records
def made_anew(history: History) -> tuple[MadeAnew, ...]:
    """Returns what was described about variables that are made anew, oldest first."""
    return tuple(
        MadeAnew(
            step, _count(d, "steps"), _count(d, "of"), _count(d, "first_step"), _count(d, "variables"),
            _count(d, "given"), _names(d), str(d.get("start") or "unknown"),
        )
        for step, d in _dated(history, "made_anew")
    )  # fmt: skip


@from_records
def updated_variables(history: History) -> tuple[UpdatedVariables, ...]:
    """Returns which variables the watched optimizers were given, oldest description first."""
    return tuple(
        UpdatedVariables(step, _count(d, "watched"), _count(d, "trainable"), _count(d, "other"), _names(d))
        for step, d in _dated(history, "updated_variables")
    )


@from_records
def called(history: History) -> tuple[Called, ...]:
    """Returns how the watched models and optimizers were called, oldest description first."""
    return tuple(
        Called(step, *(None if d.get(name) is None else str(d[name]) for name in ("model", "optimizer")))
        for step, d in _dated(history, "called")
    )


@from_records
def released(history: History) -> tuple[Released, ...]:
    """Returns which variables the program no longer holds, oldest description first."""
    records = [r for r in history.of_kind("facts") if isinstance(r.data.get("released"), int)]
    return tuple(Released(r.step, int(r.data["released"])) for r in records)


def has_own_update_rule(history: History) -> bool | None:
    """Whether the program defines the update rule of the only optimizer itself; None if that is not known."""
    described = optimizers(history)
    own = described[0].get("own") if len(described) == 1 else None
    return own if isinstance(own, bool) else None


def latest(history: History, facts: tuple[F, ...]) -> NDArray[np.int64]:
    """Returns `[T]` the position in `facts` of the last one that was known at each row; -1 before the first."""
    return np.searchsorted([fact.step for fact in facts], history.steps, side="right").astype(np.int64) - 1


def holds(history: History, facts: tuple[F, ...], which: list[bool]) -> Bool:
    """Returns `[T]` whether the last fact that was known at each row is one for which `which` holds."""
    return np.array([*which, False], bool)[latest(history, facts)]


def at_row(history: History, facts: tuple[F, ...], row: int) -> F | None:
    """Returns the last fact that was known at a row; None if there was none."""
    position = int(latest(history, facts)[row])
    return facts[position] if position >= 0 else None


def _dated(history: History, key: str) -> list[tuple[int, dict[str, Any]]]:
    records = [record for record in history.of_kind("facts") if isinstance(record.data.get(key), dict)]
    return [(record.step, record.data[key]) for record in records]


def _count(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    return value if isinstance(value, int) else 0


def _names(data: dict[str, Any]) -> tuple[str, ...]:
    names = data.get("names")
    return tuple(map(str, names)) if isinstance(names, list) else ()
