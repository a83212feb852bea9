"""What a trial with a change shows of a cause, beside a trial without it; and how falls of the loss are worded."""

from __future__ import annotations

import math

from ..verdict import Outcome, TestedCause, number
from .trials import Trial

SLOW = 0.1  # of the fall with a change: what falls no further takes ten times as long as it need
FAST = 0.25  # of the fall with a change: what falls further learns, with or without the change
WORTHWHILE = 0.05  # fall from which a change helps


def outcome_of(control: Trial, changed: Trial) -> Outcome:
    """Returns "confirmed" if the program learns ten times as fast with the change.

    "refuted" if the change does not help, or the program learns at least a quarter as fast without it. "open" lies
    between, and also if the loss has no floor or was not finite before.
    """
    if not (control.starts_finite and changed.starts_finite) or control.has_no_floor or changed.has_no_floor:
        return "open"
    if not changed.learns:
        return "refuted"
    if changed.fall > WORTHWHILE and control.fall < SLOW * changed.fall:
        return "confirmed"
    return "refuted" if control.learns and control.fall > FAST * changed.fall else "open"


def compared(cause: str, control: Trial, changed: Trial, change: str) -> TestedCause:
    """Returns what a changed trial says of a cause whose remedy the change is ("standardized inputs")."""
    return TestedCause(cause, outcome_of(control, changed), falls_with(change, changed, control))


def falls_with(change: str, changed: Trial, control: Trial) -> str:
    """Returns "with standardized inputs the loss falls by 41 % in 8 steps; as it is, it falls by 0.3 %"."""
    return f"with {change} the loss {falls(changed)} in {changed.steps} steps; as it is, it {falls(control)}"


def falls(trial: Trial) -> str:
    """Returns how the loss changed: "falls by 41 %", "rises by 3 %", "does not change", "becomes NaN or infinite"."""
    return fall_text(trial.fall)


def fall_text(fall: float) -> str:
    """Returns a fall of the loss (a share of the loss before) in words."""
    if not math.isfinite(fall):
        return "becomes NaN or infinite"
    if abs(fall) < 1e-7:
        return "does not change"
    return f"{'falls' if fall > 0 else 'rises'} by {number(100 * abs(fall), 2)} %"


def best(trials: list[Trial]) -> Trial:
    """Returns the trial whose loss fell furthest."""
    return max(trials, key=lambda trial: trial.fall)
