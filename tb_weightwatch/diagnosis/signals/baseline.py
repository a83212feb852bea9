"""The loss of a model that ignores its input and predicts a constant, and whether the training beats it."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import run_column
from .loss_function import loss_facts, loss_name
from .loss_identity import ENTROPIES, SQUARED, loss_below, loss_matches
from .memo import memoized
from .model_structure import output_activation, output_units, predicted_units
from .scans import Bool, Float, running_mean

_MEAN_DEVIATION = 0.8  # mean absolute deviation of a normal distribution, in standard deviations
_SQUARES = (*SQUARED, "pair_squared_error")


@memoized
def constant_prediction_loss(history: History) -> Float:
    """Returns `[T]` the loss of the best constant prediction; NaN where loss or targets are not known well enough."""
    name, units = loss_name(history), output_units(history) or 1
    if name.startswith("guess"):
        return _guessed_from_value(history)
    if "categorical" in name and units > 1:
        return np.full(len(history), np.log(units))
    if "binary_crossentropy" in name or "binarycrossentropy" in name:
        return _binary_cross_entropy(history)
    variance = _target_variance(history)
    if "squared" in name and "log" not in name:
        return variance
    if "huber" in name:  # between half the squared error and the absolute error
        return np.minimum(0.5 * variance, _MEAN_DEVIATION * np.sqrt(variance))
    if "absolute" in name and "percent" not in name:
        return _MEAN_DEVIATION * np.sqrt(variance)
    return np.full(len(history), np.nan)


def _target_variance(history: History) -> Float:
    """Returns `[T]` the variance of all targets so far, not of one batch: a batch of one sample has no variance."""
    deviation, mean = run_column(history, "target_std"), run_column(history, "target_mean")
    variance = running_mean(deviation**2 + mean**2) - running_mean(mean) ** 2
    return np.where(variance > 1e-9 * running_mean(mean**2), variance, np.nan)


def _binary_cross_entropy(history: History) -> Float:
    """Returns `[T]` the entropy of the share of positive targets so far; ln 2 where targets are unknown."""
    p = np.clip(running_mean(run_column(history, "target_mean")), 1e-6, 1 - 1e-6)
    return np.where(np.isfinite(p), -(p * np.log(p) + (1 - p) * np.log(1 - p)), np.log(2))


def _guessed_from_value(history: History) -> Float:
    """Returns `[T]` the baseline of a loss that was not recorded, guessed from the output layer and the loss' value."""
    units, name = predicted_units(history), loss_name(history)
    entropy = np.full(len(history), np.log(units)) if units > 1 else _binary_cross_entropy(history)
    if "squared" not in name:
        return np.where(loss_below(history, ENTROPIES), np.nan, entropy)
    # A loss below the squared error is an absolute error, or nearly one.
    variance = _target_variance(history)
    if units > 1 and not np.isfinite(variance).any() and _starts_at(history, np.log(units)):
        return entropy  # of logits: a linear output whose first loss is ln k
    regression = np.where(loss_below(history, _SQUARES), _MEAN_DEVIATION * np.sqrt(variance), variance)
    return np.where(loss_matches(history, ENTROPIES), entropy, regression)


def _starts_at(history: History, level: float) -> bool:
    """Whether the first loss is at this level, up to 15 %."""
    loss = run_column(history, "loss")
    loss = loss[np.isfinite(loss)]
    return bool(len(loss) and abs(loss[0] / level - 1) < 0.15)


def double_activation_losses(history: History) -> tuple[Float, Float]:
    """Returns `[T]` the lowest possible cross-entropy if softmax or sigmoid is applied twice, and its baseline.

    Probabilities lie in [0, 1]. If they are treated as logits, the best ones are 1 and 0: ln(1 + (k - 1) / e) for k
    classes. The baseline is the loss of a constant prediction.
    """
    activation, units = output_activation(history), output_units(history) or 0
    mean = run_column(history, "target_mean")
    if activation == "softmax" and units > 1:
        return np.full(len(history), np.log(1 + (units - 1) / np.e)), np.full(len(history), np.log(units))
    if activation == "sigmoid" and units == 1:
        positives = np.where((mean >= 0) & (mean <= 1), mean, np.nan)
        baseline = np.log1p(np.exp(0.5)) - 0.5 * positives
        return positives * np.log1p(np.exp(-1)) + (1 - positives) * np.log(2), baseline
    return np.full(len(history), np.nan), np.full(len(history), np.nan)


@memoized
def batch_constant_loss(history: History) -> Float:
    """Returns `[T]` the loss that the best constant so far would have on each batch; NaN where it is unknown.

    Known for a recorded squared error and binary cross-entropy. A batch of hard targets raises both losses, so their
    difference shows an improvement of 1 % where the loss itself, which varies by 10 %, shows none.
    """
    name, recorded = loss_name(history), bool(loss_facts(history))
    mean, deviation = run_column(history, "target_mean"), run_column(history, "target_std")
    mean_so_far = running_mean(mean)
    if recorded and "squared" in name and "log" not in name:
        return deviation**2 + (mean - mean_so_far) ** 2
    if recorded and "binary" in name:
        p = np.clip(mean_so_far, 1e-6, 1 - 1e-6)
        return -(mean * np.log(p) + (1 - mean) * np.log(1 - p))
    return np.full(len(history), np.nan)


@memoized
def beats_constant(history: History, rows: int = 30) -> Bool:
    """Returns `[T]` whether the loss was below `batch_constant_loss` by more than three standard errors.

    Args:
        history: what was recorded.
        rows: number of rows needed; the latter half of the rows so far is compared.
    """
    advantage = batch_constant_loss(history) - run_column(history, "loss")
    known = np.isfinite(advantage)
    total = np.r_[0.0, np.cumsum(np.where(known, advantage, 0))]
    square = np.r_[0.0, np.cumsum(np.where(known, advantage**2, 0))]
    count = np.r_[0, np.cumsum(known)]
    end = np.arange(1, len(advantage) + 1)
    half = end // 2
    n = np.maximum(count[end] - count[half], 1)
    mean = (total[end] - total[half]) / n
    deviation = np.sqrt(np.maximum((square[end] - square[half]) / n - mean**2, 0))
    return (n >= rows) & (mean > 3 * deviation / np.sqrt(n))
