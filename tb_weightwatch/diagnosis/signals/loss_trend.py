"""How the loss goes, row by row and causally, and what a model without skill would get."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...history import History
from .columns import model_facts, run_column
from .loss_identity import loss_below, loss_matches
from .memo import from_records, memoized
from .model_structure import output_activation, output_units, predicted_units
from .scans import Bool, Float, ever, latest_known, running_max, running_mean, trailing_mean

_DISTANCE = 0.8  # the mean distance from the mean, in standard deviations of a bell curve
_ENTROPIES, _SQUARES = ("cross_entropy", "logit_cross_entropy"), ("squared_error", "pair_squared_error")


class LossTrend(NamedTuple):
    """The loss as an observer at each row sees it, all `[T]`.

    Attributes:
        finite_rows: number of finite losses so far.
        start: the loss to begin with (the first row's, or the mean of the first few where batches are tiny).
        recent: mean over the last eighth of the rows, at least three.
        noise: how far start and late may differ by chance (two standard errors).
        peak: the largest finite loss so far.
        constant_loss: the loss of a model that ignores its input; NaN if it is not known.
        first: the very first finite loss, that of the weights as they were made.
        recent_margin: how far late may be off by chance (two standard errors).
        loss_is_known: whether `constant_loss` comes from the recorded loss function; otherwise it is guessed from the
            output layer.
        recent_min: the smallest loss over the last eighth of the rows.
    """

    finite_rows: Float
    start: Float
    recent: Float
    noise: Float
    peak: Float
    constant_loss: Float
    loss_is_known: bool
    first: Float
    recent_margin: Float
    recent_min: Float

    @property
    def relative_decrease(self) -> Float:
        """How far the loss has fallen, as a share of where it began; negative if it rose."""
        return np.asarray((self.start - self.recent) / np.maximum(np.abs(self.start), 1e-12))

    @property
    def decreased(self) -> Bool:
        """Whether it fell by more than chance and by at least 2 %."""
        return np.asarray(self.start - self.recent > np.maximum(self.noise, 0.02 * np.abs(self.start)))

    @property
    def enough_rows(self) -> Bool:
        """Whether there are at least three losses to go by."""
        return np.asarray(self.finite_rows >= 3)

    def low(self, share: float = 0.3) -> Bool:
        """Whether the loss is low: a fraction of what takes no skill (of where it began, if unknown), or 0."""
        skilled = (self.recent <= share * self.constant_loss) & (self.constant_loss > 0)
        began = (
            (self.start > 0)
            & (np.abs(self.recent) <= share * self.start)
            & ~(self.loss_is_known & np.isfinite(self.constant_loss))
        )
        return np.asarray(began | skilled | (self.recent == 0))

    def near_constant_loss(self, share: float = 0.8) -> Bool:
        """Whether the loss is still near or above the level that takes no skill (or has not fallen, if unknown)."""
        unknown = ~np.isfinite(self.constant_loss)
        return np.asarray(
            np.where(unknown, self.enough_rows & ~self.decreased, self.recent >= share * self.constant_loss)
        )

    def not_improving(self, share: float = 0.9) -> Bool:
        """Whether nothing was gained: near the level of no skill where that is known, else no fall beyond chance."""
        level = np.isfinite(self.constant_loss) & self.loss_is_known
        unmoved = (self.enough_rows & ~self.decreased) | self.near_constant_loss(share)
        return np.asarray(np.where(level, self.near_constant_loss(share) & self.enough_rows, unmoved) & ~self.low())

    @property
    def baseline_reliable(self) -> Bool:
        """Whether the level of no skill can be relied on: the loss is known, or began at the level guessed for it."""
        began = np.abs(np.log(np.abs(self.first / self.constant_loss))) < 0.4
        return np.asarray(np.isfinite(self.constant_loss) & (self.loss_is_known | began))

    @property
    def diverged(self) -> Bool:
        """Whether all that was known at first is lost: the latest losses are each a hundred times the very first."""
        began = np.fmax(self.first, self.constant_loss)
        return np.asarray((self.recent_min > 100 * began) & (began > 0) & self.enough_rows)

    def describe(self, row: int) -> str:
        """Returns the loss' way so far in words; "" where it is not known."""
        from ...verdict import number

        if not self.finite_rows[row]:
            return ""
        return f"loss {number(float(self.start[row]))} -> {number(float(self.recent[row]))}"


@memoized
def loss_trend(history: History) -> LossTrend:
    """Returns the course of the loss; all NaN where it was not recorded."""
    loss = run_column(history, "loss")
    finite = np.flatnonzero(np.isfinite(loss))
    rows = np.cumsum(np.isfinite(loss)).astype(np.float64)
    blank = np.full(len(loss), np.nan)
    sure = not loss_name(history).startswith("guess")
    if not len(finite):
        return LossTrend(rows, blank, blank, blank, blank, constant_prediction_loss(history), sure, blank, blank, blank)
    values = loss[finite]
    count = np.arange(1, len(values) + 1)
    width = np.clip(count // 8, np.minimum(count, 3), None)
    late = _windows(values, count, width) / width
    spread = np.sqrt(np.maximum(_windows(values**2, count, width) / width - late**2, 0))
    batch = run_column(history, "batch_size")
    first = int(np.clip(32 // max(1.0, batch[finite[0]]), 1, 16)) if np.isfinite(batch[finite[0]]) else 1
    begun = np.minimum(count, first)
    start = (np.cumsum(values[: first + 1]) / np.arange(1, len(values[: first + 1]) + 1))[begun - 1]
    noise = 2 * spread * np.sqrt(1 / width + 1 / begun)
    margin = 2 * spread / np.sqrt(width)
    first_loss = np.where(rows > 0, values[0], np.nan)

    def spreadout(found: Float) -> Float:
        wide = blank.copy()
        wide[finite] = found
        return latest_known(wide)

    peak = running_max(np.where(np.isfinite(loss), loss, np.nan))
    level, sunk = constant_prediction_loss(history), spreadout(late)
    unknown = ~ever(np.isfinite(level))
    if "squared" in loss_name(history) and unknown.any():
        # The targets were not seen, but what a model explains shows in how far its predictions differ.
        spread_of = trailing_mean(run_column(history, "prediction_std"), 8)
        level = np.where(unknown, np.where(sunk > 0, sunk + spread_of**2, np.nan), level)
    least = spreadout(_windows(values, count, width, np.minimum))
    return LossTrend(
        rows, spreadout(start), sunk, spreadout(noise), peak, level, sure, first_loss, spreadout(margin), least
    )


def _windows(values: Float, ends: np.ndarray, width: np.ndarray, how: np.ufunc = np.add) -> Float:
    """Returns `values[end - width : end]`, reduced; no cumulative sum, in which an enormous loss drowns later ones."""
    bounds = np.stack([ends - width, ends], axis=1).ravel()
    return np.asarray(how.reduceat(np.append(values, 0.0), bounds)[::2])


@memoized
def constant_prediction_loss(history: History) -> Float:
    """Returns `[T]` the loss of the best constant prediction; NaN where loss or targets are not known well enough."""
    name, units = loss_name(history), output_units(history) or 1
    if name.startswith("guess"):
        return _by_value(history)
    if "categorical" in name and units > 1:
        return np.full(len(history), np.log(units))
    if "binary_crossentropy" in name or "binarycrossentropy" in name:
        return _of_two(history)
    variance = _variance(history)
    if "squared" in name and "log" not in name:
        return variance
    if "huber" in name:  # between half a square and a distance
        return np.asarray(np.minimum(0.5 * variance, _DISTANCE * np.sqrt(variance)))
    if "absolute" in name and "percent" not in name:
        return np.asarray(_DISTANCE * np.sqrt(variance))
    return np.full(len(history), np.nan)


def _variance(history: History) -> Float:
    """Returns `[T]` the variance of all targets so far, not of one batch: a batch of one has no spread."""
    deviation, mean = run_column(history, "target_std"), run_column(history, "target_mean")
    variance = running_mean(deviation**2 + mean**2) - running_mean(mean) ** 2
    return np.asarray(np.where(variance > 1e-9 * running_mean(mean**2), variance, np.nan))


def _of_two(history: History) -> Float:
    p = np.clip(running_mean(run_column(history, "target_mean")), 1e-6, 1 - 1e-6)
    return np.asarray(np.where(np.isfinite(p), -(p * np.log(p) + (1 - p) * np.log(1 - p)), np.log(2)))


def _by_value(history: History) -> Float:
    """Returns `[T]` the level of a loss that was not recorded: a guess by the output layer, and by its value."""
    units, name = predicted_units(history), loss_name(history)
    of_classes = np.full(len(history), np.log(units)) if units > 1 else _of_two(history)
    if "squared" not in name:
        return np.asarray(np.where(loss_below(history, _ENTROPIES), np.nan, of_classes))
    # What is less than the squared error is a distance, or nearly one.
    variance = _variance(history)
    level = np.where(loss_below(history, _SQUARES), _DISTANCE * np.sqrt(variance), variance)
    return np.asarray(np.where(loss_matches(history, _ENTROPIES), of_classes, level))


def loss_facts(history: History) -> dict[str, Any]:
    """Returns what was recorded of the loss function; {} where it is not known (a hand-written loop)."""
    found = dict(model_facts(history).get("loss") or {})
    return found if found.get("name") or found.get("class") else {}


def is_cross_entropy(history: History) -> bool:
    """Says whether the recorded loss is one of Keras' cross-entropies; False where it is not known."""
    found = loss_facts(history)
    return "crossentropy" in f"{found.get('class') or ''}{found.get('name') or ''}".lower().replace("_", "")


def double_activation_losses(history: History) -> tuple[Float, Float]:
    """Returns `[T]` the lowest cross-entropy of a batch if softmax or sigmoid is applied twice, and that of no skill.

    Probabilities lie in [0, 1]. Taken for logits, the best are 1 and 0s: ln(1 + (k - 1) / e) for k classes.
    """
    activation, units = output_activation(history), output_units(history) or 0
    mean = run_column(history, "target_mean")
    if activation == "softmax" and units > 1:
        return np.full(len(history), np.log(1 + (units - 1) / np.e)), np.full(len(history), np.log(units))
    if activation == "sigmoid" and units == 1:
        share = np.where((mean >= 0) & (mean <= 1), mean, np.nan)
        level = np.log1p(np.exp(0.5)) - 0.5 * share
        return share * np.log1p(np.exp(-1)) + (1 - share) * np.log(2), level
    return np.full(len(history), np.nan), np.full(len(history), np.nan)


@from_records
def loss_name(history: History) -> str:
    """Returns the loss function's name in small letters; a guess by the output layer where it was not recorded."""
    loss = model_facts(history).get("loss") or {}
    names = f"{loss.get('class') or ''} {loss.get('name') or ''}".lower()
    if names.strip():
        return (
            names.replace("meansquarederror", "mean_squared_error mse")
            .replace("mse", "mean_squared_error")
            .replace("meanabsoluteerror", "mean_absolute_error")
            .replace("mae", "mean_absolute_error")
            .replace("sparsecategorical", "sparse_categorical")
            .strip()
        )
    activation = output_activation(history)
    if activation == "softmax":
        return "guess categorical"
    if activation == "sigmoid" and output_units(history) == 1:
        return "guess binary_crossentropy"
    if activation == "linear":
        return "guess squared"
    return ""
