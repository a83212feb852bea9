"""Which rows of a heat map to look at first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..verdict import SEVERITIES, Diagnosis
from .launch_state import whole


def severities(diagnosis: Diagnosis | None) -> dict[str, int]:
    """Returns the worst severity of the open verdicts that name a variable or layer, from 1."""
    worst: dict[str, int] = {}
    for verdict in (part for v in (diagnosis.verdicts if diagnosis else ()) for part in whole(v)):
        for name in verdict.variables:
            worst[name] = max(worst.get(name, 0), 1 + SEVERITIES.index(verdict.severity))
    return worst


def worst_first(high: Any, names: list[str], scale: str, diagnosis: Diagnosis | None) -> list[int]:
    """Returns the places of the rows: what a verdict names, then NaN and None, then what is far from the others."""
    named = severities(diagnosis)
    odd = np.array([np.mean([isinstance(cell, str) for cell in row] or [False]) for row in high], np.float64)
    far = _distance(high, scale)
    return sorted(range(len(names)), key=lambda i: (-named.get(names[i], 0), -odd[i], -far[i], i))


def _distance(high: Any, scale: str) -> Any:
    """Returns `[R]` how far each row's middle value is from that of the others; on a log scale 0 is farthest."""
    middle = np.zeros(len(high))
    for place, row in enumerate(high):
        values = np.array([cell for cell in row if isinstance(cell, float)], np.float64)
        middle[place] = np.median(values) if len(values) else np.nan
    if scale == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            middle = np.where(middle > 0, np.log10(middle), -1e3)
    if np.isnan(middle).all():
        return np.zeros(len(high))
    return np.nan_to_num(np.abs(middle - np.nanmedian(middle)), nan=-1.0)
