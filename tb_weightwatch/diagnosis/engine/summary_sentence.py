"""The answer where no rule fires, and the status: healthy, sick, undecided."""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import Status, Unknown, Verdict, number
from ..signals import LossTrend, any_nonzero_gradient, loss_trend, mean_relative_update, trainable, trainable_kernels
from ..third_party.symptoms import is_third_party
from ..third_party.symptoms import outlook as of_curves
from ..wording import is_preflight, plural


def overall_status(history: History, opened: list[Verdict], unknown: list[Unknown]) -> tuple[Status, str]:
    """Returns the status and the sentence for ranked open verdicts."""
    sick = [v for v in opened if v.severity != "info"]
    if sick:
        return "sick", sick[0].message.rstrip(".") + "."
    if not len(history):
        return "undecided", "No training step has been recorded yet."
    if is_preflight(history):
        return "undecided", _ahead(history, opened, unknown)
    if is_third_party(history):
        return of_curves(history)
    if not history.has("update_norm"):
        return "undecided", "Cannot tell: it was not recorded how far the weights moved in a step."
    with np.errstate(all="ignore"):
        return _moving(history, unknown)


def _ahead(history: History, opened: list[Verdict], unknown: list[Unknown]) -> str:
    """Returns what can be said before the first step, where nothing is wrong."""
    remark = f" (a remark: {opened[0].message})" if opened else ""
    count = plural(len(unknown), "check")
    return f"Nothing speaks against this training so far{remark}; {count} can only tell once steps are made."


def _moving(history: History, unknown: list[Unknown]) -> tuple[Status, str]:
    steps, ratio = plural(int(history.steps[-1]), "step"), _usual_ratio(history)
    if not ratio > 0:
        return "undecided", _motionless(history, unknown, steps)
    moved = f"weights move by {number(ratio)} of their size a step"
    trend, row = loss_trend(history), len(history) - 1
    if not history.has("loss"):
        return "healthy", f"Healthy so far: {moved}; whether the loss falls is not known, since it was not recorded."
    if not np.isfinite(history.loss[history.known("loss")][-1]):
        return "undecided", f"Undecided: {moved}, but the loss is not finite, and no check could tell why."
    if trend.finite_rows[row] < 3:
        return "undecided", f"Undecided: {moved}, but after {steps} it is too early to see whether the loss falls."
    return _loss(history, trend, row, moved, steps)


def _loss(history: History, trend: LossTrend, row: int, moved: str, steps: str) -> tuple[Status, str]:
    told = f"{trend.describe(row)} over {steps}"
    slope = _slope(history)
    useless = bool(trend.baseline_reliable[row] and trend.recent[row] > 0.98 * trend.constant_loss[row])
    if useless and trend.finite_rows[row] >= 50 and not (trend.decreased[row] and slope < -0.03):
        level = f"{number(float(trend.constant_loss[row]))}, which takes no skill"
        said = f"Undecided: {moved}, but the loss is no better than {level} ({told}), and no check could tell why."
        return "undecided", said
    if trend.diverged[row]:
        first = number(float(trend.first[row]))
        return "undecided", f"Undecided: {moved}, but the loss, which began at {first}, is lost ({told})."
    if trend.decreased[row]:
        if slope < -0.03 and not trend.low(0.05)[row]:
            going = (
                f"training, not finished: {told}, and still falling by {number(-100 * slope, 2)} % in the last quarter"
            )
            return "healthy", f"Healthy: {moved}; {going}."
        return "healthy", f"Healthy: {moved}; {told}{', flat by now' if abs(slope) < 0.01 else ''}."
    if trend.low()[row] or (trend.recent[row] < 0.7 * trend.constant_loss[row]):
        return "healthy", f"Healthy: {moved}, and the loss stays low ({told})."
    if trend.finite_rows[row] < 50 and trend.recent[row] <= trend.start[row] + max(
        trend.noise[row], 0.5 * abs(trend.start[row])
    ):
        return "undecided", f"Undecided: {moved}; {told} is too early to see whether the loss falls."
    if trend.recent[row] < trend.start[row]:
        return "undecided", f"Undecided: {moved}, but the loss has not fallen by more than chance ({told})."
    return "undecided", f"Undecided: {moved}, but the loss has not fallen ({told}), and no check could tell why."


def _motionless(history: History, unknown: list[Unknown], steps: str) -> str:
    if not len(history.variables) or not trainable(history).any():
        return f"Undecided: no trainable weight was seen in {steps}."
    lacking = "; ".join(f"{u.rule}: {u.lacked}" for u in unknown[:2])
    why = f"what is missing: {lacking}" if lacking else "no check could tell why"
    living = any_nonzero_gradient(history)
    note = " although gradients are alive" if living is not None and living.any() else ""
    return f"Undecided: the weights did not move in {steps}{note}; {why}."


def _slope(history: History) -> float:
    """Returns how far the loss changed in the last quarter of the rows, as a share of its size; 0 where it is noise."""
    loss = history.loss[np.isfinite(history.loss)]
    quarter = len(loss) // 4
    if quarter < 2:
        return float(loss[-1] / loss[0] - 1) if len(loss) > 1 and loss[0] > 0 else 0.0
    before, after = loss[-2 * quarter : -quarter], loss[-quarter:]
    change = float(np.mean(after) - np.mean(before))
    chance = 2 * float(np.hypot(np.std(after), np.std(before))) / quarter**0.5
    return 0.0 if abs(change) < chance else change / max(abs(float(np.mean(before))), 1e-12)


def _usual_ratio(history: History) -> float:
    """Returns the median over matrices of the mean step against the weight's size; 0 if nothing trainable moved."""
    ratio = mean_relative_update(history)
    if ratio is None or not len(ratio):
        return 0.0
    chosen = ratio[trainable_kernels(history)]
    chosen = chosen[np.isfinite(chosen)]
    usual = float(np.median(chosen)) if len(chosen) else 0.0
    # One frozen half, or one layer that has its turn later, must not hide that the rest moves.
    return usual if usual > 0 else float(np.nanmax(ratio, initial=0.0))
