"""The seven links of the chain, each with its state, one number and one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..diagnosis import catalogue
from ..history import History
from ..verdict import LINKS, Diagnosis, Verdict, number
from .launch_state import evidence_number, evidence_text, percent, whole


class _Link(NamedTuple):
    title: str
    symbol: str
    columns: tuple[str, ...]  # the second one, if any, divides
    meaning: str
    reduce: Callable[[Any], float]
    text: Callable[[float], str] = number
    shows: tuple[str, ...] = ()  # beginnings of the names of quantities that tell how this link does


def _length(values: Any) -> float:
    """Returns the norm of all variables together: no single small variable decides."""
    return float(np.sqrt(np.sum(np.square(values))))


_LINKS = {
    "data": _Link("Data", "", ("input_max",), "largest input, last step", np.max),
    "activations": _Link("Activations", "", ("dead_share",), "dead units, worst layer", np.max, percent),
    "loss": _Link("Loss", "", ("loss",), "loss of the last batch", np.max),
    "gradient": _Link("Gradient", "gradient", ("gradient_norm",), "norm of the whole gradient", _length,
                      shows=("gradient_",)),
    "optimizer": _Link("Optimizer", "lr", ("learning_rate",), "learning rate", np.max),
    "update": _Link("Update", "lr · gradient", ("update_norm", "weight_norm"), "‖Δ‖/‖w‖ of the whole model", _length,
                    shows=("update_", "changed_share", "stuck_share")),
    "weight": _Link("Weight", "w", ("weight_norm",), "norm of all weights", _length, shows=("weight_",)),
}  # fmt: skip


def chain(history: History, diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """Returns the links in order; the first broken one is the link of the verdict that is the answer."""
    first = diagnosis.verdicts[0].link if diagnosis.status == "sick" and diagnosis.verdicts else ""
    return [_link(name, history, diagnosis, name == first) for name in LINKS]


def _link(name: str, history: History, diagnosis: Diagnosis, first: bool) -> dict[str, Any]:
    link = _LINKS[name]
    causes = [v for v in diagnosis.verdicts if v.link == name]
    broken = [v for v in causes if v.severity != "info"]
    effects = [(v, part) for v in diagnosis.verdicts for part in whole(v)[1:] if part.link == name]
    passed = [rule for rule in diagnosis.passed if rule in catalogue() and catalogue()[rule].link == name]
    lacking = [u for u in diagnosis.unknown if u.rule in catalogue() and catalogue()[u.rule].link == name]
    value, meaning = _number(history, link), link.meaning
    if broken:
        state, text = "broken", _line(broken)
        # The number that condemns it, not the one that is usually shown; NaN condemns by itself.
        if broken[0].evidence and value not in ("NaN", "Inf", "-Inf"):
            value, meaning = evidence_number(broken[0].evidence[0]), broken[0].evidence[0].name
    elif effects:
        cause, effect = effects[0]
        state, text = "consequence", f"follows from {cause.name}: {effect.message.rstrip('.')}"
    elif told := _after(name, value, diagnosis):
        state, text = "consequence", told
    elif causes:
        state, text = "note", _line(causes)
    elif not passed and (lacking or not value):
        state = "unknown"
        text = lacking[0].lacked if lacking else "not recorded"
    else:
        state = "ok"
        text = f"{len(passed)} check{'' if len(passed) == 1 else 's'} passed" if passed else "nothing seen against it"
        text += f", {len(lacking)} could not tell" if lacking else ""
    return {
        "link": name,
        "title": link.title,
        "symbol": link.symbol,
        "state": state,
        "number": value,
        "meaning": meaning,
        "text": text,
        "codes": sorted({v.code for v in [*causes, *(effect for _, effect in effects)]}),
        "first": first,
    }


def _after(name: str, value: str, diagnosis: Diagnosis) -> str:
    """Returns why a link that no rule accuses does not work either, for the cause lies before it; or "".

    Its number is 0 or not finite, or the cause was proven by what this link shows (a step that is far too small).
    """
    if diagnosis.status != "sick" or not diagnosis.verdicts:  # a symptom is no cause
        return ""
    cause = diagnosis.verdicts[0]
    if value == "0" and name in ("gradient", "update"):
        return f"exactly 0 at the last recorded step: {cause.name}"
    if LINKS.index(name) <= LINKS.index(cause.link):
        return ""
    if value in ("NaN", "Inf", "-Inf"):
        return f"{value} at the last recorded step: {cause.name}"
    proof = [e for e in cause.evidence if e.quantity.startswith(_LINKS[name].shows)]
    return f"follows from {cause.name}: {evidence_text(proof[0])}" if proof else ""


def _line(verdicts: list[Verdict]) -> str:
    more = f" (and {len(verdicts) - 1} more)" if len(verdicts) > 1 else ""
    return verdicts[0].message.rstrip(".") + more


def _number(history: History, link: _Link) -> str:
    """Returns the number of the last row in which it was recorded; what is not finite wins."""
    if not len(history) or not history.has(*link.columns):
        return ""
    known = np.logical_and.reduce([history.known(name).reshape(len(history), -1) for name in link.columns])
    if known.shape[1] == len(history.variables) > 0:  # what is frozen takes no part
        known = known & np.array([v.trainable for v in history.variables])
    rows = np.flatnonzero(known.any(axis=1))
    if not len(rows):
        return ""
    parts = [
        _reduced(np.asarray(history.column(name), np.float64).reshape(known.shape)[rows[-1], known[rows[-1]]], link)
        for name in link.columns
    ]
    with np.errstate(all="ignore"):
        return link.text(float(np.divide(parts[0], parts[1]) if len(parts) > 1 else parts[0]))


def _reduced(values: Any, link: _Link) -> float:
    odd = values[~np.isfinite(values)]
    return float(odd[0] if len(odd) else link.reduce(values))
