"""What rules share: helpers over the rows of run-wide numbers, and signals derived once. Everything here is pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..history import History, Variable
from ._causal import Latest, causal, recorded, whole_of
from ._past import Past

Bool = NDArray[Any]  # of bool; the stubs turn a comparison of arrays into a union otherwise
Float = NDArray[Any]  # of float64
P = ParamSpec("P")
R = TypeVar("R")
_memo: WeakKeyDictionary[History, dict[Any, Any]] = WeakKeyDictionary()


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """Keeps what `function(history, ...)` derives for as long as that History lives and has not grown.

    A History only grows, so its two lengths say whether a kept value still stands. `diagnose` works on a prefix of
    its own, so nothing outlives a diagnosis.
    """

    @wraps(function)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        history: Any = args[0]
        known = _memo.setdefault(history, {})
        key = (function, args[1:], tuple(sorted(kwargs.items())), len(history), len(history.records))
        if key not in known:
            known[key] = function(*args, **kwargs)
        found: R = known[key]
        return found

    return kept


def described(function: Callable[[History], R]) -> Callable[[History], R]:
    """Keeps likewise what `function(history)` reads from the records alone; a stretch has that of its whole."""
    kept = shared(function)
    return wraps(function)(lambda history: kept(whole_of(history)))


# -- over rows, causal


def ever(mask: Bool) -> Bool:
    """Returns, per row, whether `mask` held at that row or any before it (along the first axis)."""
    return np.logical_or.accumulate(mask, axis=0)


def streak(mask: Bool) -> NDArray[np.int64]:
    """Returns, per row, for how many rows up to it `mask` has held without a break."""
    count = np.cumsum(mask, axis=0, dtype=np.int64)
    broken = np.where(mask, 0, count)
    return count - np.maximum.accumulate(broken, axis=0)


def trailing_mean(values: Float, window: int) -> Float:
    """Returns, per row, the mean over the last `window` rows up to it, leaving out NaN (NaN if there is no number)."""
    finite = np.isfinite(values)
    total = np.cumsum(np.where(finite, values, 0.0), axis=0, dtype=np.float64)
    count = np.cumsum(finite, axis=0, dtype=np.int64)
    if len(values) > window:
        total[window:] -= total[:-window].copy()
        count[window:] -= count[:-window].copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0, total / count, np.nan))


def running_mean(values: Float) -> Float:
    """Returns, per row, the mean over all rows up to it, leaving out what is not finite."""
    finite = np.isfinite(values)
    total = np.cumsum(np.where(finite, values, 0.0), axis=0)
    count = np.cumsum(finite, axis=0, dtype=np.int32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0, total / count, np.nan))


def first_known(values: Float) -> Float:
    """Returns, per row, the first finite value up to it (along the first axis), NaN before there is one."""
    finite = np.isfinite(values)
    first = np.take_along_axis(values, np.argmax(finite, axis=0)[None], axis=0) if len(values) else values
    return np.asarray(np.where(ever(finite), first, np.nan))


def latest_known(values: Float) -> Float:
    """Returns, per row, the last finite value up to it in a `[T]` column, NaN before there is one."""
    rows = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), -1))
    return np.asarray(np.where(rows >= 0, values[rows], np.nan)) if len(values) else values


def running_max(values: Float) -> Float:
    """Returns, per row, the largest number up to it, leaving out NaN."""
    return np.asarray(np.fmax.accumulate(values, axis=0))


# -- columns


@shared
def column(history: History, name: str) -> Float | None:
    """Returns a column as float64, or None if it was never recorded."""
    return history.column(name).astype(np.float64) if recorded(history, name) else None


def run_column(history: History, name: str) -> Float:
    """Returns a run-wide column `[T]` as float64; all NaN if it was never recorded."""
    found = column(history, name)
    return np.full(len(history), np.nan) if found is None else found


def chosen(values: Float, places: NDArray[Any]) -> Float:
    """Returns `[T, K]` the columns at these places (or where a mask holds), laid out row by row.

    Indexing would lay them out column by column, and sums over a row would then depend on how many rows there are.
    """
    return np.ascontiguousarray(values[:, places])


@causal
def _lone(rows: History, past: Past, name: str, place: int) -> Float | None:
    values = column(rows, name)
    return None if values is None else values[:, place].copy()


def lone(history: History, name: str, place: int) -> Float:
    """Returns `[T]` a column of one variable or layer; all NaN if it was never recorded."""
    found = _lone(history, name, int(place))
    return np.full(len(history), np.nan) if found is None else found


@described
def variables(history: History) -> tuple[Variable, ...]:
    """Returns the watched variables."""
    return history.variables


@described
def facts(history: History) -> dict[str, Any]:
    """Returns the merged facts."""
    return history.facts


@described
def trainable(history: History) -> Bool:
    """Returns `[V]` whether each variable is trainable, as last described; counters and seeds are not weights."""
    return np.array([v.trainable and "int" not in v.dtype for v in variables(history)], bool)


@described
def weight_scale(history: History) -> Float:
    """Returns `[V]` how large an element of each variable usually is: Glorot's scale, by shape."""
    return np.array([_glorot(v.shape) for v in variables(history)], np.float64)


