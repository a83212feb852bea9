"""Facts about the loss: its course, its level, what it is computed from, and the exception that ended the training."""

from __future__ import annotations

import numpy as np

from ...history import History
from .. import signals
from ..wording import factor, number
from .observation import UNKNOWN, Observation, observe


def loss_jumped(history: History) -> Observation:
    """The loss was many times its start at some step."""
    trend = signals.loss_trend(history)
    if not trend.finite_rows[-1]:
        return UNKNOWN
    peak, start = float(trend.peak[-1]), max(abs(float(trend.start[-1])), 1e-12)
    text = f"the largest loss was {factor(peak / start, 2)} times the first one"
    return observe(peak > 5 * start, text, text)


def loss_starts_high(history: History) -> Observation:
    """The first loss was far above that of a constant prediction."""
    trend = signals.loss_trend(history)
    first, level = float(trend.first[-1]), float(trend.constant_loss[-1])
    if not (np.isfinite(first) and np.isfinite(level) and level > 0):
        return UNKNOWN
    text = f"the first loss was {factor(first / level, 2)} times that of a constant prediction"
    return observe(first > 5 * level, text, text)


def probabilities_are_taken_as_logits(history: History) -> Observation:
    """The loss equals the cross-entropy of logits, though the predictions are probabilities."""
    if not history.has("loss", "logit_cross_entropy"):
        return UNKNOWN
    equal = bool(signals.loss_equals(history, "logit_cross_entropy", "cross_entropy")[-1])
    probabilities = signals.output_activation(history) in ("softmax", "sigmoid") or _rows_sum_to_one(history)
    return observe(
        equal and probabilities,
        "the loss takes the predictions as raw outputs (from_logits=True), but they are probabilities",
        "the loss is not known to take probabilities as raw outputs",
    )


def logits_are_taken_as_probabilities(history: History) -> Observation:
    """The loss equals the cross-entropy of probabilities, though the predictions are not."""
    if not history.has("loss", "cross_entropy"):
        return UNKNOWN
    equal = bool(signals.loss_equals(history, "cross_entropy", "logit_cross_entropy")[-1])
    raw = signals.output_activation(history) in ("linear", "relu") and not _rows_sum_to_one(history)
    return observe(
        equal and raw,
        "the loss is that of probabilities, but the predictions are raw outputs",
        "the loss is not known to take raw outputs as probabilities",
    )


def loss_is_far_above_constant(history: History) -> Observation:
    """The loss is several times that of a constant prediction."""
    trend = signals.loss_trend(history)
    recent, level = float(trend.recent[-1]), float(trend.constant_loss[-1])
    if not (np.isfinite(recent) and np.isfinite(level) and level > 0):
        return UNKNOWN
    text = f"the loss is {factor(recent / level, 2)} times that of a constant prediction"
    return observe(recent > 3 * level, text, text)


def loss_is_far_below_zero(history: History) -> Observation:
    """The loss is negative, and its size far above that of the first one."""
    trend = signals.loss_trend(history)
    if not trend.finite_rows[-1]:
        return UNKNOWN
    recent, first = float(trend.recent[-1]), float(trend.first[-1])
    text = f"the loss went from {number(first)} to {number(recent)}"
    return observe(recent < -100 * max(1.0, abs(first)), text, text)


def loss_is_always_zero(history: History) -> Observation:
    """The loss of every batch is exactly 0."""
    if not history.has("loss"):
        return UNKNOWN
    loss = history.loss[np.isfinite(history.loss)]
    zero = bool(len(loss) and not loss.any())
    return observe(zero, "the loss of every recorded step is 0", "the loss is not always 0")


def loss_compares_all_pairs(history: History) -> Observation:
    """The loss compares every prediction with every target of the batch."""
    if not history.has("loss", "pair_squared_error"):
        return UNKNOWN
    return observe(
        bool(signals.pair_candidate(history)[1][-1]),
        "the loss is the mean over every prediction with every target, [n, 1] against [n]",
        "the loss is not that of all pairs of predictions and targets",
    )


def exception_is_a_mismatch(history: History) -> Observation:
    """Shapes or dtypes that do not fit together ended the training."""
    error = signals.training_error(history)
    if error is None or not error.ended:
        return UNKNOWN
    mismatch = error.meaning in ("shape-mismatch", "dtype-mismatch", "target-shape-mismatch")
    kind = "shapes" if "shape" in error.meaning else "dtypes"
    return observe(
        mismatch, f"the {error.kind} says that {kind} do not fit together", f"the {error.kind} says something else"
    )


def _rows_sum_to_one(history: History) -> bool:
    """Whether the mean prediction is one over the number of classes, as that of probabilities always is."""
    units, mean = signals.predicted_units(history), signals.run_column(history, "prediction_mean")
    mean = mean[np.isfinite(mean)]
    return bool(units > 1 and len(mean) and np.abs(mean * units - 1).max() < 1e-3)
