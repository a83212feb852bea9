"""Statistics of many small variables at once: for each of them numpy's calls would cost more than the elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..change import NOT_OBSERVED, Array, VariableStep

SMALL = 1 << 11  # elements: variables of at most this size are measured together


def small_statistics(changes: list[VariableStep]) -> dict[str, Array]:
    """Returns the quantities of small variables by name, `[n]` each.

    All arithmetic is float64, in which no square of a float32 overflows.

    Args:
        changes: `[n]`, all of one kind: float32 or shorter, not empty, all with dense gradients or all without, all
            with `before` or all without; the same for `raw` and `previous`.
    """
    sizes = np.array([change.after.size for change in changes])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    after = _concatenated([change.after for change in changes])
    numbers = _norm_and_max("weight", after, starts)
    # Around the first element of each variable, so that equal elements give exactly 0.
    centered = after - np.repeat(after[starts], sizes)
    mean = _sum(centered, starts) / sizes
    numbers["weight_std"] = np.sqrt(_sum(np.square(centered - np.repeat(mean, sizes)), starts) / sizes)
    numbers["weight_nonfinite"] = _sum(~np.isfinite(after), starts)
    first = changes[0]
    changed = None
    if first.before is not None:
        before = _concatenated([change.before for change in changes])
        changed = (after != before) & ~(np.isnan(after) & np.isnan(before))
        numbers |= _norm_and_max("update", after - before, starts) | {"changed_share": _sum(changed, starts) / sizes}
    if first.gradient is not NOT_OBSERVED:
        numbers["gradient_none"] = np.full(len(changes), float(first.gradient is None))
    if isinstance(first.gradient, np.ndarray):
        numbers |= _gradients(changes, starts, sizes, changed)
    return numbers


def _gradients(changes: list[VariableStep], starts: Array, sizes: Array, changed: Array | None) -> dict[str, Array]:
    g = _concatenated([change.gradient for change in changes])
    numbers = _norm_and_max("gradient", g, starts) | {
        "gradient_zero_share": _sum(g == 0, starts) / sizes,
        "gradient_nonfinite": _sum(~np.isfinite(g), starts),
    }
    if changed is not None:
        numbers["stuck_share"] = _sum((g != 0) & ~changed, starts) / sizes
    if changes[0].raw is None:
        numbers["raw_gradient_norm"] = numbers["gradient_norm"]
    elif changes[0].raw is not NOT_OBSERVED:
        raw = _concatenated([change.raw for change in changes])
        numbers["raw_gradient_norm"] = _norm_and_max("raw", raw, starts)["raw_norm"]
    if changes[0].previous is not None:
        previous = _concatenated([change.previous for change in changes])
        # The scale does not change a cosine, so both are scaled to about 1 first.
        scales = (np.repeat(_norm_and_max("", x, starts)["_max"], sizes) for x in (g, previous))
        one, other = (x / scale for x, scale in zip((g, previous), scales, strict=True))
        norms = np.sqrt(_sum(one * one, starts) * _sum(other * other, starts))
        numbers["gradient_cosine"] = np.clip(_sum(one * other, starts) / norms, -1, 1)
    return numbers


def _concatenated(arrays: list[Any]) -> Array:
    return np.concatenate([array.reshape(-1) for array in arrays]).astype(np.float64)


def _sum(values: Array, starts: Array) -> Array:
    """Returns the sum over each variable's elements, `[n]`."""
    return np.asarray(np.add.reduceat(values, starts, dtype=np.float64))


def _norm_and_max(name: str, values: Array, starts: Array) -> dict[str, Array]:
    top = np.maximum.reduceat(np.abs(values), starts)
    norm = np.where(np.isfinite(top), np.maximum(np.sqrt(_sum(values * values, starts)), top), top)
    return {f"{name}_norm": norm, f"{name}_max": top}
