"""Two launches compared: where they first differ, link by link, in which settings, and which one is better.

Panel and command line show this same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..history import History
from ..statistics import QUANTITIES
from ..verdict import LINKS, Diagnosis, answering_symptom, answering_verdict, headline, number
from .chain import chain
from .launch_state import percent
from .paired_series import CommonSteps, PairedSeries, common_steps, paired
from .rounding import TIE, dense_ranks, first_largest
from .setting_differences import NOT_RECORDED, setting_differences

CLEARLY = 0.1  # relative difference of the losses, far above any rounding
_SIMILAR = 0.05  # relative difference of final losses that does not make one run better
_MOST_NUMBERS = 6  # that are named at the first difference
_MOST_SETTINGS = 4  # that are named in the conclusion
_NAMED_FIRST = ("learning_rate", "loss")  # before all others, which follow by their relative difference
# Prefixes of the quantities that belong to a link. The first link that fits counts.
_QUANTITIES_OF = {
    "data": ("input_", "target_", "batch_size"),
    "activations": ("zero_", "dead_", "always_dead_", "saturated_", "blocked_", "output_", "prediction_"),
    "optimizer": ("learning_rate", "iterations", "loss_scale"),
    "loss": (
        "loss",
        "validation_loss",
        "cross_entropy",
        "logit_cross_entropy",
        "squared_error",
        "absolute_error",
        "pair_squared_error",
        "pair_absolute_error",
        "pair_cross_entropy",
        "pair_logit_cross_entropy",
    ),
    "gradient": ("gradient_", "raw_gradient_", "total_gradient_"),
    "update": ("update_", "changed_share", "stuck_share"),
    "weight": ("weight_", "statistic_"),
}


class _FirstDifference(NamedTuple):
    """The first common step (as its index) at which a number differs, and the numbers that differ there."""

    row: int
    numbers: list[dict[str, str]]


def compare(
    one: History, other: History, diagnoses: tuple[Diagnosis, Diagnosis], names: tuple[str, str] = ("A", "B")
) -> dict[str, Any]:
    """Returns how two launches differ, by the steps that both recorded.

    Keys: "text" says in a sentence where they first differ, "conclusion" which one is better, under these names.
    "first_step" is the first step at which a number differs by more than 1 %, "first_links" the links of the numbers
    that do, "numbers" those numbers; "clear_step" is the first at which the losses differ by more than 10 %. "links"
    has each link's state in both launches. "settings" are those that differ. "better" is 0, 1, or None where it is not
    clear, and "why" is the reason. "steps" and "common_steps" both count the common steps.
    """
    common = common_steps(one, other)
    series = [s for q in QUANTITIES.values() if (s := paired(q, one, other, common)) is not None]
    first, clear = _first_difference(series), _loss_difference(series)
    first_step, clear_step = (None if i is None else int(common.steps[i]) for i in (first and first.row, clear))
    links = _links(one, other, diagnoses, series, common)
    better, why = _better(one, other, diagnoses)
    worse = diagnoses[1 - better] if better is not None else None
    settings = setting_differences(one, other, _link_to_look_at(worse) if worse else "")
    numbers = first.numbers if first else []
    return {
        "revision": "",
        "steps": len(common.steps),
        "common_steps": len(common.steps),
        "first_step": first_step,
        "clear_step": clear_step,
        "first_links": [x["link"] for x in links if first_step is not None and x["first_step"] == first_step],
        "text": _text(len(common.steps), first_step, clear_step, numbers),
        "numbers": numbers,
        "links": links,
        "settings": settings,
        "better": better,
        "why": why,
        "conclusion": _conclusion(better, why, names, settings, worse),
    }


# -- where they first differ


def link_of(quantity: str) -> str:
    """Returns the link of the chain to which a recorded quantity belongs."""
    return next(link for link, prefixes in _QUANTITIES_OF.items() if quantity.startswith(prefixes))


def _first_difference(series: Sequence[PairedSeries]) -> _FirstDifference | None:
    first = {s.quantity.name: index for s in series if (index := s.first_difference()) is not None}
    if not first:
        return None
    index = min(first.values())
    differing = [s for s in series if first.get(s.quantity.name) == index]
    columns = [first_largest(s.difference[index]) for s in differing]
    ranks = dense_ranks([s.difference[index, column] for s, column in zip(differing, columns, strict=True)])
    numbers = []
    for pair, column in zip(differing, columns, strict=True):
        name = f" of {pair.names[column]}" if pair.names[column] else ""
        text = percent if pair.quantity.encoding == "share" else number
        values = {"one": text(float(pair.one[index, column])), "other": text(float(pair.other[index, column]))}
        numbers.append({"label": f"{pair.quantity.title}{name}", **values})
    order = sorted(range(len(numbers)), key=lambda i: (_named_first(differing[i].quantity.name), -ranks[i]))
    return _FirstDifference(index, [numbers[i] for i in order[:_MOST_NUMBERS]])


def _named_first(quantity: str) -> int:
    return _NAMED_FIRST.index(quantity) if quantity in _NAMED_FIRST else len(_NAMED_FIRST)


def _loss_difference(series: Sequence[PairedSeries]) -> int | None:
    return next((s.first_difference(CLEARLY) for s in series if s.quantity.name == "loss"), None)


def _text(common: int, first: int | None, clear: int | None, numbers: list[dict[str, str]]) -> str:
    if not common:
        return "No step was recorded in both runs."
    if first is None:
        return f"In all {common:,} steps that were recorded in both runs, every number agrees to within 1 %."
    number = numbers[0]
    text = f"The runs first differ at step {first:,}: {number['label']} {number['one']} vs. {number['other']}."
    if clear is None:
        return f"{text} Their losses never differ by more than {100 * CLEARLY:.0f} %."
    return f"{text} From step {clear:,} on, their losses differ by more than {100 * CLEARLY:.0f} %."


def _links(
    one: History,
    other: History,
    diagnoses: tuple[Diagnosis, Diagnosis],
    series: Sequence[PairedSeries],
    common: CommonSteps,
) -> list[dict[str, Any]]:
    chains = [chain(h, d) for h, d in zip((one, other), diagnoses, strict=True)]
    links = []
    for name, *sides in zip(LINKS, *chains, strict=True):
        indices = [i for s in series if link_of(s.quantity.name) == name and (i := s.first_difference()) is not None]
        first = int(common.steps[min(indices)]) if indices else None
        states = [{key: side[key] for key in ("state", "number", "meaning", "text")} for side in sides]
        differs = first is not None or states[0]["state"] != states[1]["state"]
        links.append({"link": name, "title": sides[0]["title"], "one": states[0], "other": states[1],
                      "differs": differs, "first_step": first})  # fmt: skip
    return links


# -- which one is better


def _better(one: History, other: History, diagnoses: tuple[Diagnosis, Diagnosis]) -> tuple[int | None, str]:
    order = ("healthy", "undecided", "sick")
    statuses = [diagnosis.status for diagnosis in diagnoses]
    if statuses[0] != statuses[1]:
        better = int(order.index(statuses[1]) < order.index(statuses[0]))
        return better, f"it is {statuses[better]}, the other run is {statuses[1 - better]}"
    if one.facts.get("loss") != other.facts.get("loss"):
        return None, "they use different loss functions, so their losses cannot be compared"
    losses = [final_loss(history) for history in (one, other)]
    largest = max(map(abs, losses))
    if not np.isfinite(losses).all() or abs(losses[0] - losses[1]) <= _SIMILAR * (1 + TIE) * largest:
        return None, f"both are {statuses[0]}, and their final losses are similar or not known"
    better = int(losses[1] < losses[0])
    ends = f"its loss ends at {number(losses[better])}, the other run's at {number(losses[1 - better])}"
    return better, f"both are {statuses[0]}; {ends}"


def final_loss(history: History) -> float:
    """Returns the mean of the last eighth of the losses; NaN where there is none, or it is not finite."""
    if not history.has("loss"):
        return float("nan")
    loss = history.loss[history.known("loss")]
    return float(np.mean(loss[-max(1, len(loss) // 8) :])) if len(loss) else float("nan")


def _conclusion(
    better: int | None, why: str, names: tuple[str, str], settings: list[dict[str, str]], worse: Diagnosis | None
) -> str:
    if better is None or worse is None:
        return f"No clear winner: {why}."
    key, other_key = ("one", "other") if better == 0 else ("other", "one")
    recorded = [s for s in settings if NOT_RECORDED not in (s["one"], s["other"])]
    changes = "; ".join(f"{s['label']} {s[key]} instead of {s[other_key]}" for s in recorded[:_MOST_SETTINGS])
    sentences = [f"{names[better]} is better: {why}."]
    sentences.append(f"Different settings: {changes}." if changes else "No setting that both runs recorded differs.")
    if answering_verdict(worse):
        sentences.append(f"The other run has {headline(worse)} ({_link_to_look_at(worse)}).")
    elif answering_symptom(worse):
        sentences.append(f"The other run: {headline(worse)} ({_link_to_look_at(worse)}).")
    return " ".join(sentences)


def _link_to_look_at(diagnosis: Diagnosis) -> str:
    """Returns the link of the verdict that is the answer, of the first suspect, or of the symptom; or ""."""
    symptom = answering_symptom(diagnosis)
    suspects = diagnosis.suspects[:1] if symptom else ()
    found = [x.link for x in (answering_verdict(diagnosis), *suspects, symptom) if x is not None]
    return found[0] if found else ""
