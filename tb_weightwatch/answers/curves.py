"""The curves of a variable, a layer or the whole run, in buckets of steps; those to look at first come first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..history import History
from ..statistics import QUANTITIES, UPDATE_RATIO, Quantity
from .facts_table import real
from .heatmap import ALL_STEPS, Bool, Flat, StepRange, buckets_of, cells, described, place_of, reduced, series
from .usual_range import usual

CLIP = Quantity(
    "clip_ratio", "variable", "kept by clipping", "share",
    "norm of the gradient after clipping over that before it; 100 %: not clipped", "share",
)  # fmt: skip
COST = Quantity(
    "recorder_cost",
    "run",
    "recorder's cost",
    "%",
    "share of the training time that recording has taken so far",
    "exact",
)
_LEAD = (
    "update_ratio", "gradient_norm", "update_norm", "weight_norm", "changed_share", CLIP.name,
    "loss", "learning_rate", "loss_scale", COST.name,
    "zero_share", "dead_share", "always_dead_share", "saturated_share", "output_std",
)  # fmt: skip
_Series = tuple[Flat, Bool, Bool]


def curves(history: History, name: str, columns: int, *, steps: StepRange = ALL_STEPS) -> dict[str, Any]:
    """Returns all quantities of a variable or layer, or run-wide ones for "", in at most so many buckets.

    Its `revision` is for who knows the data's.

    Raises:
        KeyError: no variable or layer has that name.
    """
    axis, place = place_of(history, name)
    buckets = buckets_of(history, columns, steps)
    drawn: list[dict[str, Any]] = []
    for known, values in _found(history, axis, place):
        numbers, recorded, none = values
        parts = reduced(numbers[:, buckets.rows], recorded[:, buckets.rows], none[:, buckets.rows], buckets)
        low, high, last = (cells(part[0], known) for part in parts)
        drawn.append(
            {
                "quantity": _described(known, history),
                "lead": known.name in _LEAD,
                "usual": usual(history, known.name, axis, place),
                "low": low,
                "high": high,
                "last": last,
            }
        )
    drawn.sort(key=_rank)
    return {"revision": "", "name": name, "steps": buckets.last.tolist(), "curves": drawn}


def _rank(curve: dict[str, Any]) -> int:
    name = curve["quantity"]["name"]
    return _LEAD.index(name) if name in _LEAD else len(_LEAD)


def _described(known: Quantity, history: History) -> dict[str, Any]:
    if known.name not in (CLIP.name, COST.name):
        return described(known, history)
    found = {key: value for key, value in known._asdict().items() if key != "encoding"}
    return {**found, "scale": "share" if known is CLIP else "linear"}


def _found(history: History, axis: str, place: int) -> Iterator[tuple[Quantity, _Series]]:
    """Yields `[1, T]` series of what was recorded there at least once."""
    for known in (UPDATE_RATIO, *QUANTITIES.values()):
        if known.axis != axis or not history.has(known.name):
            continue
        values, recorded, none = series(history, known.name)
        if recorded[place].any():
            yield known, (values[place, None], recorded[place, None], none[place, None])
    derived = _clip(history, place) if axis == "variable" else _cost(history) if axis == "run" else None
    if derived is not None and derived[1].any():
        yield (CLIP if axis == "variable" else COST), derived


def _clip(history: History, place: int) -> _Series | None:
    if not history.has("gradient_norm", "raw_gradient_norm"):
        return None
    after, before = (history.column(n)[:, place].astype(np.float64) for n in ("gradient_norm", "raw_gradient_norm"))
    known = history.known("gradient_norm")[:, place] & history.known("raw_gradient_norm")[:, place] & (before > 0)
    with np.errstate(all="ignore"):
        kept = after / before
    kept = np.where(kept > 0.995, 1.0, kept)  # to the digits that norms are kept with, nothing was clipped
    if not (known & (kept < 1)).any():
        return None
    return kept[None], (known & np.isfinite(kept))[None], np.zeros((1, len(kept)), bool)


def _cost(history: History) -> _Series | None:
    """Returns the recorded cost in percent; it holds until the next time that it was measured."""
    told = [(r.step, real(r.data.get("overhead"))) for r in history.of_kind("cost")]
    known = [(step, share) for step, share in told if share is not None]
    if len(known) < 2 or not len(history):  # told once, at the end: a number, not a curve
        return None
    at = np.searchsorted([step for step, _ in known], history.steps, side="right") - 1
    values = 100 * np.array([share for _, share in known])[np.maximum(at, 0)]
    return values[None], (at >= 0)[None], np.zeros((1, len(history)), bool)
