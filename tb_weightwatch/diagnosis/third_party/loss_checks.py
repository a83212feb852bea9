"""Symptoms of the loss: it is not finite, diverges, or is flat."""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import Symptom, number
from ..signals import loss_course, loss_trend, model_facts, run_column
from .facts import duration_text, has_moving_objective, remarks, step_text, unit
from .symptom import symptom_since

FAR_ABOVE = 10.0  # each of the last losses against each of the first quarter


def nonfinite_loss(history: History) -> list[Symptom]:
    """Returns the symptom of a loss that is not finite, or was not for a while."""
    loss = run_column(history, "loss")
    rows = np.flatnonzero(history.known("loss")) if history.has("loss") else np.zeros(0, np.intp)
    nonfinite, finite = rows[~np.isfinite(loss[rows])], rows[np.isfinite(loss[rows])]
    if not len(nonfinite):
        return []
    if nonfinite[-1] != rows[-1]:
        row = int(nonfinite[0])
        text = f"The loss was not finite at {step_text(history, row)}, but it is finite at the end"
        return [
            symptom_since(history, row)(name="nonfinite-loss", link="loss", severity="info", message=text, variables=())
        ]
    row = int(rows[rows > finite[-1]][0]) if len(finite) else int(rows[0])
    before = f" (it was {number(float(loss[finite[-1]]))} before)" if len(finite) else ""
    text = f"The loss is {number(float(loss[row]))} from {step_text(history, row)} on{before}"
    return [
        symptom_since(history, row)(name="nonfinite-loss", link="loss", severity="error", message=text, variables=())
    ]


def diverging_loss(history: History) -> list[Symptom]:
    """Returns the symptom of a loss that rises.

    A rising loss alone is no problem: the loss of a GAN's critic rises while it learns, and that of a Q function with
    the rewards. So the rise must be enormous, or the log must tell that the objective stays the same: it knows the
    loss function, or names neither rewards nor adversaries. In the last case, each of the last losses must be far
    above each of the first quarter.
    """
    trend, row = loss_trend(history), len(history) - 1
    if not trend.finite_rows[row] >= 4:
        return []
    start, recent = float(trend.start[row]), float(trend.recent[row])
    scale = max(abs(start), float(np.nan_to_num(trend.constant_loss[row])))
    enormous = recent > 1000 * max(abs(start), 1.0)
    supervised = isinstance(model_facts(history).get("loss"), dict) and trend.finite_rows[row] >= 8
    risen = supervised and recent - start > 2 * scale + float(trend.noise[row])
    loss = run_column(history, "loss")
    finite = np.flatnonzero(np.isfinite(loss))
    early = float(np.max(loss[finite[: max(1, len(finite) // 4)]]))
    far_above = start > 0 and float(trend.recent_min[row]) > FAR_ABOVE * early
    if not (enormous or risen or (far_above and not has_moving_objective(history))):
        return []
    since = int(np.flatnonzero(loss > start + 2 * scale)[0])
    lowest = int(finite[np.argmin(loss[finite])])
    between = (
        f", {number(float(loss[lowest]))} at {step_text(history, lowest)} (its lowest)" if lowest > finite[0] else ""
    )
    last = "at last" if loss_course(history, row).rows == 1 else "over the last rows"
    text = f"The loss diverges: {number(start)} at first{between}, {number(recent)} {last}{remarks(history)}"
    return [
        symptom_since(history, since)(name="diverging-loss", link="loss", severity="error", message=text, variables=())
    ]


def flat_loss(history: History) -> list[Symptom]:
    """Returns the symptom of a loss that stays at the level of a constant prediction."""
    trend, row = loss_trend(history), len(history) - 1
    enough = 10 if unit(history) == "epoch" else 200
    constant_loss = float(trend.constant_loss[row])
    near = 0.98 * constant_loss <= trend.recent[row] <= 1.5 * constant_loss
    if not (trend.loss_is_known and trend.finite_rows[row] >= enough and near) or trend.decreased[row]:
        return []
    text = (
        f"The loss is flat at {number(constant_loss)}, the loss of a constant prediction: "
        f"{loss_course(history, row).over(duration_text(history))}"
    )
    return [symptom_since(history, 0)(name="flat-loss", link="loss", severity="warning", message=text, variables=())]
