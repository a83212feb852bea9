"""Recorded columns, variables and facts of a History, and signals read directly from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...history import History, Variable
from .carry import Carry
from .incremental import RowSpan, incremental, is_recorded
from .memo import from_records, memoized
from .scans import Bool, Float, latest_known

# -- columns


def column(history: History, name: str) -> Float | None:
    """Returns a column as float64, or None if it was never recorded.

    That of a span is converted each time: this is faster than to keep all columns of all spans in memory.
    """
    return _converted(history, name) if isinstance(history, RowSpan) else _column(history, name)


@memoized
def _column(history: History, name: str) -> Float | None:
    return _converted(history, name)


def _converted(history: History, name: str) -> Float | None:
    return history.column(name).astype(np.float64) if is_recorded(history, name) else None


def run_column(history: History, name: str) -> Float:
    """Returns a run-wide column `[T]` as float64; all NaN if it was never recorded."""
    values = column(history, name)
    return np.full(len(history), np.nan) if values is None else values


def select_columns(values: Float, positions: NDArray[Any]) -> Float:
    """Returns `[T, K]` the columns at these positions (or where a mask holds), in row-major order.

    Plain indexing would return column-major order, in which sums over a row depend on the number of rows.
    """
    return values.take(np.flatnonzero(positions) if positions.dtype == bool else positions, axis=1)


@incremental
def _single_column(span: History, carry: Carry, name: str, position: int) -> Float | None:
    values = column(span, name)
    return None if values is None else values[:, position].copy()


def single_column(history: History, name: str, position: int) -> Float:
    """Returns `[T]` the column of one variable or layer; all NaN if it was never recorded."""
    values = _single_column(history, name, int(position))
    return np.full(len(history), np.nan) if values is None else values


@memoized
def latest_run_value(history: History, name: str) -> Float:
    """Returns `[T]` the last known value so far of a run-wide column."""
    return latest_known(run_column(history, name))


# -- variables and facts


@from_records
def variables(history: History) -> tuple[Variable, ...]:
    """Returns the watched variables."""
    return history.variables


@from_records
def model_facts(history: History) -> dict[str, Any]:
    """Returns the merged facts."""
    return history.facts


@from_records
def recorder_kind(history: History) -> str:
    """Returns what recorded the History: "fit", "loop", "summary" or a third-party writer; "" if unknown."""
    return str((model_facts(history).get("recorder") or {}).get("kind") or "")


@from_records
def trainable(history: History) -> Bool:
    """Returns `[V]` whether each variable is trainable, as last described; integer counters and seeds are not."""
    return np.array([v.trainable and "int" not in v.dtype for v in variables(history)], bool)


@from_records
def trainable_names(history: History) -> tuple[str, ...]:
    """Returns the names of the trainable variables (see `trainable`)."""
    return tuple(variables(history)[i].name for i in np.flatnonzero(trainable(history)))


@from_records
def usual_weight_scale(history: History) -> Float:
    """Returns `[V]` the usual size of an element of each variable: Glorot's scale, by shape."""
    return np.array([_glorot_scale(v.shape) for v in variables(history)], np.float64)


@from_records
def element_counts(history: History) -> NDArray[Any]:
    """Returns `[V]` the number of elements of each variable."""
    return np.array([v.size for v in variables(history)])


@from_records
def root_sizes(history: History) -> Float:
    """Returns `[V]` the root of each variable's number of elements; a norm divided by it is a root mean square."""
    return np.sqrt([max(1, v.size) for v in variables(history)])


def _glorot_scale(shape: tuple[int, ...]) -> float:
    if len(shape) < 2:
        return float(np.sqrt(1 / max(1, shape[0] if shape else 1)))
    receptive_field = float(np.prod(shape[:-2], dtype=np.float64))
    return float(np.sqrt(2 / max(1.0, receptive_field * (shape[-2] + shape[-1]))))


# -- signals


@incremental
def anything_nonfinite(span: History, carry: Carry) -> Bool:
    """Returns `[T]` whether the loss, a gradient or a weight was NaN or infinite in that row."""
    nonfinite = any_positive(span, "gradient_nonfinite") | any_positive(span, "weight_nonfinite")
    if span.has("loss"):
        nonfinite |= span.known("loss") & ~np.isfinite(span.column("loss"))
    return nonfinite


@incremental
def _any_positive(span: History, carry: Carry, name: str) -> Bool:
    values = column(span, name)
    return np.zeros(len(span), bool) if values is None else np.logical_or.reduce(values > 0, axis=1)


def any_positive(history: History, name: str) -> Bool:
    """Returns `[T]` whether the column is above 0 for any variable or layer in that row."""
    return _any_positive(history, name)