@described
def lengths(history: History) -> Float:
    """Returns `[V]` the root of each variable's number of elements: a norm over it is an element's root mean square."""
    return np.sqrt([max(1, v.size) for v in variables(history)])


def _glorot(shape: tuple[int, ...]) -> float:
    if len(shape) < 2:
        return float(np.sqrt(1 / max(1, shape[0] if shape else 1)))
    field = float(np.prod(shape[:-2], dtype=np.float64))
    return float(np.sqrt(2 / max(1.0, field * (shape[-2] + shape[-1]))))


@shared
def latest(history: History, name: str) -> Float:
    """Returns `[T]` the last known value so far of a run-wide column."""
    return latest_known(run_column(history, name))


@shared
def alive(history: History) -> Bool | None:
    """Returns `[T, V]` where a trainable variable has a finite gradient that is not zero; None if not recorded."""
    norm = column(history, "gradient_norm")
    return None if norm is None else (norm > 0) & np.isfinite(norm) & trainable(history)


@shared
def relative_step(history: History) -> Float | None:
    """Returns `[T, V]` the step against the weight's size, or its usual size if it is smaller (zero-initialised ones).

    NaN where the variable is not trainable or was not recorded.
    """
    update, weight = column(history, "update_norm"), column(history, "weight_norm")
    if update is None or weight is None:
        return None
    usual = weight_scale(history) * lengths(history)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = update / np.maximum(weight, usual)
    ratio[:, ~trainable(history)] = np.nan
    return np.asarray(ratio)


@causal
def awake(rows: History, past: Past) -> Bool | None:
    """Returns `[T]` where any trainable variable has a finite gradient that is not zero; None if not recorded."""
    living = alive(rows)
    return None if living is None else np.asarray(living.any(axis=1))


@shared
def asleep(history: History) -> Bool:
    """Returns `[T]` whether, as last known, no trainable variable had a gradient but zero; False while not known.

    Snapshots and accumulated gradients leave rows between in which it is not known.
    """
    living = awake(history)
    if living is None:
        return np.zeros(len(history), bool)
    known = history.known("gradient_norm").any(axis=1)
    return np.asarray(latest_known(np.where(known, living, np.nan)) == 0)


@causal
def largest_step(rows: History, past: Past) -> Float:
    """Returns `[T]` the largest of `relative_step` over the trainable variables, of one row; NaN if there is none."""
    return _largest(relative_step(rows), rows)


@causal
def _walk(rows: History, past: Past) -> tuple[Float, Latest | None]:
    """Returns `[T]` the largest over the variables of the mean step so far (accumulation has many zeros), and `[V]`."""
    step = relative_step(rows)
    mean = None if step is None else past.mean(step)
    return _largest(mean, rows), Latest(mean[-1].copy()) if mean is not None and len(mean) else None


def mean_step(history: History) -> Float | None:
    """Returns `[V]` the mean of `relative_step` over all rows; None if it is not known."""
    found: Any = _walk(history)[1]
    return None if found is None else np.asarray(found)


def largest_mean_step(history: History) -> Float:
    """Returns `[T]` the largest of the mean steps so far over the trainable variables; NaN if there is none."""
    return _walk(history)[0]


def _largest(values: Float | None, history: History) -> Float:
    if values is None or not values.shape[1]:
        return np.full(len(history), np.nan)
    return np.asarray(np.fmax.reduce(values, axis=1))


@causal
def moving(rows: History, past: Past) -> Bool:
    """Returns `[T]` whether a trainable variable moved in that row."""
    update = column(rows, "update_norm")
    return np.zeros(len(rows), bool) if update is None else np.asarray(((update > 0) & trainable(rows)).any(axis=1))


def idle(history: History, step: float = 1e-4) -> Bool:
    """Returns `[T]` whether weights hardly move although their gradients are alive, and the loss does not get ahead."""
    from ._loss import trend

    seen, living = trend(history), awake(history)
    # Weights that have hardly moved in all have not made the loss fall: other batches have.
    ahead = seen.known & seen.fallen & (seen.gain > 0.05) & (travelled(history) > 1e-5)
    slow = largest_mean_step(history) < step
    return np.asarray((slow if living is None else slow & living) & ~ahead & ~(seen.known & seen.low()))


@shared
def travelled(history: History) -> Float:
    """Returns `[T]` how far the trainable variables have moved so far, in times of their own size; the most of them.

    Steps between recorded ones are taken to be as large as the recorded ones on average.
    """
    return np.asarray(largest_mean_step(history) * history.steps)


@causal
def anything_nonfinite(rows: History, past: Past) -> Bool:
    """Returns `[T]` whether the loss, a gradient or a weight was NaN or infinite in that row."""
    found = some(rows, "gradient_nonfinite") | some(rows, "weight_nonfinite")
    if rows.has("loss"):
        found |= rows.known("loss") & ~np.isfinite(rows.column("loss"))
    return found


@causal
def _some(rows: History, past: Past, name: str) -> Bool:
    values = column(rows, name)
    return np.zeros(len(rows), bool) if values is None else np.asarray((values > 0).any(axis=1))


def some(history: History, name: str) -> Bool:
    """Returns `[T]` whether the column is above 0 for any variable or layer in that row."""
    return _some(history, name)
