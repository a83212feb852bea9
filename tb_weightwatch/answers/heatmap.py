"""The heat map: one quantity of all variables or layers in buckets of steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..history import History
from ..statistics import QUANTITIES, UPDATE_RATIO, Quantity, quantity
from ..verdict import Diagnosis
from .buckets import ALL_STEPS, StepRange, buckets_of
from .cells import BucketCells, json_cells, reduced, series
from .rounding import significant
from .row_order import worst_first

_SCALES = {"size": "log", "share": "share", "count": "linear", "flag": "linear", "cosine": "linear", "exact": "linear"}


def quantities(history: History) -> list[dict[str, Any]]:
    """Returns the recorded quantities, the heat map's default first."""
    table = (UPDATE_RATIO, *QUANTITIES.values())
    return [quantity_payload(q, history) for q in table if history.has(q.name)]


def heatmap(
    history: History,
    name: str,
    columns: int,
    *,
    steps: StepRange = ALL_STEPS,
    diagnosis: Diagnosis | None = None,
) -> dict[str, Any]:
    """Returns a quantity of all variables or layers in at most `columns` buckets of a range of steps.

    `revision` is empty; a caller that knows the revision of the data sets it.

    Raises:
        KeyError: the quantity was not recorded.
    """
    drawn = quantity(name)
    buckets = buckets_of(history, columns, steps)
    cells = reduced(series(history, name).restrict(buckets.rows), buckets)
    row_names = _row_names(history).get(drawn.axis, [drawn.title])
    scale = _scale(drawn, history)
    return {
        "revision": "",
        "quantity": quantity_payload(drawn, history),
        "names": row_names,
        **buckets.payload(),
        "low": json_cells(cells.low, drawn.encoding),
        "high": json_cells(cells.high, drawn.encoding),
        "domain": _domain(cells, scale),
        "whole": [int(step) for step in history.steps[[0, -1]]] if len(history) else [],
        "worst": worst_first(cells.high, row_names, scale, diagnosis),
    }


def row_index(history: History, name: str) -> tuple[str, int]:
    """Returns the axis and the index on it of a variable or layer; ("run", 0) for "".

    Raises:
        KeyError: no variable or layer has that name.
    """
    if not name:
        return "run", 0
    for axis, names in _row_names(history).items():
        if name in names:
            return axis, names.index(name)
    raise KeyError(name)


def _row_names(history: History) -> dict[str, list[str]]:
    return {"variable": [v.name for v in history.variables], "layer": [x.name for x in history.layers]}


def _domain(cells: BucketCells, scale: str) -> list[float] | None:
    """Returns the smallest and the largest finite value (on a log scale, of the positive ones), or None."""
    values = np.concatenate([side.values[side.finite()] for side in (cells.low, cells.high)])
    if scale == "log":
        values = values[values > 0]
    return [significant(float(end), 6) for end in (values.min(), values.max())] if len(values) else None


def _scale(drawn: Quantity, history: History) -> str:
    if drawn.encoding == "exact":  # this encoding does not say how a quantity varies, so its values decide
        values = np.asarray(history.column(drawn.name))
        values = values[np.isfinite(values)]
        if len(values) and values.min() > 0 and values.max() > 100 * values.min():
            return "log"
    return _SCALES[drawn.encoding]


def quantity_payload(drawn: Quantity, history: History) -> dict[str, Any]:
    """Returns what the panel needs to draw a quantity."""
    return {
        "name": drawn.name,
        "title": drawn.title,
        "unit": drawn.unit,
        "meaning": drawn.meaning,
        "scale": _scale(drawn, history),
        "axis": drawn.axis,
    }
