"""The values that common losses give for a batch's own targets and predictions.

A hand-written loop does not declare its loss. Compared with these values, the loss that it reports reveals whether it
took probabilities for logits, or compared every prediction with every target.
"""

from __future__ import annotations

import numpy as np

from .change import Array, measurable

MAX_LOSS_ELEMENTS = 1 << 18  # elements of the predictions: those of a very large vocabulary are not read a second time
_LOW, _HIGH = float(np.float32(1e-7)), float(np.float32(1 - 1e-7))  # as Keras clips probabilities, in float32


def loss_candidates(targets: list[Array], predictions: list[Array]) -> dict[str, float]:
    """Returns losses of a batch by name, as Keras defines them (means over the batch); those that fit the shapes.

    Args:
        targets: one array: class ids `[...]` or `[..., 1]`, or numbers in the shape of the predictions.
        predictions: one array `[..., units]`; a model with several outputs gets no candidates.
    """
    if len(targets) != 1 or len(predictions) != 1:
        return {}
    y, p = targets[0], predictions[0]
    if not _is_comparable(y, p):
        return {}
    y, p = y.astype(np.float64), p.astype(np.float64)
    with np.errstate(all="ignore"):
        losses = _distances(y, p)
        if y.size == p.size and _within(y, 1):
            losses |= _binary_cross_entropies(y, p)
        if _are_pairs(y, p):
            losses |= _losses_of_pairs(y.reshape(-1), p.reshape(-1))
        if p.ndim > 1 and p.shape[-1] > 1:
            losses |= _categorical_cross_entropies(y, p)
    return {name: float(value) for name, value in losses.items()}


def _is_comparable(y: Array, p: Array) -> bool:
    are_numbers = (y.dtype.kind in "biu" or measurable(y.dtype)) and measurable(p.dtype)
    return bool(are_numbers and p.ndim and y.ndim and 0 < p.size <= MAX_LOSS_ELEMENTS and y.size)


def _within(y: Array, top: float) -> bool:
    return bool(y.min() >= 0 and y.max() <= top)


def _distances(y: Array, p: Array) -> dict[str, float]:
    """Returns the squared and the absolute error, prediction by prediction."""
    if y.size != p.size or not (p.shape == y.shape or 1 in (p.shape[-1], y.shape[-1])):
        return {}
    difference = y.reshape(-1) - p.reshape(-1)
    return {"squared_error": np.mean(difference**2), "absolute_error": np.mean(np.abs(difference))}


def _are_pairs(y: Array, p: Array) -> bool:
    """Whether a difference of the two broadcasts to a matrix of every prediction with every target."""
    return bool({p.shape, y.shape} == {(y.size,), (y.size, 1)} and y.size > 1)


def _losses_of_pairs(y: Array, p: Array) -> dict[str, float]:
    """Returns the losses over every prediction with every target, in closed form: there are n x n of them."""
    losses: dict[str, float] = {
        # The sum of both variances and of the squared distance of the means.
        "pair_squared_error": float(np.var(y) + np.var(p) + (np.mean(y) - np.mean(p)) ** 2),
        "pair_absolute_error": _mean_distance(y, p),
    }
    if _within(y, 1):  # a binary cross-entropy is linear in the target, so only the mean target counts
        q, mean = np.clip(p, _LOW, _HIGH), np.mean(y)
        losses["pair_cross_entropy"] = -(mean * np.mean(np.log(q)) + (1 - mean) * np.mean(np.log(1 - q)))
        losses["pair_logit_cross_entropy"] = float(np.mean(np.logaddexp(0, p)) - mean * np.mean(p))
    return losses


def _mean_distance(y: Array, p: Array) -> float:
    """Returns the mean of |y_i - p_j| over all pairs, from sorted targets and their running sum."""
    ordered = np.sort(y)
    total = np.concatenate([[0.0], np.cumsum(ordered)])
    below = np.searchsorted(ordered, p)
    distances = p * below - total[below] + (total[-1] - total[below]) - p * (y.size - below)
    return float(np.mean(distances) / y.size)


def _binary_cross_entropies(y: Array, p: Array) -> dict[str, float]:
    y, p = y.reshape(-1), p.reshape(-1)
    q = np.clip(p, _LOW, _HIGH)
    return {
        "cross_entropy": -np.mean(y * np.log(q) + (1 - y) * np.log(1 - q)),
        "logit_cross_entropy": np.mean(np.logaddexp(0, p) - y * p),
    }


def _categorical_cross_entropies(y: Array, p: Array) -> dict[str, float]:
    rows = p.reshape(-1, p.shape[-1])
    log_softmax = rows - rows.max(axis=-1, keepdims=True)
    log_softmax -= np.log(np.exp(log_softmax).sum(axis=-1, keepdims=True))
    if y.size == len(rows) and _within(y, p.shape[-1] - 1) and (y == np.rint(y)).all():
        ids, samples = y.reshape(-1).astype(np.int64), np.arange(len(rows))
        clipped = np.clip(rows, _LOW, _HIGH)
        log_probabilities = np.log(clipped / clipped.sum(axis=-1, keepdims=True))
        return {
            "cross_entropy": -np.mean(log_probabilities[samples, ids]),
            "logit_cross_entropy": -np.mean(log_softmax[samples, ids]),
        }
    if y.shape == p.shape and _within(y, 1) and np.abs(y.sum(axis=-1) - 1).max() < 1e-4:
        probabilities = np.clip(rows / rows.sum(axis=-1, keepdims=True), _LOW, _HIGH)
        one_hot = y.reshape(rows.shape)
        return {
            "cross_entropy": -np.mean((one_hot * np.log(probabilities)).sum(axis=-1)),
            "logit_cross_entropy": -np.mean((one_hot * log_softmax).sum(axis=-1)),
        }
    return {}
