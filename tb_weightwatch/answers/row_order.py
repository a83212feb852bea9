"""The order in which to look at the rows of a heat map."""

from __future__ import annotations

import numpy as np

from ..verdict import SEVERITIES, Diagnosis
from .cells import Cells
from .launch_state import worst_severities
from .rounding import Floats, dense_ranks


def worst_first(high: Cells, names: list[str], scale: str, diagnosis: Diagnosis | None) -> list[int]:
    """Returns row indices: rows that a verdict or a symptom names first, then rows with NaN or None, then outliers.

    Rows that are equal in all of this, up to rounding errors, keep their position.
    """
    worst = worst_severities(diagnosis) if diagnosis else {}
    severity = {name: 1 + SEVERITIES.index(value) for name, value in worst.items()}
    abnormal = high.abnormal().mean(axis=1) if high.values.shape[1] else np.zeros(len(names))
    outlyingness = dense_ranks(_distance_from_median(high, scale))
    return sorted(range(len(names)), key=lambda i: (-severity.get(names[i], 0), -abnormal[i], -outlyingness[i], i))


def _distance_from_median(high: Cells, scale: str) -> Floats:
    """Returns `[R]` how far each row's median is from the median of all rows; on a log scale 0 is farthest."""
    finite = high.finite()
    medians = np.array(
        [np.median(row[ok]) if ok.any() else np.nan for row, ok in zip(high.values, finite, strict=True)]
    )
    if scale == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            medians = np.where(medians > 0, np.log10(medians), -1e3)
    if np.isnan(medians).all():
        return np.zeros(len(medians))
    return np.asarray(np.nan_to_num(np.abs(medians - np.nanmedian(medians)), nan=-1.0))
