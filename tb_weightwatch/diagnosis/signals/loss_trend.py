"""The course of the loss, row by row, as an observer at each row sees it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...history import History
from .baseline import constant_prediction_loss
from .columns import model_facts, run_column
from .loss_course import LossCourse
from .loss_function import loss_name
from .loss_identity import agreement
from .memo import memoized
from .scans import Bool, Float, ever, latest_known, running_max, trailing_mean

_FEW_ROWS = 3  # as many as a mean is taken over at least


class LossTrend(NamedTuple):
    """The loss as an observer at each row sees it; arrays are `[T]`.

    Attributes:
        finite_rows: number of finite losses so far.
        start: the initial loss (that of the first row, or the mean of the first few where batches are tiny).
        recent: mean over the last eighth of the rows, at least three; at least one if a row is a whole epoch.
        noise: by how much `start` and `recent` may differ by chance (two standard errors).
        peak: the largest finite loss so far.
        constant_loss: the loss of the best constant prediction; NaN if unknown, or if the loss is far from that of the
            predictions, as one with class weights is.
        loss_is_known: whether `constant_loss` comes from the recorded loss function; otherwise it is guessed from the
            output layer.
        first: the first finite loss, that of the initial weights.
        recent_margin: by how much `recent` may be off by chance (two standard errors).
        recent_min: the smallest loss over the last eighth of the rows.
        agreement: share of the batches whose loss is about that of the predictions (see `loss_identity.agreement`).
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
    agreement: Float

    @property
    def relative_decrease(self) -> Float:
        """The decrease of the loss as a share of its start; negative if it rose."""
        return (self.start - self.recent) / np.maximum(np.abs(self.start), 1e-12)

    @property
    def decreased(self) -> Bool:
        """Whether the loss decreased by more than chance and by at least 2 %."""
        return self.start - self.recent > np.maximum(self.noise, 0.02 * np.abs(self.start))

    @property
    def enough_rows(self) -> Bool:
        """Whether there are at least three finite losses."""
        return self.finite_rows >= 3

    def low(self, share: float = 0.3) -> Bool:
        """Whether the loss is 0, or at most `share` of the constant prediction's loss (of its start, if unknown)."""
        below_constant = (self.recent <= share * self.constant_loss) & (self.constant_loss > 0)
        constant_unknown = ~(self.loss_is_known & np.isfinite(self.constant_loss))
        below_start = (self.start > 0) & (np.abs(self.recent) <= share * self.start) & constant_unknown
        return below_start | below_constant | (self.recent == 0)

    def near_constant_loss(self, share: float = 0.8) -> Bool:
        """Whether the loss is at least `share` of the constant prediction's (has not decreased, if unknown)."""
        unknown = ~np.isfinite(self.constant_loss)
        return np.where(unknown, self.enough_rows & ~self.decreased, self.recent >= share * self.constant_loss)

    def not_improving(self, share: float = 0.9) -> Bool:
        """Whether nothing was learned: the loss is near the constant prediction's, or has not decreased if unknown."""
        near = self.near_constant_loss(share)
        constant_known = np.isfinite(self.constant_loss) & self.loss_is_known
        not_decreased = (self.enough_rows & ~self.decreased) | near
        return np.where(constant_known, near & self.enough_rows, not_decreased) & ~self.low()

    @property
    def baseline_reliable(self) -> Bool:
        """Whether `constant_loss` is reliable: the loss is known, identified, or started at the guessed level."""
        started_there = np.abs(np.log(np.abs(self.first / self.constant_loss))) < 0.4
        return np.isfinite(self.constant_loss) & (self.loss_is_known | (self.agreement > 0.9) | started_there)

    @property
    def diverged(self) -> Bool:
        """Whether each recent loss is more than a hundred times both the first one and the constant prediction's."""
        initial = np.fmax(self.first, self.constant_loss)
        return (self.recent_min > 100 * initial) & (initial > 0) & self.enough_rows


@memoized
def loss_trend(history: History) -> LossTrend:
    """Returns the course of the loss; all NaN if it was not recorded."""
    loss = run_column(history, "loss")
    finite = np.isfinite(loss)
    windows = _windows(loss[finite], _initial_rows(history, finite), _least_rows(history))

    def per_row(values: Float) -> Float:
        expanded = np.full(len(loss), np.nan)
        expanded[finite] = values
        return latest_known(expanded)

    finite_rows = np.cumsum(finite).astype(np.float64)
    recent = per_row(windows.recent)
    share = agreement(history, squared="squared" in loss_name(history))
    return LossTrend(
        finite_rows=finite_rows,
        start=per_row(windows.start),
        recent=recent,
        noise=per_row(windows.noise),
        peak=running_max(np.where(finite, loss, np.nan)),
        constant_loss=np.where(share < 0.5, np.nan, _constant_loss(history, recent)),
        loss_is_known=not loss_name(history).startswith("guess"),
        first=np.where(finite_rows > 0, loss[np.argmax(finite)], np.nan) if len(loss) else loss,
        recent_margin=per_row(windows.margin),
        recent_min=per_row(windows.smallest),
        agreement=share,
    )


