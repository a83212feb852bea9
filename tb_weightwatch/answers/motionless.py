"""Which variables do not move, of those that findings name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History, Variable
from ..verdict import Diagnosis
from .launch_state import with_consequences

Floats = NDArray[np.floating[Any]]


class Motionless(NamedTuple):
    """Variables that a finding names and that do not move.

    Attributes:
        names: their names, in the order of the model.
        of: how many variables should move: the trainable ones, and these.
        cause: name of the first finding that names one of them.
    """

    names: tuple[str, ...] = ()
    of: int = 0
    cause: str = ""


def motionless(history: History, diagnosis: Diagnosis) -> Motionless:
    """Returns the variables that findings name and that have not moved since.

    A variable has not moved if every update that was recorded of it since the latest finding began is 0. If none was
    recorded, it cannot have moved if it is not trainable, not in the optimizer's list, or without a gradient.
    """
    since: dict[str, tuple[int, str]] = {}
    for names, first_step, finding in _named(diagnosis):
        for name in names:
            if name not in since or first_step > since[name][0]:
                since[name] = (first_step, finding)
    variables = history.variables if since else ()
    if not variables:
        return Motionless()
    updates, nones = (_column(history, name) for name in ("update_norm", "gradient_none"))
    still = []
    for i, variable in enumerate(variables):
        if variable.name in since:
            rows = history.steps >= since[variable.name][0]
            moved, none = (None if column is None else column[:, i] for column in (updates, nones))
            if _is_still(variable, None if moved is None else moved[rows], none):
                still.append(variable.name)
    if not still:
        return Motionless()
    return Motionless(tuple(still), len({v.name for v in variables if v.trainable} | set(still)), since[still[0]][1])


def _column(history: History, name: str) -> Floats | None:
    """Returns `[T, V]` a column, -1 where it was not recorded; None if it never was."""
    if not history.has(name):
        return None
    return np.where(history.known(name), history.column(name), -1.0)


def _named(diagnosis: Diagnosis) -> Iterator[tuple[tuple[str, ...], int, str]]:
    for cause in diagnosis.verdicts:
        for verdict in with_consequences(cause):
            if verdict.severity != "info":
                yield verdict.variables, verdict.first_step, verdict.name
    for symptom in diagnosis.symptoms:
        if symptom.severity != "info":
            yield symptom.variables, symptom.first_step, symptom.name


def _is_still(variable: Variable, updates: Floats | None, none: Floats | None) -> bool:
    """Whether a variable has not moved.

    Args:
        variable: the variable.
        updates: `[t]` norms of its updates since a finding; -1 where not recorded, None if never.
        none: `[T]` 1 where it got no gradient, in the same form.
    """
    if updates is not None and np.any(updates != -1):
        return not np.any(updates[updates != -1])
    known = np.zeros(0) if none is None else none[none != -1]
    return not variable.trainable or variable.optimized is False or (len(known) > 0 and bool(known[-1] == 1))
