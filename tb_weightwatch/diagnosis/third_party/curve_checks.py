"""Symptoms of the other curves: the norm of all gradients, and the validation loss."""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import Symptom, number
from ..signals import loss_trend, run_column, streak
from .facts import step_text
from .symptom import symptom_since

_FEW = 3  # values in a row before a curve counts as constant or risen
RISEN = 1.5  # against the lowest validation loss


def gradient_norm(history: History) -> list[Symptom]:
    """Returns the symptom of a gradient norm that is exactly 0, or not finite, up to the end of the log."""
    norm, rows = run_column(history, "total_gradient_norm"), _known(history, "total_gradient_norm")
    symptoms = []
    for holds, name, what in (
        (norm[rows] == 0, "zero-gradient-norm", "exactly 0"),
        (~np.isfinite(norm[rows]), "nonfinite-gradient-norm", "NaN or infinite"),
    ):
        count = int(streak(holds)[-1]) if len(rows) else 0
        if count < _FEW:
            continue
        row = int(rows[len(rows) - count])
        symptoms.append(
            symptom_since(history, row)(
                name=name,
                link="gradient",
                severity="error",
                message=f"The norm of all gradients is {what} in the last {count:,} values that were logged, from "
                f"{step_text(history, row)} on",
                variables=(),
            )
        )
    return symptoms


def validation_loss(history: History) -> list[Symptom]:
    """Returns the information that the validation loss has risen while the training loss has fallen."""
    loss, rows = run_column(history, "validation_loss"), _known(history, "validation_loss")
    rows = rows[np.isfinite(loss[rows])]
    if len(rows) < 2 * _FEW or not loss_trend(history).decreased[-1]:
        return []
    lowest, recent = int(rows[np.argmin(loss[rows])]), loss[rows[-_FEW:]]
    if not (recent.min() > RISEN * loss[lowest] > 0):
        return []
    low, last = number(float(loss[lowest])), number(float(loss[rows[-1]]))
    text = (
        f"The validation loss has risen from {low} at {step_text(history, lowest)} (its lowest) "
        f"to {last}, while the training loss has fallen, as it does when a model overfits"
    )
    return [
        symptom_since(history, lowest)(
            name="validation-loss-rises", link="loss", severity="info", message=text, variables=()
        )
    ]


def _known(history: History, name: str) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.flatnonzero(history.known(name)) if history.has(name) else np.zeros(0, np.intp)
