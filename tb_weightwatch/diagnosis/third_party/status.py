"""The status and the sentence of a third-party log where no rule holds."""

from __future__ import annotations

from ...history import History
from ...verdict import Status
from ..signals import loss_course, loss_trend, trainable
from .facts import duration_text, remarks
from .snapshots import moved_since_last
from .symptoms import third_party_symptoms

_NEXT = "to find the cause, train a few steps with tb_weightwatch"


def third_party_status(history: History) -> tuple[Status, str]:
    """Returns the status and the sentence where no rule holds."""
    listed = [symptom for symptom in third_party_symptoms(history) if symptom.severity != "info"]
    if listed:
        also = f"; also, {listed[1].message[0].lower()}{listed[1].message[1:]}" if len(listed) > 1 else ""
        return "sick", f"{listed[0].message}{also} ({_NEXT})."
    weights = _moving_weights(history)
    if not history.has("loss"):
        unknown = "no scalar has a name that identifies it as the loss, so whether the loss falls is unknown"
        return "undecided", f"Undecided: {weights or 'no weights were logged'}, and {unknown}."
    trend, row = loss_trend(history), len(history) - 1
    course, weights = loss_course(history, row).over(duration_text(history)), weights or "weights were not logged"
    if not trend.finite_rows[row] >= 3:
        early = f"after {duration_text(history)} it is too early to tell whether the loss falls"
        return "undecided", f"Undecided: {early}; {weights}."
    if (trend.decreased[row] and not trend.near_constant_loss(0.95)[row]) or trend.low()[row]:
        return "healthy", f"Healthy, as far as the logged curves show: {course}; {weights}."
    rose = trend.recent[row] - trend.start[row] > trend.noise[row]
    change = "has risen" if rose else "has not fallen by more than its noise"
    why = "the logged curves do not show why"
    return "undecided", f"Undecided: the loss {change}{remarks(history, course)}, and {why}; {weights}."


def _moving_weights(history: History) -> str:
    """Returns how many of the logged weights move; "" if none were logged."""
    moved = moved_since_last(history)
    if moved is None or not moved.shape[1]:
        return ""
    comparable = (history.known("weight_drift").sum(axis=0) >= 2) & trainable(history)
    if not comparable.any():
        return "a single snapshot of the weights does not show whether they move"
    count, total = int(moved[:, comparable].any(axis=0).sum()), int(comparable.sum())
    return f"{'all' if count == total else f'{count} of'} {total} weights that were logged move"
