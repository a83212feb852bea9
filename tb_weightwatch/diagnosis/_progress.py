"""The answer where no rule fires, and the status: healthy, sick, undecided."""

from __future__ import annotations

import numpy as np

from ..history import History
from ..verdict import Status, Unknown, Verdict, number


def outlook(history: History, opened: list[Verdict], unknown: list[Unknown]) -> tuple[Status, str]:
    """Returns the status and the sentence for ranked open verdicts."""
    sick = [v for v in opened if v.severity != "info"]
    if sick:
        return "sick", sick[0].message.rstrip(".") + "."
    if not len(history):
        return "undecided", "No training step has been recorded yet."
    if not history.has("update_norm"):
        return "undecided", "Cannot tell: it was not recorded how far the weights moved in a step."
    status, sentence = _moving(history)
    return status, sentence


def _moving(history: History) -> tuple[Status, str]:
    steps = int(history.steps[-1])
    ratio = _usual_ratio(history)
    if ratio == 0:
        return "undecided", f"The weights did not move in {steps:,} steps, and no check could tell why."
    moved = f"weights move by {number(ratio)} of their size a step"
    if not history.has("loss"):
        return "healthy", f"Healthy so far: {moved} (the loss was not recorded)."
    loss = history.loss[np.isfinite(history.loss)]
    if len(loss) < 2:
        return "healthy", f"Healthy so far: {moved}; too few steps to see the loss fall."
    early, late = _ends(loss)
    told = f"loss {number(early)} -> {number(late)} over {steps:,} steps"
    if late < early:
        return "healthy", f"Healthy: {moved}, {told}."
    if steps < 50:
        return "healthy", f"Healthy so far: {moved}, {told}; too early to see a trend."
    return "undecided", f"Undecided: {moved}, but the loss has not fallen ({told}), and no check could tell why."


def _ends(loss: np.ndarray) -> tuple[float, float]:
    """Returns the loss at the start and at the end, as medians over a tenth of the rows each."""
    width = max(1, len(loss) // 10)
    return float(np.median(loss[:width])), float(np.median(loss[-width:]))


def _usual_ratio(history: History) -> float:
    """Returns the median over variables of the mean update ratio over steps (the median over steps is 0 under accumulation)."""
    ratio = history.column("update_ratio").astype(np.float64)
    ratio[~np.isfinite(ratio)] = np.nan
    trained = np.array([v.trainable for v in history.variables], bool)
    if ratio.size == 0 or not trained.any():
        return 0.0
    seen = ratio[:, trained]
    seen = seen[:, np.isfinite(seen).any(axis=0)]
    return float(np.median(np.nanmean(seen, axis=0))) if seen.size else 0.0
