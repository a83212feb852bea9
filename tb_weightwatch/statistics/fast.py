"""The table's functions in numpy for what stands in the host's memory: as `_numpy`, many times quicker.

Reading is bound by memory, so a tensor is gone through once, in pieces that stay in the processor's cache, in float32.
What float32 can't hold on the way (NaN, infinities, squares beyond its range, a spread that cancels) is left to the
reference, which is exact and slow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import reference as exact
from .change import NOT_OBSERVED, Array, SparseGradient, VariableStep, measurable, stride

PIECE = 1 << 16  # elements
SMALL = 1 << 11  # up to so many, variables are measured together: calls cost more than elements
_LOW, _HIGH = 1e-14, 1e14  # squares of these are well within float32
_ONES = np.ones(PIECE, np.float32)
CANCELS = 1e-3  # a variance below this share of the mean square has lost its digits


def sketch(gradient: Any, like: Array) -> Array | None:
    """Returns the sample of a gradient that the next step's is compared with; None where there is no gradient."""
    if isinstance(gradient, SparseGradient):
        step = stride(like.size)
        width = like.size // max(len(like), 1)
        found = np.zeros(-(-like.size // step), np.float32)
        begins = gradient.rows * width
        # In each row the elements that are a multiple of the stride from the array's first.
        places = -begins[:, None] % step + np.arange(0, width, step)
        row, chosen = np.nonzero(places < width)
        places = places[row, chosen]
        found[(begins[row] + places) // step] = gradient.sums.reshape(-1, width)[row, places]
        return found
    if not isinstance(gradient, np.ndarray) or not measurable(gradient.dtype):
        return None
    return np.array(gradient.ravel()[:: stride(gradient.size)])


# -- one pass over a large array


def count(mask: Array) -> int:
    """Returns how many elements hold."""
    return int(np.count_nonzero(mask))


class RunningNorm:
    """Adds up pieces of one array: norm, largest, mean and spread, or the knowledge that these need the reference."""

    def __init__(self) -> None:
        self.square = self.total = 0.0
        self.high, self.low = -math.inf, math.inf

    def add(self, piece: Array, mean: bool = False) -> None:
        """Adds the next piece of the array."""
        self.square += float(np.dot(piece, piece))
        self.high, self.low = max(self.high, float(piece.max())), min(self.low, float(piece.min()))
        if mean:
            # Several times as quick as a sum. Of a layer of very many units a piece is one sample, however long.
            self.total += float(np.dot(piece, _ONES[: piece.size]) if piece.size <= PIECE else piece.sum())

    @property
    def largest(self) -> float:
        """Largest absolute element."""
        return max(self.high, -self.low)

    @property
    def usual(self) -> bool:
        """Says whether float32 held all of it."""
        return math.isfinite(self.square) and (self.largest == 0 or _LOW < self.largest < _HIGH)

    def norm(self) -> float:
        """Returns the l2 norm."""
        return max(math.sqrt(self.square), self.largest)


def _usual(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == np.float32 and x.size > 0


def variable_statistics(change: VariableStep) -> dict[str, float]:
    """Returns the recorded quantities of one variable by name (`_numpy.variable_statistics`)."""
    gradient, before, after = change[:3]
    if isinstance(gradient, SparseGradient):
        return _of_rows(change)
    dense = isinstance(gradient, np.ndarray)
    parts = (gradient if dense else after, after if before is None else before, after)
    if not all(_usual(x) and x.size == after.size for x in parts):
        return _by_reference(change)
    a = after.reshape(-1)
    b = None if before is None else before.reshape(-1)
    g = gradient.reshape(-1) if dense else None
    sizes = [RunningNorm(), RunningNorm(), RunningNorm()]
    counts = _pieces(a, b, g, sizes)
    if not all(
        size.usual for size in (sizes[0], *(sizes[1:2] if dense else ()), *(sizes[2:] if b is not None else ()))
    ):
        return _by_reference(change)
    found = {
        "weight_norm": sizes[0].norm(),
        "weight_max": sizes[0].largest,
        "weight_std": spread(a, sizes[0]),
        "weight_nonfinite": 0.0,
    }
    if gradient is not NOT_OBSERVED:
        found["gradient_none"] = float(gradient is None)
    if dense:
        found |= {
            "gradient_norm": sizes[1].norm(),
            "gradient_max": sizes[1].largest,
            "gradient_zero_share": (a.size - counts[0]) / a.size,
            "gradient_nonfinite": 0.0,
        }
    if b is not None:
        found |= {
            "update_norm": sizes[2].norm(),
            "update_max": sizes[2].largest,
            "changed_share": counts[1] / a.size,
        }
        if dense:
            found["stuck_share"] = counts[2] / a.size
    return found | _directions(change, found)


def _pieces(a: Array, b: Array | None, g: Array | None, sizes: list[RunningNorm]) -> tuple[int, int, int]:
    """Goes through all pieces once; returns how many gradients are not 0, weights moved, and stuck."""
    alive = moved = stuck = 0
    some, other = np.empty(PIECE, bool), np.empty(PIECE, bool)
    delta = np.empty(PIECE, np.float32)
    for start in range(0, a.size, PIECE):
        one = a[start : start + PIECE]
        sizes[0].add(one, mean=True)
        n = one.size
        if b is not None:
            old = b[start : start + PIECE]
            sizes[2].add(np.subtract(one, old, out=delta[:n]))
            moved += count(np.not_equal(one, old, out=some[:n]))
        if g is not None:
            part = g[start : start + PIECE]
            sizes[1].add(part)
            alive += count(np.not_equal(part, 0, out=other[:n]))
            if b is not None:
                stuck += count(np.greater(other[:n], some[:n], out=other[:n]))
    return alive, moved, stuck


def spread(values: Array, size: RunningNorm) -> float:
    """Returns the standard deviation; exactly 0 for equal elements."""
    if size.high == size.low:
        return 0.0
    mean, square = size.total / values.size, size.square / values.size
    variance = square - mean * mean
    return math.sqrt(variance) if variance > CANCELS * square else exact._spread(values.astype(np.float64))


def _directions(change: VariableStep, found: dict[str, float]) -> dict[str, float]:
    """Returns what is told of the gradient beside its size: before clipping, and against the last one."""
    if "gradient_norm" not in found:
        return {}
    told = {}
    if change.raw is not NOT_OBSERVED:
        told["raw_gradient_norm"] = found["gradient_norm"] if change.raw is None else norm(change.raw)
    if change.previous is not None:
        now = change.sketch if change.sketch is not None else sketch(change.gradient, np.asarray(change.after))
        told["gradient_cosine"] = cosine(now, change.previous)
    return told


def norm(values: Any) -> float:
    """Returns the l2 norm of an array, or of `SparseGradient`, without overflow or underflow on the way."""
    values = values.sums if isinstance(values, SparseGradient) else np.asarray(values)
    if not _usual(values):
        return exact.norm(values)
    flat, size = values.reshape(-1), RunningNorm()
    for start in range(0, flat.size, PIECE):
        size.add(flat[start : start + PIECE])
    return size.norm() if size.usual else exact.norm(values)


def cosine(one: Any, other: Any) -> float:
    """Returns the cosine between two sketches; NaN where one of them is zero."""
    if _usual(one) and _usual(other) and one.shape == other.shape:
        a, b = float(np.dot(one, one)), float(np.dot(other, other))
        if _LOW * _LOW < a < _HIGH * _HIGH and _LOW * _LOW < b < _HIGH * _HIGH:
            return float(np.clip(float(np.dot(one, other)) / math.sqrt(a * b), -1, 1))
    return exact._cosine(np.asarray(one, np.float64), np.asarray(other, np.float64))


def _by_reference(change: VariableStep) -> dict[str, float]:
    with np.errstate(all="ignore"):
        found = exact.variable_statistics(*change[:3])
        return found | _directions(change, found)


def _of_rows(change: VariableStep) -> dict[str, float]:
    """Returns the quantities of a sparse gradient; its shares are of the rows that occur."""
    gradient, before, after, *_ = change
    found = variable_statistics(change._replace(gradient=NOT_OBSERVED, raw=None, previous=None))
    old, new = (x if x is None else x[gradient.rows] for x in (before, after))
    rows = variable_statistics(VariableStep(gradient.sums, old, new)) if gradient.sums.size else _nothing(before)
    found |= {k: v for k, v in rows.items() if k.startswith("gradient_")}
    if "stuck_share" in rows:
        found["stuck_share"] = rows["stuck_share"] * gradient.sums.size / max(after.size, 1)
    return found | _directions(change, found)


def _nothing(before: Any) -> dict[str, float]:
    names = ("gradient_norm", "gradient_max", "gradient_zero_share", "gradient_nonfinite", "gradient_none")
    return dict.fromkeys((*names, *(() if before is None else ("stuck_share",))), 0.0)


# -- many small ones at once


def small_statistics(changes: list[VariableStep]) -> dict[str, Array]:
    """Returns the quantities of small variables by name, `[n]` each.

    All are of one kind: float32 or shorter, not empty, with dense gradients or without, `before` known or not. In
    float64, where no square of a float32 overflows.
    """
    sizes = np.array([change.after.size for change in changes])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    after = _end_to_end([change.after for change in changes])
    found = _sizes("weight", after, starts)
    off = after - np.repeat(after[starts], sizes)
    mean = _sum(off, starts) / sizes
    found["weight_std"] = np.sqrt(_sum(np.square(off - np.repeat(mean, sizes)), starts) / sizes)
    found["weight_nonfinite"] = _sum(~np.isfinite(after), starts)
    first = changes[0]
    moved = None
    if first.before is not None:
        before = _end_to_end([change.before for change in changes])
        moved = (after != before) & ~(np.isnan(after) & np.isnan(before))
        found |= _sizes("update", after - before, starts) | {"changed_share": _sum(moved, starts) / sizes}
    if first.gradient is not NOT_OBSERVED:
        found["gradient_none"] = np.full(len(changes), float(first.gradient is None))
    if isinstance(first.gradient, np.ndarray):
        found |= _small_gradients(changes, starts, sizes, moved)
    return found


def _small_gradients(changes: list[VariableStep], starts: Array, sizes: Array, moved: Array | None) -> dict[str, Array]:
    g = _end_to_end([change.gradient for change in changes])
    found = _sizes("gradient", g, starts) | {
        "gradient_zero_share": _sum(g == 0, starts) / sizes,
        "gradient_nonfinite": _sum(~np.isfinite(g), starts),
    }
    if moved is not None:
        found["stuck_share"] = _sum((g != 0) & ~moved, starts) / sizes
    if changes[0].raw is None:
        found["raw_gradient_norm"] = found["gradient_norm"]
    elif changes[0].raw is not NOT_OBSERVED:
        raw = _end_to_end([change.raw for change in changes])
        found["raw_gradient_norm"] = _sizes("raw", raw, starts)["raw_norm"]
    if changes[0].previous is not None:
        last = _end_to_end([change.previous for change in changes])
        top, other = (np.repeat(_sizes("", x, starts)["_max"], sizes) for x in (g, last))
        near, far = g / top, last / other  # a cosine does not mind the scale
        size = np.sqrt(_sum(near * near, starts) * _sum(far * far, starts))
        found["gradient_cosine"] = np.clip(_sum(near * far, starts) / size, -1, 1)
    return found


def _end_to_end(parts: list[Any]) -> Array:
    return np.concatenate([part.reshape(-1) for part in parts]).astype(np.float64)


def _sum(values: Array, starts: Array) -> Array:
    return np.asarray(np.add.reduceat(values, starts, dtype=np.float64))


def _sizes(name: str, values: Array, starts: Array) -> dict[str, Array]:
    top = np.maximum.reduceat(np.abs(values), starts)
    length = np.where(np.isfinite(top), np.maximum(np.sqrt(_sum(values * values, starts)), top), top)
    return {f"{name}_norm": length, f"{name}_max": top}
