"""The symptom of a loss that has blown up or is no longer finite."""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import Symptom, number
from .. import signals
from ..wording import plural

_ENORMOUS = 1e4  # times the first loss, below zero
_ROWS = 3  # recorded steps at the end at which the loss is not finite


def loss_has_blown_up(history: History) -> Symptom | None:
    """Returns the symptom if the last losses are NaN or infinite, or more than a hundred times the first one."""
    known = np.flatnonzero(history.known("loss")) if history.has("loss") else np.zeros(0, np.intp)
    if not len(known):
        return None
    loss = history.loss[known]
    finite = np.isfinite(loss)
    if not finite[-1]:
        last = int(np.flatnonzero(finite)[-1]) if finite.any() else -1
        return _nonfinite(history, known, last)
    trend = signals.loss_trend(history)
    lowest = -_ENORMOUS * _usual_size(trend)
    if trend.enough_rows[-1] and trend.recent[-1] + trend.recent_margin[-1] < lowest:
        return _below_zero(history, lowest)
    if not trend.diverged[-1]:
        return None
    bound = 100 * max(float(trend.first[-1]), float(np.nan_to_num(trend.constant_loss[-1])))
    above = known[np.flatnonzero(~(loss <= bound))]
    return Symptom(
        name="loss-has-blown-up",
        link="loss",
        severity="error",
        message=f"The loss has blown up: from {number(float(trend.first[-1]))} at first to "
        f"{number(float(trend.recent[-1]))} now (mean over the last recorded steps)",
        variables=(),
        first_step=int(history.steps[above[0]]) if len(above) else 1,
        last_step=int(history.steps[-1]),
    )


def _usual_size(trend: signals.LossTrend) -> float:
    return max(1.0, abs(float(trend.first[-1])), float(np.nan_to_num(trend.constant_loss[-1])))


def _below_zero(history: History, lowest: float) -> Symptom:
    """Returns the symptom of losses that are enormous and negative, and have been so since they fell below `lowest`."""
    trend = signals.loss_trend(history)
    below = np.flatnonzero(history.loss < lowest)
    return Symptom(
        name="loss-has-blown-up",
        link="loss",
        severity="error",
        message=f"The loss runs away below zero: from {number(float(trend.first[-1]))} at first to "
        f"{number(float(trend.recent[-1]))} now (mean over the last recorded steps)",
        variables=(),
        first_step=int(history.steps[below[0]]),
        last_step=int(history.steps[-1]),
    )


def _nonfinite(history: History, known: signals.Bool, last: int) -> Symptom | None:
    """Returns the symptom of a loss that is not finite; `last` is the position of the last finite loss, or -1."""
    first = int(history.steps[known[last + 1]])
    rows = len(known) - last - 1
    if rows < _ROWS and history.ended is None:
        return None
    value = number(float(history.loss[known[last + 1]]))
    before = f"; the last finite one was {number(float(history.loss[known[last]]))}" if last >= 0 else ""
    return Symptom(
        name="loss-is-not-finite",
        link="loss",
        severity="error",
        message=f"The loss is not finite: it is {value} at step {first:,} and in all "
        f"{plural(rows, 'recorded step')} since{before}",
        variables=(),
        first_step=first,
        last_step=int(history.steps[-1]),
    )
