"""Histograms over time and motion maps of one variable, ready to draw."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..history import Variable
from ..maps import HISTOGRAMS, MOTION, Map, octaves

FRAMES = 16  # of one kind: the first, the last, and those evenly between
_TITLES = {
    "gradient_histogram": ("|g|, the gradient", "elements by the size of their gradient", "NaN or infinite"),
    "update_histogram": ("|Δ|, the move", "elements by how far the step moved them", "NaN or infinite"),
    "ratio_histogram": ("|Δ|/|w|, the move against the weight", "elements by how far the step moved them, against "
                        "their own size", "weight of exactly 0, NaN or infinite"),
    "gradient_map": ("largest |g|", "largest gradient in each part of the variable, seen as a matrix", ""),
    "update_map": ("largest |Δ|", "largest move in each part of the variable, seen as a matrix", ""),
}  # fmt: skip
_ZERO = {"gradient_map": "without any gradient", "update_map": "that did not move at all"}
Array = NDArray[Any]


def maps(variable: Variable, found: Iterable[Map], *, revision: str = "", left_out: int = 0) -> dict[str, Any]:
    """Returns what was recorded of a variable beside the rows; `left_out` counts data that were too many to read."""
    by_kind: dict[str, list[Map]] = {}
    for one in sorted(found, key=lambda one: one.step):
        by_kind.setdefault(one.kind, []).append(one)
    drawn = {kind: _some(items) for kind, items in by_kind.items()}
    return {
        "revision": revision,
        "name": variable.name,
        "left_out": left_out,
        "histograms": [h for kind in HISTOGRAMS if (h := _histogram(kind, drawn.get(kind, [])))],
        "motion": [m for kind in MOTION if (m := _motion(kind, variable, drawn.get(kind, [])))],
    }


def _some(items: list[Map]) -> list[Map]:
    if len(items) <= FRAMES:
        return items
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, FRAMES).round().astype(int))]


def _histogram(kind: str, items: list[Map]) -> dict[str, Any] | None:
    """Shares of all elements by octave; what is zero and what is not finite stands beside."""
    ends = octaves()
    items = [one for one in items if one.values.shape == ends.shape]
    counts = np.array([one.values for one in items], np.float64)
    if not len(counts) or not np.nan_to_num(counts).any():
        return None
    shares = np.nan_to_num(counts / np.maximum(np.nansum(counts, axis=1, keepdims=True), 1e-30))
    used = np.flatnonzero(shares[:, 1:-1].any(axis=0)) + 1
    low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (1, 1)
    title, meaning, odd = _TITLES[kind]
    return {
        "kind": kind,
        "title": title,
        "meaning": meaning,
        "odd_meaning": odd,
        "steps": [one.step for one in items],
        "ends": [float(f"{end:.4g}") for end in np.exp2(np.arange(low, high + 1) - 127.0)],
        "shares": [[_short(x) for x in row] for row in shares[:, low:high]],
        "zero": [_short(x) for x in shares[:, 0]],
        "odd": [_short(x) for x in shares[:, -1]],
    }


def _motion(kind: str, variable: Variable, items: list[Map]) -> dict[str, Any] | None:
    items = [
        one for one in items if one.values.ndim == 2 and one.values.size and one.values.shape == items[-1].values.shape
    ]
    if not items:
        return None
    height, width = items[-1].values.shape
    columns = int(variable.shape[-1]) if len(variable.shape) > 1 else 1
    rows = max(1, variable.size // max(1, columns))
    title, meaning, _ = _TITLES[kind]
    values = np.array([one.values for one in items], np.float64)
    known = values[np.isfinite(values) & (values > 0)]
    return {
        "kind": kind,
        "title": title,
        "meaning": meaning,
        "rows": rows,
        "columns": columns,
        "per_row": math.ceil(rows / height),
        "per_column": math.ceil(columns / width),
        "domain": [float(f"{known.min():.4g}"), float(f"{known.max():.4g}")] if len(known) else None,
        "frames": [_frame(kind, one) for one in items],
    }


def _frame(kind: str, one: Map) -> dict[str, Any]:
    values = np.asarray(one.values, np.float64)
    still = values == 0
    lines = [
        f"{int(part.sum()):,} of {len(part):,} {name}"
        for name, part in (("rows", still.all(axis=1)), ("columns", still.all(axis=0)))
        if part.any() and len(part) > 1
    ]
    text = f"{' and '.join(lines)} of the picture {_ZERO[kind]}" if lines else ""
    return {"step": one.step, "values": [[_cell(x) for x in row] for row in values.tolist()], "text": text}


def _cell(value: float) -> float | str:
    return float(f"{value:.3g}") if math.isfinite(value) else "NaN"


def _short(share: float) -> float:
    return 1.0 if share == 1 else float(f"{share:.3g}")
