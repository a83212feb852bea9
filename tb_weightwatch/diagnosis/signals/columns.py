"""What rules share: helpers over the rows of run-wide numbers, and signals derived once. Everything here is pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...history import History, Variable
from .carry import Carry
from .incremental import incremental, is_recorded
from .memo import from_records, memoized
from .scans import Bool, Float, latest_known

# -- columns


@memoized
def column(history: History, name: str) -> Float | None:
    """Returns a column as float64, or None if it was never recorded."""
    return history.column(name).astype(np.float64) if is_recorded(history, name) else None


def run_column(history: History, name: str) -> Float:
    """Returns a run-wide column `[T]` as float64; all NaN if it was never recorded."""
    found = column(history, name)
    return np.full(len(history), np.nan) if found is None else found


def select_columns(values: Float, places: NDArray[Any]) -> Float:
    """Returns `[T, K]` the columns at these places (or where a mask holds), laid out row by row.

    Indexing would lay them out column by column, and sums over a row would then depend on how many rows there are.
    """
    return np.ascontiguousarray(values[:, places])


@incremental
def _lone(rows: History, carry: Carry, name: str, place: int) -> Float | None:
    values = column(rows, name)
    return None if values is None else values[:, place].copy()


def single_column(history: History, name: str, place: int) -> Float:
    """Returns `[T]` a column of one variable or layer; all NaN if it was never recorded."""
    found = _lone(history, name, int(place))
    return np.full(len(history), np.nan) if found is None else found


@from_records
def variables(history: History) -> tuple[Variable, ...]:
    """Returns the watched variables."""
    return history.variables


@from_records
def model_facts(history: History) -> dict[str, Any]:
    """Returns the merged facts."""
    return history.facts


@from_records
def trainable(history: History) -> Bool:
    """Returns `[V]` whether each variable is trainable, as last described; counters and seeds are not weights."""
    return np.array([v.trainable and "int" not in v.dtype for v in variables(history)], bool)


@from_records
def usual_weight_scale(history: History) -> Float:
    """Returns `[V]` how large an element of each variable usually is: Glorot's scale, by shape."""
    return np.array([_glorot(v.shape) for v in variables(history)], np.float64)


@from_records
def root_sizes(history: History) -> Float:
    """Returns `[V]` the root of each variable's number of elements: a norm over it is an element's root mean square."""
    return np.sqrt([max(1, v.size) for v in variables(history)])


def _glorot(shape: tuple[int, ...]) -> float:
    if len(shape) < 2:
        return float(np.sqrt(1 / max(1, shape[0] if shape else 1)))
    field = float(np.prod(shape[:-2], dtype=np.float64))
    return float(np.sqrt(2 / max(1.0, field * (shape[-2] + shape[-1]))))


@memoized
def latest_run_value(history: History, name: str) -> Float:
    """Returns `[T]` the last known value so far of a run-wide column."""
    return latest_known(run_column(history, name))


@incremental
def anything_nonfinite(rows: History, carry: Carry) -> Bool:
    """Returns `[T]` whether the loss, a gradient or a weight was NaN or infinite in that row."""
    found = any_positive(rows, "gradient_nonfinite") | any_positive(rows, "weight_nonfinite")
    if rows.has("loss"):
        found |= rows.known("loss") & ~np.isfinite(rows.column("loss"))
    return found


@incremental
def _some(rows: History, carry: Carry, name: str) -> Bool:
    values = column(rows, name)
    return np.zeros(len(rows), bool) if values is None else np.asarray((values > 0).any(axis=1))


def any_positive(history: History, name: str) -> Bool:
    """Returns `[T]` whether the column is above 0 for any variable or layer in that row."""
    return _some(history, name)