def loss_course(history: History, row: int) -> LossCourse:
    """Returns the course of the loss up to a row; it is false if no finite loss was recorded by then."""
    trend, finite = loss_trend(history), np.isfinite(run_column(history, "loss"))
    row = range(len(history))[row]  # -1 is the last one
    rows = np.flatnonzero(finite[: row + 1])
    if not len(rows):
        return LossCourse()
    width = int(_width(np.array([len(rows)]), _least_rows(history))[0])
    initial, steps = min(len(rows), _initial_rows(history, finite)), history.steps
    return LossCourse(
        start=float(trend.start[row]),
        recent=float(trend.recent[row]),
        rows=width,
        start_steps=(int(steps[rows[0]]), int(steps[rows[initial - 1]])),
        recent_steps=(int(steps[rows[-width]]), int(steps[rows[-1]])),
        unit=_unit_of_rows(history),
    )


def _unit_of_rows(history: History) -> str:
    facts = model_facts(history)
    return "batch" if facts.get("preflight") else "logged value" if facts.get("foreign") else "recorded step"


def _width(count: NDArray[np.intp], least: int) -> NDArray[np.intp]:
    """Returns over how many of the last losses `LossTrend.recent` is the mean: an eighth, at least so many."""
    return np.clip(count // 8, np.minimum(count, least), None)


def _least_rows(history: History) -> int:
    """Returns over how many losses a mean is taken at least: the loss of an epoch is a mean already."""
    source = model_facts(history).get("foreign")
    return 1 if isinstance(source, dict) and source.get("unit") == "epoch" else _FEW_ROWS


def _initial_rows(history: History, finite: Bool) -> int:
    """Returns over how many losses `LossTrend.start` is the mean: more than one only where batches are tiny."""
    batch_size = run_column(history, "batch_size")[finite][:1]
    known = np.isfinite(batch_size).any()
    return int(np.clip(32 // max(1.0, batch_size[0]), 1, 16)) if known else 1


class _Windows(NamedTuple):
    """Statistics of the first and the last finite losses, `[N]`, up to each finite loss."""

    start: Float
    recent: Float
    noise: Float
    margin: Float
    smallest: Float


def _windows(losses: Float, initial_rows: int, least_rows: int) -> _Windows:
    count = np.arange(1, len(losses) + 1)
    width, several = _width(count, least_rows), _width(count, _FEW_ROWS)
    recent, mean = (_reduced(losses, count, rows) / rows for rows in (width, several))
    deviation = np.sqrt(np.maximum(_reduced(losses**2, count, several) / several - mean**2, 0))
    initial_count = np.minimum(count, initial_rows)
    initial = losses[: initial_rows + 1]
    return _Windows(
        start=(np.cumsum(initial) / np.arange(1, len(initial) + 1))[initial_count - 1],
        recent=recent,
        noise=2 * deviation * np.sqrt(1 / width + 1 / initial_count),
        margin=2 * deviation / np.sqrt(width),
        smallest=_reduced(losses, count, width, np.minimum),
    )


def _reduced(values: Float, ends: NDArray[np.intp], width: NDArray[np.intp], operation: np.ufunc = np.add) -> Float:
    """Returns each `values[end - width : end]`, reduced.

    Differences of a cumulative sum would be wrong: losses after an enormous one would be lost in rounding.
    """
    bounds = np.stack([ends - width, ends], axis=1).ravel()
    return operation.reduceat(np.append(values, 0.0), bounds)[::2]


def _constant_loss(history: History, recent: Float) -> Float:
    """Returns `[T]` `constant_prediction_loss`, or, where targets are unknown, an estimate from the predictions."""
    constant_loss = constant_prediction_loss(history)
    unknown = ~ever(np.isfinite(constant_loss))
    if "squared" not in loss_name(history) or not unknown.any():
        return constant_loss
    # What a model explains of its targets appears as the variance of its predictions.
    explained = trailing_mean(run_column(history, "prediction_std"), 8) ** 2
    return np.where(unknown, np.where(recent > 0, recent + explained, np.nan), constant_loss)
