"""The heat map: rows of numbers in buckets of steps. A bucket keeps its smallest and its largest value."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..statistics import QUANTITIES, UPDATE_RATIO, Quantity, quantity
from ..verdict import Diagnosis
from .row_order import worst_first

MOST_CELLS = 400_000  # of a heat map; fewer, wider buckets where there are many rows
_SCALES = {"size": "log", "share": "share", "count": "linear", "flag": "linear", "cosine": "linear", "exact": "linear"}
_DIGITS = {"size": 4, "cosine": 4, "exact": 6}
Flat = NDArray[np.float64]
Bool = NDArray[np.bool_]


class Buckets(NamedTuple):
    """The rows that are divided, the first of each bucket among them, and the first and last step in each."""

    rows: slice
    starts: NDArray[np.intp]
    first: NDArray[np.int64]
    last: NDArray[np.int64]


class StepRange(NamedTuple):
    """A part of the axis of steps; 0: without a bound."""

    first: int = 0
    last: int = 0


ALL_STEPS = StepRange()


def quantities(history: History) -> list[dict[str, Any]]:
    """Returns the quantities that were recorded, the default of the heat map first."""
    table = (UPDATE_RATIO, *QUANTITIES.values())
    return [described(q, history) for q in table if history.has(q.name)]


def heatmap(
    history: History,
    name: str,
    columns: int,
    *,
    steps: StepRange = ALL_STEPS,
    diagnosis: Diagnosis | None = None,
) -> dict[str, Any]:
    """Returns a quantity of all variables or layers in at most so many buckets of these steps.

    Its `revision` is for who knows the data's.

    Raises:
        KeyError: the quantity was not recorded.
    """
    known = quantity(name)
    buckets = buckets_of(history, columns, steps)
    values, recorded, none = series(history, name)
    low, high, _ = reduced(values[:, buckets.rows], recorded[:, buckets.rows], none[:, buckets.rows], buckets)
    shown, scale = _names(history).get(known.axis, [known.title]), _scale(known, history)
    return {
        "revision": "",
        "quantity": described(known, history),
        "names": shown,
        "first": buckets.first.tolist(),
        "last": buckets.last.tolist(),
        "low": [cells(row, known) for row in low],
        "high": [cells(row, known) for row in high],
        "domain": _domain(low, high, scale),
        "whole": [int(step) for step in history.steps[[0, -1]]] if len(history) else [],
        "worst": worst_first(high, shown, scale, diagnosis),
    }


def place_of(history: History, name: str) -> tuple[str, int]:
    """Returns the axis of a variable or layer and its place there; that of the run for "".

    Raises:
        KeyError: there is none of that name.
    """
    if not name:
        return "run", 0
    for axis, names in _names(history).items():
        if name in names:
            return axis, names.index(name)
    raise KeyError(name)


def _names(history: History) -> dict[str, list[str]]:
    return {"variable": [v.name for v in history.variables], "layer": [x.name for x in history.layers]}


def buckets_of(history: History, columns: int, part: StepRange = ALL_STEPS) -> Buckets:
    """Divides the axis of steps evenly; buckets in which no row was recorded are left out."""
    begin = int(np.searchsorted(history.steps, part.first))
    end = int(np.searchsorted(history.steps, part.last, side="right")) if part.last else len(history)
    rows = slice(begin, max(begin, end))
    steps = history.steps[rows]
    if not len(steps):
        return Buckets(rows, np.zeros(0, np.intp), steps, steps)
    many = max(1, len(history.variables), len(history.layers))
    columns = max(16, min(columns, MOST_CELLS // many))
    if len(steps) <= columns:
        return Buckets(rows, np.arange(len(steps)), steps, steps)
    place = (steps - steps[0]) * columns // int(steps[-1] - steps[0] + 1)
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    return Buckets(rows, starts, steps[starts], steps[np.append(starts[1:], len(steps)) - 1])


def series(history: History, name: str) -> tuple[Flat, Bool, Bool]:
    """Returns `[R, T]` values, whether each was recorded, and whether its gradient does not exist."""
    values = np.asarray(history.column(name), np.float64).reshape(len(history), -1).T
    recorded = history.known(name).reshape(len(history), -1).T
    none = np.zeros(values.shape, bool)
    if name.startswith(("gradient_", "raw_gradient_")) and name != "gradient_none" and history.has("gradient_none"):
        none = (history.column("gradient_none") == 1).T
    return values, recorded | none, none


def reduced(values: Flat, recorded: Bool, none: Bool, buckets: Buckets) -> tuple[Any, Any, Any]:
    """Returns `[R, C]` smallest, largest and last value of each bucket, as numbers or cells; what is no number wins."""
    starts = buckets.starts
    if not len(starts) or not len(values):
        empty = np.zeros((len(values), len(starts)), object)
        return empty, empty, empty
    numbers = recorded & ~none & np.isfinite(values)
    low = np.minimum.reduceat(np.where(numbers, values, np.inf), starts, axis=1).astype(object)
    high = np.maximum.reduceat(np.where(numbers, values, -np.inf), starts, axis=1).astype(object)
    nothing = ~np.logical_or.reduceat(recorded, starts, axis=1)
    low[nothing] = high[nothing] = None
    odd = recorded & ~none & ~np.isfinite(values)
    marks = (("None", none & recorded), ("-Infinity", odd & (values < 0)), ("Infinity", odd & (values > 0)),
             ("NaN", odd & np.isnan(values)))  # fmt: skip
    for text, where in marks:
        if where.any():
            found = np.logical_or.reduceat(where, starts, axis=1)
            high[found] = text
            both = found if text != "Infinity" else found & (low != "-Infinity")
            low[both] = text
    ends = np.maximum.accumulate(np.where(recorded, np.arange(values.shape[1]), -1), axis=1)
    ends = ends[:, np.append(starts[1:], values.shape[1]) - 1]
    last = np.take_along_axis(values, np.maximum(ends, 0), axis=1).astype(object)
    for text, where in marks:
        last[np.take_along_axis(where, np.maximum(ends, 0), axis=1)] = text
    last[nothing] = None
    return low, high, last


def cells(row: Any, known: Quantity) -> list[Any]:
    """Returns cells with as many digits as were kept; an inner share never becomes 0 or 1."""
    cells = row.tolist()
    numbers = np.fromiter((kind is float for kind in map(type, cells)), bool, len(cells))
    values = np.asarray(row[numbers], np.float64)
    if known.encoding == "share":
        values = np.where(values > 0.5, 1 - _rounded(1 - values, 4), _rounded(values, 4))
    elif known.encoding in _DIGITS:
        values = _rounded(values, _DIGITS[known.encoding])
    if numbers.all():
        return list(values.tolist())
    for place, value in zip(np.flatnonzero(numbers).tolist(), values.tolist(), strict=True):
        cells[place] = value
    return list(cells)


def _rounded(values: Flat, digits: int) -> Flat:
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(values == 0, 0, digits - 1 - np.floor(np.log10(np.abs(values))))
    scale = 10.0 ** np.abs(power)
    return np.where(power >= 0, np.rint(values * scale) / scale, np.rint(values / scale) * scale)


def _domain(low: Any, high: Any, scale: str) -> list[float] | None:
    found = [cell for part in (low, high) for cell in part.ravel().tolist() if type(cell) is float]
    values = np.array(found, np.float64)
    if scale == "log":
        values = values[values > 0]
    return [float(f"{values.min():.6g}"), float(f"{values.max():.6g}")] if len(values) else None


def _scale(known: Quantity, history: History) -> str:
    if known.encoding == "exact":  # no kind says how it varies, so the numbers do
        values = np.asarray(history.column(known.name))
        values = values[np.isfinite(values)]
        if len(values) and values.min() > 0 and values.max() > 100 * values.min():
            return "log"
    return _SCALES[known.encoding]


def described(known: Quantity, history: History) -> dict[str, Any]:
    """Returns what the panel must know of a quantity to draw it."""
    return {
        "name": known.name,
        "title": known.title,
        "unit": known.unit,
        "meaning": known.meaning,
        "scale": _scale(known, history),
        "axis": known.axis,
    }
