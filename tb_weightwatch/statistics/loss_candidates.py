"""What usual losses would give for a batch's own targets and predictions.

A hand-written loop does not say what its loss is. Beside these numbers, the loss that it reports tells by itself
whether it took probabilities for raw outputs, or compared every prediction with every target.
"""

from __future__ import annotations

import numpy as np

from .change import Array, measurable

MAX_ELEMENTS = 1 << 18  # elements of the predictions: an enormous vocabulary is not gone through twice
_LOW, _HIGH = float(np.float32(1e-7)), float(np.float32(1 - 1e-7))  # as Keras clips probabilities, in float32


def loss_candidates(targets: list[Array], predictions: list[Array]) -> dict[str, float]:
    """Returns losses of a batch by name, as Keras defines them (means over the batch); those that fit the shapes.

    Args:
        targets: one array: class ids `[...]` or `[..., 1]`, or numbers as the predictions'.
        predictions: one array `[..., units]`. Of several outputs nothing is said.
    """
    if len(targets) != 1 or len(predictions) != 1:
        return {}
    y, p = targets[0], predictions[0]
    numbers = y.dtype.kind in "biu" or measurable(y.dtype)
    if (
        not numbers
        or not measurable(p.dtype)
        or not p.ndim
        or not y.ndim
        or not 0 < p.size <= MAX_ELEMENTS
        or not y.size
    ):
        return {}
    y, p = y.astype(np.float64), p.astype(np.float64)
    with np.errstate(all="ignore"):
        found = _errors(y, p) | (_of_two(y, p) if y.size == p.size and _within(y, 1) else {})
        if p.ndim > 1 and p.shape[-1] > 1:
            found |= _of_several(y, p)
    return {name: float(value) for name, value in found.items()}


def _within(y: Array, top: float) -> bool:
    return bool(y.min() >= 0 and y.max() <= top)


def _errors(y: Array, p: Array) -> dict[str, float]:
    """Squared errors: of each prediction with its target and, where shapes do not fit, with all targets."""
    if y.size == p.size and (p.shape == y.shape or 1 in (p.shape[-1], y.shape[-1])):
        found = {"squared_error": np.mean((y.reshape(-1) - p.reshape(-1)) ** 2)}
        if {p.shape, y.shape} == {(y.size,), (y.size, 1)} and y.size > 1:
            # The mean over all pairs: both variances, and how far the means are apart.
            found["pair_squared_error"] = np.var(y) + np.var(p) + (np.mean(y) - np.mean(p)) ** 2
        return found
    return {}


def _of_two(y: Array, p: Array) -> dict[str, float]:
    y, p = y.reshape(-1), p.reshape(-1)
    q = np.clip(p, _LOW, _HIGH)
    return {
        "cross_entropy": -np.mean(y * np.log(q) + (1 - y) * np.log(1 - q)),
        "logit_cross_entropy": np.mean(np.logaddexp(0, p) - y * p),
    }


def _of_several(y: Array, p: Array) -> dict[str, float]:
    rows = p.reshape(-1, p.shape[-1])
    logits = rows - rows.max(axis=-1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    clipped = np.clip(rows, _LOW, _HIGH)
    if y.size == len(rows) and _within(y, p.shape[-1] - 1) and (y == np.rint(y)).all():
        ids, each = y.reshape(-1).astype(np.int64), np.arange(len(rows))
        sparse = np.log(clipped / clipped.sum(axis=-1, keepdims=True))
        return {"cross_entropy": -np.mean(sparse[each, ids]), "logit_cross_entropy": -np.mean(logits[each, ids])}
    if y.shape == p.shape and _within(y, 1) and np.abs(y.sum(axis=-1) - 1).max() < 1e-4:
        share = np.clip(rows / rows.sum(axis=-1, keepdims=True), _LOW, _HIGH)
        truth = y.reshape(rows.shape)
        return {
            "cross_entropy": -np.mean((truth * np.log(share)).sum(axis=-1)),
            "logit_cross_entropy": -np.mean((truth * logits).sum(axis=-1)),
        }
    return {}
