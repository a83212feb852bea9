"""Statistics of the variables of a step that the summary functions got: small ones of the same kind together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...history import Column
from ...statistics import VariableStep, fast, fits_float32, names
from ...statistics.fast import SMALL, small_statistics
from ...statistics.reference import variable_statistics

FEW = 8  # variables of a kind: so many are measured one by one
_SQUARES = (1e-150, 1e150)  # numbers whose squares neither vanish nor overflow in float64
_MAXIMA = ("weight_max", "gradient_max", "update_max")


def variable_columns(changes: Mapping[str, VariableStep], order: Mapping[str, int]) -> dict[str, Column]:
    """Returns the quantities of one step, `[1, V]`, by name.

    Args:
        changes: name -> what the step did to the variable.
        order: name -> position on the V axis, also of variables that the step was not given.
    """
    quantities = names("variable")
    position = {quantity: i for i, quantity in enumerate(quantities)}
    values = np.full((len(quantities), len(order)), np.nan)
    known = np.zeros(values.shape, bool)
    for group in _groups(changes):
        numbers = _statistics([changes[name] for name in group])
        places = [order[name] for name in group]
        for quantity, column in numbers.items():
            values[position[quantity], places], known[position[quantity], places] = column, True
    return {name: Column(values[i][None], known[i][None]) for name, i in position.items() if known[i].any()}


def _groups(changes: Mapping[str, VariableStep]) -> Iterator[list[str]]:
    """Yields the names of variables that are measured together."""
    groups: dict[Any, list[str]] = defaultdict(list)
    for name, change in changes.items():
        groups[_kind(change)].append(name)
    for kind, group in groups.items():
        yield from [group] if kind is not None and len(group) > FEW else [[name] for name in group]


def _kind(change: VariableStep) -> Any:
    """Returns what changes must have in common to be measured together; None: this one is measured by itself."""
    size = change.after.size
    arrays = [value for value in change if isinstance(value, np.ndarray)]
    if not 0 < size <= SMALL or any(a.size != size or not _is_floating(a.dtype) for a in arrays):
        return None
    return tuple(type(value) if isinstance(value, np.ndarray) else value for value in change)


def _is_floating(dtype: Any) -> bool:
    return dtype == np.float64 or fits_float32(dtype)


def _statistics(changes: list[VariableStep]) -> dict[str, Any]:
    """Returns the quantities of variables of one kind by name, `[n]`, or numbers for a single one."""
    if len(changes) == 1:
        change = changes[0]
        if change.after.size > SMALL:
            with np.errstate(all="ignore"):
                return fast.variable_statistics(change)
        return dict(variable_statistics(*change[:3], previous_sample=change.previous))
    with np.errstate(all="ignore"):
        numbers = small_statistics(changes)
        maxima = np.array([numbers[name] for name in _MAXIMA if name in numbers])
        extreme = ~((maxima == 0) | ((maxima > _SQUARES[0]) & (maxima < _SQUARES[1]))).all(0)
    for i in np.flatnonzero(extreme):
        for quantity, value in _statistics([changes[i]]).items():
            numbers[quantity][i] = value
    return numbers
