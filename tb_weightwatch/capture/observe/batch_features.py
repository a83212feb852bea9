"""Which features of a batch stand out, by name or index: what a verdict on the data names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORST = 8
_LARGEST = 50_000_000  # elements: a larger batch is not looked through


def feature_records(inputs: Any, targets: Any) -> Iterator[dict[str, Any]]:
    """Yields records of kind "features" of a batch's inputs and targets, where some stand out."""
    for which, part in (("inputs", inputs), ("targets", targets)):
        found = worst_features(part) if part is not None else []
        if found:
            yield {"which": which, "features": found}


def worst_features(data: Any) -> list[dict[str, Any]]:
    """Returns the features of a table of numbers that are furthest from the others in size, worst first.

    Args:
        data: `[samples, features]`, or a mapping of such arrays (or of `[samples]` ones) by name.

    Returns:
        At most eight of {"name", "mean", "std", "low", "high"}; those with NaN or infinities come first. Nothing for
        pictures, sequences, token ids and single features.
    """
    tables = list(data.items()) if isinstance(data, Mapping) else [("", data)]
    columns: list[tuple[str, NDArray[np.float64]]] = []
    for name, table in tables:
        shape = tuple(getattr(table, "shape", ()))
        if not hasattr(table, "dtype") or len(shape) not in (1, 2) or None in shape:  # nested, ragged, a picture
            continue
        values = np.asarray(table)
        if values.ndim not in (1, 2) or values.dtype.kind not in "f" or values.size > _LARGEST or len(values) < 2:
            continue
        values = values.reshape(len(values), -1).astype(np.float64)
        width = values.shape[1]
        for i in range(width):
            columns.append((f"{name}[{i}]" if name and width > 1 else name or str(i), values[:, i]))
    if len(columns) < 2:
        return []
    with np.errstate(all="ignore"):
        found = [_told(name, column) for name, column in columns]
        sizes = np.array([max(abs(f["mean"]), f["std"]) for f in found])
        sizes = np.where(sizes > 0, sizes, np.nan)
        usual = np.nanmedian(sizes[np.isfinite(sizes)]) if np.isfinite(sizes).any() else 1.0
        distance = np.abs(np.log(sizes / usual))
    broken = np.array([not np.isfinite([f["low"], f["high"], f["mean"]]).all() for f in found])
    distance = np.where(broken, np.inf, np.nan_to_num(distance, nan=-1.0))  # constant zeros are the least of worries
    return [found[i] for i in np.argsort(-distance, kind="stable")[:WORST]]


def _told(name: str, column: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "name": name,
        "mean": float(column.mean()),
        "std": float(column.std()),
        "low": float(column.min()),
        "high": float(column.max()),
    }
