"""The curves of a variable, a layer or the whole run, in buckets of steps; the most important ones come first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..history import History
from ..statistics import QUANTITIES, UPDATE_RATIO, Quantity
from .buckets import ALL_STEPS, StepRange, buckets_of
from .cells import Series, json_cells, reduced, series
from .heatmap import quantity_payload, row_index
from .recording_cost import slowdown
from .usual_range import usual

CLIP = Quantity(
    "clip_ratio",
    "variable",
    "kept by clipping",
    "share",
    "gradient norm after clipping over that before it; 100 %: not clipped",
    "share",
)
COST = Quantity(
    "recorder_cost",
    "run",
    "slowdown by recording",
    "%",
    "how much slower (below 0: faster) recording has made the training so far, in % of the time without it",
    "exact",
)
_LEAD = (
    "update_ratio", "gradient_norm", "update_norm", "weight_norm", "changed_share", CLIP.name,
    "loss", "learning_rate", "loss_scale", COST.name,
    "zero_share", "dead_share", "always_dead_share", "saturated_share", "output_std",
)  # fmt: skip
_NOT_CLIPPED = 0.995  # norms are recorded to half a percent: above this ratio, nothing was clipped


def curves(history: History, name: str, columns: int, *, steps: StepRange = ALL_STEPS) -> dict[str, Any]:
    """Returns all recorded quantities of a variable or layer, or the run-wide ones for "".

    `revision` is empty; a caller that knows the revision of the data sets it.

    Raises:
        KeyError: no variable or layer has that name.
    """
    axis, index = row_index(history, name)
    buckets = buckets_of(history, columns, steps)
    drawn: list[dict[str, Any]] = []
    for quantity, values in _recorded(history, axis, index):
        cells = reduced(values.restrict(buckets.rows), buckets)
        low, high, last = (json_cells(side, quantity.encoding)[0] for side in cells)
        drawn.append(
            {
                "quantity": _payload(quantity, history),
                "lead": quantity.name in _LEAD,
                "usual": usual(history, quantity.name, axis, index),
                "low": low,
                "high": high,
                "last": last,
            }
        )
    drawn.sort(key=_position)
    return {"revision": "", "name": name, **buckets.payload(), "steps": buckets.steps.tolist(), "curves": drawn}


def _position(curve: dict[str, Any]) -> int:
    name = curve["quantity"]["name"]
    return _LEAD.index(name) if name in _LEAD else len(_LEAD)


def _payload(quantity: Quantity, history: History) -> dict[str, Any]:
    if quantity not in (CLIP, COST):
        return quantity_payload(quantity, history)
    columns = {key: value for key, value in quantity._asdict().items() if key != "encoding"}
    return {**columns, "scale": "share" if quantity is CLIP else "linear"}


def _recorded(history: History, axis: str, index: int) -> Iterator[tuple[Quantity, Series]]:
    """Yields the quantities of that row that were recorded at least once, as series `[1, T]`; derived ones last."""
    for quantity in (UPDATE_RATIO, *QUANTITIES.values()):
        if quantity.axis == axis and history.has(quantity.name):
            values = series(history, quantity.name).row(index)
            if values.recorded.any():
                yield quantity, values
    derived = _clip_ratio(history, index) if axis == "variable" else _cost(history) if axis == "run" else None
    if derived is not None and derived.recorded.any():
        yield (CLIP if axis == "variable" else COST), derived


def _clip_ratio(history: History, variable: int) -> Series | None:
    """Returns the clip ratio of a variable, or None if it was never clipped."""
    columns = ("gradient_norm", "raw_gradient_norm")
    if not history.has(*columns):
        return None
    after, before = (history.column(name)[:, variable].astype(np.float64) for name in columns)
    known = np.logical_and.reduce([history.known(name)[:, variable] for name in columns]) & (before > 0)
    with np.errstate(all="ignore"):
        ratio = after / before
    ratio = np.where(ratio > _NOT_CLIPPED, 1.0, ratio)
    if not (known & (ratio < 1)).any():
        return None
    return Series(ratio[None], (known & np.isfinite(ratio))[None], np.zeros((1, len(ratio)), bool))


def _cost(history: History) -> Series | None:
    """Returns the slowdown in percent; each measurement holds until the next one."""
    measured = [(r.step, slowdown(r.data)) for r in history.of_kind("cost")]
    costs = [(step, slower) for step, slower in measured if slower is not None]
    if len(costs) < 2 or not len(history):  # a single one, at the end, is a number and not a curve
        return None
    latest = np.searchsorted([step for step, _ in costs], history.steps, side="right") - 1
    percentages = 100 * np.array([slower for _, slower in costs])[np.maximum(latest, 0)]
    return Series(percentages[None], (latest >= 0)[None], np.zeros((1, len(history)), bool))
