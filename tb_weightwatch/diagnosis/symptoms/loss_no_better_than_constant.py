"""The symptom of a loss that is no better than that of a constant prediction."""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import Symptom, number
from .. import signals
from ..statements import steps_made
from ..wording import add_up_to

_ROWS = 50  # finite losses
_STEPS = 100
_PATH = 0.02  # the weights must have had a chance: shorter paths are weights-barely-move
_LEVEL = 0.98  # share of the constant prediction's loss
_FALLING = 0.03  # relative decrease over the last quarter, from which a training is only not finished


def loss_no_better_than_constant(history: History) -> Symptom | None:
    """Returns the symptom if weights have travelled and the loss is still not better than a constant prediction's.

    It resolves as soon as the loss falls: some trainings have a long plateau before they learn.
    """
    trend, row = signals.loss_trend(history), len(history) - 1
    enough = trend.finite_rows[row] >= _ROWS and int(history.steps[row]) >= _STEPS
    if not enough or not trend.baseline_reliable[row] or not np.isfinite(trend.recent[row]):
        return None
    level, distance = float(trend.constant_loss[row]), float(signals.distance_moved(history)[row])
    at_level = trend.recent[row] > _LEVEL * level
    falls = signals.recent_slope(history) < -_FALLING
    if not at_level or distance < _PATH or falls or _predictions_are_better(history, level):
        return None
    if signals.beats_constant(history)[row] or len(signals.optimizers(history)) > 1:
        return None
    return Symptom(
        name="loss-no-better-than-constant",
        link="loss",
        severity="error",
        message=f"The model is no better than a constant answer: after {steps_made(history, row)} its loss is "
        f"{number(float(trend.recent[row]))} and that of a constant prediction {number(level)}, while the updates "
        f"{add_up_to(distance)}",
        variables=(),
        first_step=_since(history),
        last_step=int(history.steps[row]),
    )


def _since(history: History) -> int:
    """Returns the first recorded step since which the mean of the last losses has never been better."""
    trend = signals.loss_trend(history)
    better = np.flatnonzero(trend.recent <= _LEVEL * trend.constant_loss)
    return int(history.steps[better[-1] + 1 if len(better) else 0])


def _predictions_are_better(history: History, level: float) -> bool:
    """Whether the predictions themselves have a lower error: then penalties make up the rest of the loss."""
    # A squared error says nothing about a cross-entropy.
    for name in signals.SQUARED if "squared" in signals.loss_name(history) else signals.ENTROPIES:
        values = signals.run_column(history, name)
        recent = values[np.isfinite(values)][-max(3, len(values) // 8) :]
        if len(recent) and float(np.mean(recent)) < 0.9 * level:
            return True
    return False
