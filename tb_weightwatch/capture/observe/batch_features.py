"""The features of a batch that stand out, by name or index, so that a verdict on the data can name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORST = 8
_MAX_ELEMENTS = 50_000_000  # larger tables are not searched
_Columns = list[tuple[str, NDArray[np.float64]]]


def feature_records(inputs: Any, targets: Any) -> Iterator[dict[str, Any]]:
    """Yields the data of records of kind "features" for a batch's inputs and targets, if some features stand out."""
    for which, data in (("inputs", inputs), ("targets", targets)):
        features = worst_features(data) if data is not None else []
        if features:
            yield {"which": which, "features": features}


def worst_features(data: Any) -> list[dict[str, Any]]:
    """Returns the features of a table of numbers whose size differs most from the others, worst first.

    Args:
        data: `[samples, features]`, or a mapping of such arrays (or of `[samples]` ones) by name.

    Returns:
        At most eight of {"name", "mean", "std", "low", "high"}; those with NaN or infinities come first. Empty for
        images, sequences, token ids and single features.
    """
    columns = _columns(data)
    if len(columns) < 2:
        return []
    with np.errstate(all="ignore"):
        features = [_feature(name, column) for name, column in columns]
        distance = np.round(_distance_from_usual(features), 9)  # equal but for rounding errors: in their order
        order = np.argsort(-distance, kind="stable")
    return [features[i] for i in order[:WORST]]


def _columns(data: Any) -> _Columns:
    """Returns the features of all tables of floating-point numbers, with their names."""
    tables = list(data.items()) if isinstance(data, Mapping) else [("", data)]
    columns: _Columns = []
    for name, table in tables:
        shape = tuple(getattr(table, "shape", ()))
        if not hasattr(table, "dtype") or len(shape) not in (1, 2) or None in shape:  # nested, ragged, an image
            continue
        values = np.asarray(table)
        if values.ndim not in (1, 2) or values.dtype.kind not in "f" or values.size > _MAX_ELEMENTS or len(values) < 2:
            continue
        values = values.reshape(len(values), -1).astype(np.float64)
        width = values.shape[1]
        for i in range(width):
            columns.append((f"{name}[{i}]" if name and width > 1 else name or str(i), values[:, i]))
    return columns


def _feature(name: str, column: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "name": name,
        "mean": float(column.mean()),
        "std": float(column.std()),
        "low": float(column.min()),
        "high": float(column.max()),
    }


def _distance_from_usual(features: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Returns, `[features]`, the log ratio of each feature's size to the median; infinite for non-finite features."""
    sizes = np.array([max(abs(f["mean"]), f["std"]) for f in features])
    sizes = np.where(sizes > 0, sizes, np.nan)
    usual = np.nanmedian(sizes[np.isfinite(sizes)]) if np.isfinite(sizes).any() else 1.0
    distance = np.nan_to_num(np.abs(np.log(sizes / usual)), nan=-1.0)  # constant zeros come last
    nonfinite = np.array([not np.isfinite([f["low"], f["high"], f["mean"]]).all() for f in features])
    return np.where(nonfinite, np.inf, distance)
