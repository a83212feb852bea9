"""The symptom of weights that do not move at all."""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import Symptom
from .. import signals
from ..wording import plural

_ROWS = 8  # recorded steps without any change
_STEPS = 12  # training steps without any change since the first one
_STOPPED = 64  # training steps without any change after weights have moved


def weights_do_not_move(history: History) -> Symptom | None:
    """Returns the symptom if no trainable weight has changed for long; None otherwise.

    Weights need not move where there is nothing left to learn, and between two updates of accumulated gradients: after
    weights have moved, they must stand four times as long as ever before.
    """
    if not history.has("update_norm") or not signals.trainable(history).any():
        return None
    moved = signals.any_moved(history) | signals.anything_nonfinite(history)
    rows = np.flatnonzero(moved)
    last = int(rows[-1]) if len(rows) else -1
    since = int(history.steps[last]) if last >= 0 else 0
    pause = int(history.steps[-1]) - since
    still_rows = int(history.known("update_norm")[last + 1 :].any(axis=1).sum())
    needed = _longest_wait(history, rows)
    if still_rows < _ROWS or pause < needed or _nothing_left_to_learn(history):
        return None
    nonzero = signals.any_nonzero_gradient(history)
    alive = nonzero is not None and bool(nonzero[last + 1 :].any())
    although = ", although gradients are non-zero" if alive else ""
    return Symptom(
        name="weights-do-not-move",
        link="weight",
        severity="error",
        message=f"{_beginning(since)}: no weight has changed in any of the {plural(still_rows, 'step')} recorded "
        f"out of the last {pause:,}{although}",
        variables=signals.trainable_names(history),
        first_step=max(1, since + 1),
        last_step=int(history.steps[-1]),
    )


def _beginning(since: int) -> str:
    return f"The weights stopped moving after step {since:,}" if since else "The weights do not move"


def _longest_wait(history: History, moved: signals.Bool) -> int:
    """Returns for how many steps weights must stand still before this is a symptom."""
    accumulation = signals.accumulation_steps(history)
    if not len(moved):
        return max(_STEPS, 2 * accumulation if accumulation > 1 else 0)
    steps = history.steps[moved]
    longest = int(np.max(np.diff(np.r_[0, steps])))
    return max(_STOPPED, 4 * longest)


def _always_zero(history: History) -> bool:
    """Whether the loss of every batch was exactly 0 from the first step on: then it measures nothing."""
    loss = history.loss[np.isfinite(history.loss)]
    return bool(int(history.steps[0]) == 1 and len(loss) and not loss.any())


def _nothing_left_to_learn(history: History) -> bool:
    """Whether the loss is low, or has fallen and gradients are exactly zero (a hinge loss that is satisfied)."""
    if not history.has("loss"):
        return False
    trend = signals.loss_trend(history)
    if not trend.finite_rows[-1] or _always_zero(history):
        return False
    return bool(trend.low(0.2)[-1] or (trend.decreased[-1] and not trend.near_constant_loss()[-1]))
