"""Symptoms of the weights: they hold NaN, do not move, stopped moving, or explode."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...history import History
from ...verdict import Severity, Symptom, number
from ..signals import Bool, column, loss_course, loss_trend, trainable, trainable_names, variables
from ..wording import quote_list
from .facts import duration_text, remarks, step_text
from .snapshots import moved_since_last, nonfinite_at_end, total_norm
from .symptom import symptom_since

SNAPSHOTS = 3  # needed before a weight can be called motionless
GROWTH = 10.0  # of the norm of all weights


def nonfinite_weights(history: History) -> list[Symptom]:
    """Returns the symptom of weights that hold NaN or infinity at the end."""
    positions = nonfinite_at_end(history)
    nonfinite = column(history, "weight_nonfinite")
    if nonfinite is None or not len(positions):
        return []
    row = int(np.flatnonzero((nonfinite[:, positions] > 0).any(axis=1))[0])
    norms = total_norm(history)[:row]
    norms = norms[np.isfinite(norms)]
    growth = ""
    if len(norms) > 1 and norms[-1] > 4 * norms[0] > 0:
        growth = f", after the norm of all weights grew from {number(float(norms[0]))} to {number(float(norms[-1]))}"
    names = _names(history, positions)
    text = f"Weights hold NaN or infinity from {step_text(history, row)} on: {quote_list(names)}{growth}"
    return [
        symptom_since(history, row)(
            name="nonfinite-weights", link="weight", severity="error", message=text, variables=names
        )
    ]


class _Movement(NamedTuple):
    """Which weights move.

    Attributes:
        moved: `[T, V]` whether a weight moved since its last snapshot.
        comparable: `[V]` which trainable variables have enough snapshots, all of them finite.
        motionless: `[V]` which of these never moved.
        snapshots: `[T]` whether a row has a snapshot.
    """

    moved: Bool
    comparable: Bool
    motionless: Bool
    snapshots: Bool


def _movement(history: History) -> _Movement | None:
    moved = moved_since_last(history)
    if moved is None or not moved.shape[1]:
        return None
    known = history.known("weight_drift")
    finite = np.isfinite(np.where(known, history.column("weight_norm"), 0)).all(axis=0)
    comparable = trainable(history) & (known.sum(axis=0) >= SNAPSHOTS) & finite
    return _Movement(
        moved=moved,
        comparable=comparable,
        motionless=comparable & ~moved.any(axis=0),
        snapshots=np.logical_or.reduce(known, axis=1),
    )


def motionless_weights(history: History) -> list[Symptom]:
    """Returns the symptoms of weights that never move, or that stopped moving."""
    movement = _movement(history)
    if movement is None or not movement.comparable.any():
        return []
    if movement.motionless.sum() == movement.comparable.sum():
        return [_all_motionless(history, movement)]
    return [*_stopped(history, movement), *_partly_motionless(history, movement)]


def _all_motionless(history: History, movement: _Movement) -> Symptom:
    trend, row = loss_trend(history), len(history) - 1
    total = int(movement.comparable.sum())
    text = (
        f"No weight moves: all {total} that were logged stand still over {duration_text(history)}, to a millionth of "
        f"their size{remarks(history, str(loss_course(history, row)))}"
    )
    # If the loss falls, something learns that was not logged; a single weight may be frozen on purpose.
    harmless = bool(trend.decreased[row] or trend.low()[row]) or (total == 1 and not history.has("loss"))
    names = _names(history, np.flatnonzero(movement.motionless))
    severity: Severity = "info" if harmless else "error"
    return symptom_since(history, 0)(name="motionless", link="weight", severity=severity, message=text, variables=names)


def _stopped(history: History, movement: _Movement) -> list[Symptom]:
    last = int(np.flatnonzero(movement.moved[:, movement.comparable].any(axis=1))[-1])
    unchanged = int(movement.snapshots[last + 1 :].sum())
    if unchanged < max(SNAPSHOTS, int(movement.snapshots.sum()) // 4):
        return []
    trend, row = loss_trend(history), len(history) - 1
    text = (
        f"All weights stopped moving after {step_text(history, last)}: {unchanged} snapshots since are the same"
        f"{remarks(history, str(loss_course(history, row)))}"
    )
    learned = bool(trend.relative_decrease[row] > 0.5 or trend.low(0.5)[row])
    severity: Severity = "info" if learned else "error"
    names = _names(history, np.flatnonzero(movement.comparable))
    return [
        symptom_since(history, last)(name="stopped", link="weight", severity=severity, message=text, variables=names)
    ]


def _partly_motionless(history: History, movement: _Movement) -> list[Symptom]:
    names = _names(history, np.flatnonzero(movement.motionless))
    if not names:
        return []
    total = int(movement.comparable.sum())
    text = f"{len(names)} of {total} weights did not move between snapshots: {quote_list(names)} (frozen on purpose?)"
    return [
        symptom_since(history, 0)(
            name="partly-motionless", link="weight", severity="info", message=text, variables=names
        )
    ]


def exploding_weights(history: History) -> list[Symptom]:
    """Returns the symptom of weights whose norm grows without a lower loss."""
    norms, trend, row = total_norm(history), loss_trend(history), len(history) - 1
    finite = np.flatnonzero(np.isfinite(norms) & (norms > 0))
    if len(finite) < 2 or not trend.enough_rows[row] or trend.decreased[row] or trend.low()[row]:
        return []
    first, last = float(norms[finite[0]]), float(norms[finite[-1]])
    # Some weights start at zero; Glorot's scale gives a vector a norm of 1.
    usual = float(np.sqrt(trainable(history).sum()))
    limit = GROWTH * max(first, usual)
    if last < limit:
        return []
    since = int(finite[np.flatnonzero(norms[finite] >= limit)[0]])
    text = (
        f"The weights explode: their norm grew from {number(first)} to {number(last)}, and "
        f"{loss_course(history, row).standstill}"
    )
    names = trainable_names(history)
    return [
        symptom_since(history, since)(
            name="exploding-weights", link="weight", severity="error", message=text, variables=names
        )
    ]


def _names(history: History, positions: NDArray[np.intp]) -> tuple[str, ...]:
    return tuple(variables(history)[i].name for i in positions)
