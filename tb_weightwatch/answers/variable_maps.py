"""Histograms over time and motion maps of one variable, ready to draw."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..history import Variable
from ..maps import HISTOGRAMS, MOTION, Map, octaves
from .rounding import significant

FRAMES = 16  # of one kind: the first, the last, and those evenly between
_TITLES = {
    "gradient_histogram": ("|g|, the gradient", "elements by the size of their gradient", "NaN or infinite"),
    "update_histogram": ("|Δ|, the update", "elements by the size of their update", "NaN or infinite"),
    "ratio_histogram": ("|Δ|/|w|, the update relative to the weight", "elements by the size of their update relative "
                        "to their own size", "weight of exactly 0, NaN or infinite"),
    "gradient_map": ("largest |g|", "largest gradient in each block of the variable, seen as a matrix", ""),
    "update_map": ("largest |Δ|", "largest update in each block of the variable, seen as a matrix", ""),
}  # fmt: skip
_ZERO_MEANING = {"gradient_map": "have no gradient", "update_map": "did not move"}


def maps(variable: Variable, recorded: Iterable[Map], *, revision: str = "", left_out: int = 0) -> dict[str, Any]:
    """Returns the histograms and motion maps of a variable; `left_out` counts those that were too many to read."""
    by_kind: dict[str, list[Map]] = {}
    for item in sorted(recorded, key=lambda item: item.step):
        by_kind.setdefault(item.kind, []).append(item)
    drawn = {kind: _thinned(items) for kind, items in by_kind.items()}
    return {
        "revision": revision,
        "name": variable.name,
        "left_out": left_out,
        "histograms": [h for kind in HISTOGRAMS if (h := _histogram(kind, drawn.get(kind, [])))],
        "motion": [m for kind in MOTION if (m := _motion(kind, variable, drawn.get(kind, [])))],
    }


def _thinned(items: list[Map]) -> list[Map]:
    if len(items) <= FRAMES:
        return items
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, FRAMES).round().astype(int))]


def _histogram(kind: str, items: list[Map]) -> dict[str, Any] | None:
    """Returns the share of all elements in each octave; zeros and non-finite elements are counted apart."""
    ends = octaves()
    items = [item for item in items if item.values.shape == ends.shape]
    counts = np.array([item.values for item in items], np.float64)
    if not len(counts) or not np.nan_to_num(counts).any():
        return None
    shares = np.nan_to_num(counts / np.maximum(np.nansum(counts, axis=1, keepdims=True), 1e-30))
    used = np.flatnonzero(shares[:, 1:-1].any(axis=0)) + 1
    low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (1, 1)
    title, meaning, odd_meaning = _TITLES[kind]
    return {
        "kind": kind,
        "title": title,
        "meaning": meaning,
        "odd_meaning": odd_meaning,
        "steps": [item.step for item in items],
        "ends": [significant(end, 4) for end in np.exp2(np.arange(low, high + 1) - 127.0).tolist()],
        "shares": [[significant(share, 3) for share in row] for row in shares[:, low:high].tolist()],
        "zero": [significant(share, 3) for share in shares[:, 0].tolist()],
        "odd": [significant(share, 3) for share in shares[:, -1].tolist()],
    }


def _motion(kind: str, variable: Variable, items: list[Map]) -> dict[str, Any] | None:
    items = [
        item
        for item in items
        if item.values.ndim == 2 and item.values.size and item.values.shape == items[-1].values.shape
    ]
    if not items:
        return None
    height, width = items[-1].values.shape
    columns = int(variable.shape[-1]) if len(variable.shape) > 1 else 1
    rows = max(1, variable.size // max(1, columns))
    title, meaning, _ = _TITLES[kind]
    values = np.array([item.values for item in items], np.float64)
    positive = values[np.isfinite(values) & (values > 0)]
    return {
        "kind": kind,
        "title": title,
        "meaning": meaning,
        "rows": rows,
        "columns": columns,
        "per_row": math.ceil(rows / height),
        "per_column": math.ceil(columns / width),
        "domain": [significant(end, 4) for end in (positive.min(), positive.max())] if len(positive) else None,
        "frames": [_frame(kind, item) for item in items],
    }


def _frame(kind: str, item: Map) -> dict[str, Any]:
    values: NDArray[np.float64] = np.asarray(item.values, np.float64)
    zero = values == 0
    counts = [
        f"{int(lines.sum()):,} of {len(lines):,} {name}"
        for name, lines in (("rows", zero.all(axis=1)), ("columns", zero.all(axis=0)))
        if lines.any() and len(lines) > 1
    ]
    text = f"{' and '.join(counts)} of the map {_ZERO_MEANING[kind]}" if counts else ""
    cells = [[significant(x, 3) if math.isfinite(x) else "NaN" for x in row] for row in values.tolist()]
    return {"step": item.step, "values": cells, "text": text}
