"""The status (healthy, sick, undecided) and the sentence that answers where no rule holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...history import History
from ...verdict import Status, Suspect, Symptom, Unknown, Verdict, number, probability_text
from ..signals import (
    LossTrend,
    any_nonzero_gradient,
    loss_course,
    loss_trend,
    mean_relative_update,
    recent_slope,
    recording_losses,
    recording_stop,
    trainable,
    trainable_kernels,
    training_error,
)
from ..statements import AllSteps, steps_made
from ..third_party import is_third_party, third_party_status
from ..wording import against_constant, is_preflight, plural

_FALLING = -0.03  # relative change of the loss from which it is still falling
_FLAT = 0.01  # relative change of the loss below which it is flat
_MANY_ROWS = 50  # from which a loss that does not fall is no longer early


def overall_status(
    history: History,
    opened: list[Verdict],
    symptoms: Sequence[Symptom],
    suspects: Sequence[Suspect],
    unknown: list[Unknown],
) -> tuple[Status, str]:
    """Returns the status and the sentence for ranked open verdicts, symptoms and suspects."""
    sick = [v for v in opened if v.severity != "info"]
    if sick:
        return "sick", sick[0].message.rstrip(".") + "."
    if any(symptom.severity != "info" for symptom in symptoms) and not is_third_party(history):
        return "sick", symptom_and_suspect(symptoms[0], suspects)
    if not len(history):
        return "undecided", _without_steps(history)
    if is_preflight(history):
        return "undecided", _before_training(opened, unknown)
    if is_third_party(history):
        return third_party_status(history)
    if not history.has("update_norm"):
        return "undecided", "Undecided: the size of the updates was not recorded."
    if any(verdict.outcome == "refuted" for verdict in opened):
        return refuted_only(opened)
    with np.errstate(all="ignore"):
        return _by_movement(history, unknown)


def with_recording_stop(history: History, status: Status, sentence: str) -> tuple[Status, str]:
    """Returns status and sentence for a recording that may have stopped before the training did, or left things out.

    What came after it stopped is not known, so such a training is never called healthy.
    """
    status, sentence = _with_stop(history, status, sentence)
    return status, f"{sentence} {recording_losses(history).sentence}".rstrip()


def _with_stop(history: History, status: Status, sentence: str) -> tuple[Status, str]:
    stop = recording_stop(history)
    if stop is None:
        return status, sentence
    if status == "sick" or stop.at_end:
        return status, f"{sentence} {stop.clause}."
    if not len(history):
        return status, f"{stop.clause}. No step was recorded."
    if status == "healthy":
        _, _, reason = sentence.partition(": ")
        return "undecided", f"{stop.clause}. Healthy up to step {int(history.steps[-1]):,}: {reason}"
    return status, f"{stop.clause}. {sentence}"


def refuted_only(verdicts: Sequence[Verdict]) -> tuple[Status, str]:
    """Returns status and sentence where experiments have refuted all that a rule had called likely."""
    refuted = ", ".join(verdict.name for verdict in verdicts if verdict.outcome == "refuted")
    return "undecided", f"Undecided: experiments refute {refuted}, and no other cause is known."


def symptom_and_suspect(symptom: Symptom, suspects: Sequence[Suspect]) -> str:
    """Returns the symptom, with the most probable cause."""
    if not suspects:
        return f"{symptom.message}{'; no known cause fits' if symptom.name != 'ended-by-exception' else ''}."
    first = next((suspect for suspect in suspects if suspect.outcome != "refuted"), None)
    if first is None:
        return f"{symptom.message}. Experiments refute every cause that fits."
    if first.outcome == "confirmed":
        return f"{symptom.message}. Cause, confirmed by an experiment: {first.name} ({first.experiment})."
    return f"{symptom.message}. Most probable cause: {first.name} ({probability_text(first.probability)})."


def _without_steps(history: History) -> str:
    error = training_error(history)
    if error is not None and error.ended:
        return f"Training was interrupted {error.when}."
    return "No training step has been recorded yet."


def _before_training(opened: list[Verdict], unknown: list[Unknown]) -> str:
    note = f" (note: {opened[0].message})" if opened else ""
    open_checks = f"; {plural(len(unknown), 'check')} need{'s' * (len(unknown) == 1)} training steps" if unknown else ""
    return f"No problems found so far{note}{open_checks}."


def _by_movement(history: History, unknown: list[Unknown]) -> tuple[Status, str]:
    steps, ratio = steps_made(history, len(history) - 1), _usual_relative_update(history)
    if not ratio > 0:
        return "undecided", _motionless(history, unknown)
    movement = f"kernels move by {number(ratio)} of their norm per step (median)"
    if not history.has("loss"):
        return "healthy", f"Healthy so far: {movement}, but the loss was not recorded; whether it falls is unknown."
    if not np.isfinite(history.loss[history.known("loss")][-1]):
        return "undecided", f"Undecided: the loss is not finite, and no check found the cause; {movement}."
    if loss_trend(history).finite_rows[-1] < 3:
        few = f"{steps} {'is' if steps.made == 1 else 'are'} too few"
        return "undecided", f"Undecided: {movement}, but {few} to tell whether the loss is falling."
    return _by_loss(history, loss_trend(history), movement)


def _by_loss(history: History, trend: LossTrend, movement: str) -> tuple[Status, str]:
    row, slope = len(history) - 1, recent_slope(history)
    course = loss_course(history, row).over(str(steps_made(history, row)))
    still_falling = trend.decreased[row] and slope < _FALLING
    if _no_better_than_constant(trend, row) and not still_falling:
        level = against_constant(float(trend.recent[row]), float(trend.constant_loss[row]))
        return "undecided", f"Undecided: the loss is {level}; {movement} ({course}), and no check found the cause."
    if trend.diverged[row]:
        first = number(float(trend.first[row]))
        return "undecided", f"Undecided: {movement}, but the loss has blown up from {first} ({course})."
    if still_falling and not trend.low(0.05)[row]:
        fall = f"recently by {number(-100 * slope, 2)} %"
        return "healthy", f"Healthy: {movement}; the loss is still falling, {fall} ({course})."
    if trend.decreased[row]:
        return "healthy", f"Healthy: {movement}; {course}{', and now flat' if abs(slope) < _FLAT else ''}."
    if trend.low()[row] or (trend.recent[row] < 0.7 * trend.constant_loss[row]):
        return "healthy", f"Healthy: {movement}, and the last recorded losses are low ({course})."
    return "undecided", f"Undecided: {movement}, {_not_fallen(trend, row, course)}."


def _no_better_than_constant(trend: LossTrend, row: int) -> bool:
    at_baseline = trend.baseline_reliable[row] and trend.recent[row] > 0.98 * trend.constant_loss[row]
    return bool(at_baseline and trend.finite_rows[row] >= _MANY_ROWS)


def _not_fallen(trend: LossTrend, row: int, course: str) -> str:
    room = max(trend.noise[row], 0.5 * abs(trend.start[row]))
    if trend.finite_rows[row] < _MANY_ROWS and trend.recent[row] <= trend.start[row] + room:
        return f"but it is too early to tell whether the loss is falling ({course})"
    if trend.recent[row] < trend.start[row]:
        return f"but the loss has not fallen by more than its noise ({course})"
    return f"but the loss has not fallen ({course}), and no check found the cause"


def _motionless(history: History, unknown: list[Unknown]) -> str:
    steps = AllSteps(len(history), steps_made(history, len(history) - 1))
    if not len(history.variables) or not trainable(history).any():
        return f"Undecided: no trainable weight was recorded in {steps.steps}."
    open_checks = "; ".join(f"{u.rule}: {u.lacked}" for u in unknown[:2])
    reason = f"checks that could not decide: {open_checks}" if open_checks else "no check found the cause"
    nonzero = any_nonzero_gradient(history)
    note = " although gradients are non-zero" if nonzero is not None and nonzero.any() else ""
    return f"Undecided: the weights did not move in {steps}{note}; {reason}."


def _usual_relative_update(history: History) -> float:
    """Returns the median over matrices of their mean relative update; 0 if no trainable variable moved."""
    updates = mean_relative_update(history)
    if updates is None or not len(updates):
        return 0.0
    of_kernels = updates[trainable_kernels(history)]
    of_kernels = of_kernels[np.isfinite(of_kernels)]
    median = float(np.median(of_kernels)) if len(of_kernels) else 0.0
    # If half of the layers are frozen, or are trained later, the others still move.
    return median if median > 0 else float(np.nanmax(updates, initial=0.0))
