"""What curves that others wrote tell: symptoms, since no step was watched and so no cause can be seen.

Weights are known by snapshots of their histograms: their largest element, their norm, and how far an element moved at
least. So it can be said that nothing moves, when that began, and what became NaN; why, only a watched training tells.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...history import History
from ...verdict import Severity, Status, number
from ..signals import (
    Bool,
    column,
    latest_run_value,
    loss_trend,
    memoized,
    model_facts,
    run_column,
    trainable,
    usual_weight_scale,
    variables,
)
from ..wording import quote_list

_NEXT = "to see why, train a few steps with tb_weightwatch"
SNAPSHOTS = 3  # before stillness is judged
STILL = 1e-6  # of an element's usual size, in all: under it a weight stands still
GROWTH = 10.0  # of the norm of all weights


class Symptom(NamedTuple):
    """What is wrong, without the cause. `variables`: names; the steps are those of the History."""

    kind: str
    severity: Severity
    text: str
    variables: tuple[str, ...]
    first_step: int
    last_step: int


def is_third_party(history: History) -> bool:
    """Says whether the History comes from curves that others wrote."""
    return isinstance(model_facts(history).get("foreign"), dict)


@memoized
def symptoms(history: History) -> tuple[Symptom, ...]:
    """Returns what these curves show to be wrong, worst first; () for a History that was recorded by us."""
    if not is_third_party(history) or not len(history):
        return ()
    with np.errstate(all="ignore"):
        found = [*_nonfinite_weights(history), *_nonfinite_loss(history), *_stillness(history), *_growth(history),
                 *_rise(history), *_flat(history)]  # fmt: skip
    return tuple(sorted(found, key=lambda one: ("error", "warning", "info").index(one.severity)))


def outlook(history: History) -> tuple[Status, str]:
    """Returns the status and the sentence where no rule fires."""
    found = [one for one in symptoms(history) if one.severity != "info"]
    if found:
        also = f"; also, {found[1].text[0].lower()}{found[1].text[1:]}" if len(found) > 1 else ""
        return "sick", f"{found[0].text}{also} ({_NEXT})."
    weights = _moving_words(history)
    if not history.has("loss"):
        why = "whether the loss falls is not known (no scalar was named so that it must be the loss)"
        return "undecided", f"Undecided: {weights or 'no weights were logged'}, and {why}."
    trend, row = loss_trend(history), len(history) - 1
    told = f"{trend.describe(row)} over {_span(history)}"
    more = f"; {weights}" if weights else "; weights were not logged"
    if not trend.finite_rows[row] >= 3:
        return "undecided", f"Undecided: after {_span(history)} it is too early to see whether the loss falls{more}."
    if (trend.decreased[row] and not trend.near_constant_loss(0.95)[row]) or trend.low()[row]:
        return "healthy", f"Healthy as far as curves tell: {told}{more}."
    said = (
        "has risen" if trend.recent[row] - trend.start[row] > trend.noise[row] else "has not fallen by more than chance"
    )
    return "undecided", f"Undecided: the loss {said}{_noted(history, told)}, and these curves do not tell why{more}."


def fix_of_curves(history: History, rate: float) -> str:
    """Returns how to set a learning rate in the terms of who wrote the curves; "" where we recorded them."""
    if not is_third_party(history):
        return ""
    writer = str(model_facts(history)["foreign"].get("writer", ""))
    text = (
        f"Make the schedule as long as the training, counted as it counts (batches or epochs), or set {number(rate)}:"
    )
    keras = f"    model.compile(optimizer=keras.optimizers.Adam({number(rate)}), loss=...)"
    torch = f'    for group in optimizer.param_groups:\n        group["lr"] = {number(rate)}'
    return f"{text}\n{keras if 'keras' in writer else torch if writer.startswith('PyTorch') else ''}".rstrip()


# -- symptoms


def _nonfinite_weights(history: History) -> list[Symptom]:
    odd = column(history, "weight_nonfinite")
    if odd is None:
        return []
    known = history.known("weight_nonfinite")
    bad = (_latest(odd, known)[-1] > 0) & trainable(history)
    which = np.flatnonzero(bad)
    if not len(which):
        return []
    row = int(np.flatnonzero((odd[:, which] > 0).any(axis=1))[0])
    grown = _total(history)[:row]
    grown = grown[np.isfinite(grown)]
    before = ""
    if len(grown) > 1 and grown[-1] > 4 * grown[0] > 0:
        before = f", after the norm of all weights grew from {number(float(grown[0]))} to {number(float(grown[-1]))}"
    names = _names(history, which)
    text = f"Weights hold NaN or infinity from {_at(history, row)} on: {quote_list(names)}{before}"
    return [_symptom(history, "nonfinite weights", "error", text, names, row)]


def _nonfinite_loss(history: History) -> list[Symptom]:
    loss = run_column(history, "loss")
    rows = np.flatnonzero(history.known("loss")) if history.has("loss") else np.zeros(0, np.intp)
    bad = rows[~np.isfinite(loss[rows])]
    if not len(bad):
        return []
    if bad[-1] != rows[-1]:
        text = f"The loss was not finite at {_at(history, int(bad[0]))}, and is again by now"
        return [_symptom(history, "nonfinite loss", "info", text, (), int(bad[0]))]
    fine = rows[np.isfinite(loss[rows])]
    row = int(rows[rows > fine[-1]][0]) if len(fine) else int(rows[0])
    before = f" (it was {number(float(loss[fine[-1]]))} before)" if len(fine) else ""
    text = f"The loss is {number(float(loss[row]))} from {_at(history, row)} on{before}"
    return [_symptom(history, "nonfinite loss", "error", text, (), row)]


def _stillness(history: History) -> list[Symptom]:
    moved = _moved(history)
    if moved is None or not moved.shape[1]:
        return []
    known = history.known("weight_drift")
    able = trainable(history) & (known.sum(axis=0) >= SNAPSHOTS)
    finite = np.isfinite(np.where(known, history.column("weight_norm"), 0)).all(axis=0)
    able &= finite
    if not able.any():
        return []
    trend, row = loss_trend(history), len(history) - 1
    got_ahead = bool(trend.decreased[row] or trend.low()[row])
    still = able & ~moved.any(axis=0)
    names, total = _names(history, np.flatnonzero(still)), int(able.sum())
    words = _noted(history, trend.describe(row))
    if still.sum() == total:
        text = (
            f"No weight moves: all {total} that were logged stand still over {_span(history)}, to a millionth of "
            f"their size{words}"
        )
        # A loss that falls says that something else learns than what was logged; one weight alone may be frozen.
        remark = got_ahead or (total == 1 and not history.has("loss"))
        return [_symptom(history, "motionless", "info" if remark else "error", text, names, 0)]
    found = []
    last = int(np.flatnonzero(moved[:, able].any(axis=1))[-1])
    after = int(known[last + 1 :].any(axis=1).sum())
    if after >= max(SNAPSHOTS, int(known.any(axis=1).sum()) // 4):
        learned = bool(trend.relative_decrease[row] > 0.5 or trend.low(0.5)[row])
        text = f"All weights stopped moving after {_at(history, last)}: {after} snapshots since are the same{words}"
        level: Severity = "info" if learned else "error"
        found.append(_symptom(history, "stopped", level, text, _names(history, np.flatnonzero(able)), last))
    if still.any():
        part = f"{int(still.sum())} of {total} weights"
        text = f"{part} did not move between snapshots: {quote_list(names)} (frozen on purpose?)"
        found.append(_symptom(history, "partly motionless", "info", text, names, 0))
    return found


def _noted(history: History, words: str = "") -> str:
    """Returns these words and the learning rate, if it was logged, in parentheses."""
    rate = float(latest_run_value(history, "learning_rate")[-1])
    noted = [words, f"learning rate {number(rate)}" if np.isfinite(rate) else ""]
    return f" ({'; '.join(filter(None, noted))})" if any(noted) else ""


def _growth(history: History) -> list[Symptom]:
    total, trend, row = _total(history), loss_trend(history), len(history) - 1
    fine = np.flatnonzero(np.isfinite(total) & (total > 0))
    if len(fine) < 2 or not trend.enough_rows[row] or trend.decreased[row] or trend.low()[row]:
        return []
    first, last = float(total[fine[0]]), float(total[fine[-1]])
    usual = float(np.sqrt(trainable(history).sum()))  # Glorot's scale gives a vector a norm of 1: some begin at zero
    bound = GROWTH * max(first, usual)
    if last < bound:
        return []
    at = int(fine[np.flatnonzero(total[fine] >= bound)[0]])
    text = (
        f"The weights explode: their norm grew from {number(first)} to {number(last)}, and the loss does not fall "
        f"({trend.describe(row)})"
    )
    names = _names(history, np.flatnonzero(trainable(history)))
    return [_symptom(history, "exploding weights", "error", text, names, at)]


def _rise(history: History) -> list[Symptom]:
    """A loss that rises. By itself that is no illness (a critic's loss rises as it learns): more must speak for it."""
    trend, row = loss_trend(history), len(history) - 1
    if not trend.finite_rows[row] >= 4:
        return []
    start, late = float(trend.start[row]), float(trend.recent[row])
    scale = max(abs(start), float(np.nan_to_num(trend.constant_loss[row])))
    enormous = late > 1000 * max(abs(start), 1.0)
    supervised = isinstance(model_facts(history).get("loss"), dict) and trend.finite_rows[row] >= 8
    if not enormous and not (supervised and late - start > 2 * scale + float(trend.noise[row])):
        return []
    loss = run_column(history, "loss")
    at = int(np.flatnonzero(loss > start + 2 * scale)[0])
    text = f"The loss diverges: {number(start)} at first, {number(late)} over the last rows{_noted(history)}"
    return [_symptom(history, "diverging loss", "error", text, (), at)]


def _flat(history: History) -> list[Symptom]:
    trend, row = loss_trend(history), len(history) - 1
    enough = 10 if unit(history) == "epoch" else 200
    level = float(trend.constant_loss[row])
    if (
        not (trend.loss_is_known and trend.finite_rows[row] >= enough and trend.recent[row] >= 0.98 * level)
        or trend.decreased[row]
    ):
        return []
    if trend.recent[row] > 1.5 * level:
        return []
    text = f"The loss is flat at {number(level)}, which takes no skill: {trend.describe(row)} over {_span(history)}"
    return [_symptom(history, "flat loss", "warning", text, (), 0)]


# -- what they stand on


@memoized
def _moved(history: History) -> Bool | None:
    """Returns `[T, V]` whether a weight moved between the snapshot at a row and the one before it."""
    drift = column(history, "weight_drift")
    norm = column(history, "weight_norm")
    if drift is None or norm is None:
        return None
    known = history.known("weight_drift")
    so_far = _latest(drift, known)
    size = np.sqrt([max(1, v.size) for v in variables(history)])
    element = np.fmax(np.nanmax(np.where(known, norm, np.nan), axis=0, initial=0) / size, usual_weight_scale(history))
    step = np.diff(np.nan_to_num(so_far), axis=0, prepend=np.nan_to_num(so_far[:1]))
    return np.asarray(known & (step > STILL * element))


def drifted(history: History) -> Bool:
    """Returns `[T]` whether a weight has moved so far, as snapshots show it."""
    drift = column(history, "weight_drift")  # how far an element has moved at least: exactly 0 where none has
    if drift is None:
        return np.zeros(len(history), bool)
    so_far = _latest(drift, history.known("weight_drift"))
    return np.asarray(((so_far > 0) & trainable(history)).any(axis=1))


def _moving_words(history: History) -> str:
    moved = _moved(history)
    if moved is None or not moved.shape[1]:
        return ""
    enough = (history.known("weight_drift").sum(axis=0) >= 2) & trainable(history)
    if not enough.any():
        return "a single snapshot of the weights says nothing of their motion"
    count, total = int(moved[:, enough].any(axis=0).sum()), int(enough.sum())
    return f"{'all' if count == total else f'{count} of'} {total} weights that were logged move"


def _total(history: History) -> NDArray[np.float64]:
    """Returns `[T]` the norm of all trainable weights together where a snapshot was taken, NaN elsewhere."""
    norm = column(history, "weight_norm")
    if norm is None or not trainable(history).any():
        return np.full(len(history), np.nan)
    known = history.known("weight_norm")[:, trainable(history)]
    total = np.sqrt(np.sum(np.where(known, norm[:, trainable(history)], 0) ** 2, axis=1))
    return np.asarray(np.where(known.all(axis=1), total, np.nan))


def _latest(values: NDArray[np.float64], known: Bool) -> NDArray[np.float64]:
    """Returns, per row and variable, the last recorded value up to it; NaN before there is one."""
    rows = np.maximum.accumulate(np.where(known, np.arange(len(values))[:, None], -1), axis=0)
    return np.where(rows >= 0, np.take_along_axis(values, np.maximum(rows, 0), axis=0), np.nan)


def _symptom(  # noqa: PLR0913, PLR0917
    history: History, kind: str, severity: Severity, text: str, names: tuple[str, ...], row: int
) -> Symptom:
    return Symptom(kind, severity, text, names, int(history.steps[row]), int(history.steps[-1]))


def _names(history: History, which: NDArray[np.intp]) -> tuple[str, ...]:
    return tuple(variables(history)[i].name for i in which)


def unit(history: History) -> str:
    """Returns what a step of this History is: "step", or "epoch" where somebody else logged nothing finer."""
    foreign = model_facts(history).get("foreign")
    return "epoch" if isinstance(foreign, dict) and foreign.get("unit") == "epoch" else "step"


def _at(history: History, row: int) -> str:
    return f"{unit(history)} {int(history.steps[row]):,}"


def _span(history: History) -> str:
    count = int(history.steps[-1] - history.steps[0] + 1)
    return f"{count:,} {unit(history)}{'' if count == 1 else 's'}"
