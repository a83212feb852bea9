"""Ranks the causes that fit the symptoms of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...history import History
from ...verdict import Suspect, Symptom, Verdict
from ..rule_catalogue import catalogue
from .causes import KNOWN_SYMPTOMS, TABLE, Cause
from .observation import UNKNOWN, Observation, Observe
from .output_facts import exception_is_a_mismatch

_ABSENT = -6.0  # weight of a cause that does not make the symptom
_OTHER = 0.0  # weight of all causes that the table does not know
_SHARPNESS = 1.0  # how far sums of weights are trusted; fitted on the clinic
_LEAST = 0.03  # probability below which a cause is not named
_MOST = 8  # suspects that are named


class _Weighed(NamedTuple):
    """One cause with the observations that speak for it and against it, strongest first."""

    name: str
    score: float
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]


def suspects(history: History, symptoms: Sequence[Symptom], likely: Sequence[Verdict]) -> tuple[Suspect, ...]:
    """Returns the causes that fit, most probable first.

    Args:
        history: what was recorded.
        symptoms: the symptoms of the run; () returns ().
        likely: verdicts of rules that call a cause likely.
    """
    names = {symptom.name for symptom in symptoms if symptom.severity != "info"} & KNOWN_SYMPTOMS
    if not names:
        return ()
    observed: dict[Observe, Observation] = {}

    def look(fact: Observe) -> Observation:
        if fact not in observed:
            with np.errstate(all="ignore"):  # without a recorded step only the exception that ended it is known
                known = len(history) > 0 or fact is exception_is_a_mismatch
                observed[fact] = fact(history) if known else UNKNOWN
        return observed[fact]

    held = {verdict.name: verdict for verdict in likely}
    weighed = [_weigh(name, cause, names, look, held) for name, cause in TABLE.items()]
    probabilities = _probabilities([item.score for item in weighed])
    ranked = sorted(zip(probabilities, weighed, strict=True), key=lambda pair: -pair[0])
    return tuple(_suspect(p, item, held) for p, item in ranked[:_MOST] if p >= _LEAST)


def scores(history: History, symptoms: Sequence[Symptom], likely: Sequence[Verdict]) -> dict[str, float]:
    """Returns the sum of weights of each cause, from which probabilities are made; the clinic fits their sharpness."""
    names = {symptom.name for symptom in symptoms if symptom.severity != "info"}
    held = {verdict.name: verdict for verdict in likely}
    with np.errstate(all="ignore"):
        return {name: _weigh(name, cause, names, lambda f: f(history), held).score for name, cause in TABLE.items()}


def _weigh(
    name: str,
    cause: Cause,
    symptoms: set[str],
    look: Callable[[Observe], Observation],
    held: Mapping[str, Verdict],
) -> _Weighed:
    usual = [weight for symptom, weight in cause.symptoms.items() if symptom in symptoms]
    score = max(usual) + (cause.rule_holds if name in held else 0.0) if usual else _ABSENT
    weights: list[tuple[float, str]] = []
    for fact, if_so, if_not in cause.facts:
        observation = look(fact)
        if observation.holds is not None:
            weights.append((if_so if observation.holds else if_not, observation.text))
    weights.sort(key=lambda pair: -abs(pair[0]))
    return _Weighed(
        name,
        score + sum(weight for weight, _ in weights),
        tuple(dict.fromkeys(text for weight, text in weights if weight > 0)),
        tuple(dict.fromkeys(text for weight, text in weights if weight < 0)),
    )


def _probabilities(weights: list[float]) -> list[float]:
    """Returns the probability of each cause; what is left belongs to causes that the table does not know."""
    scaled = _SHARPNESS * np.array([*weights, _OTHER])
    exponentials = np.exp(scaled - scaled.max())
    return [round(float(p), 3) for p in exponentials[:-1] / exponentials.sum()]


def _suspect(probability: float, item: _Weighed, held: Mapping[str, Verdict]) -> Suspect:
    rule, verdict = catalogue()[item.name], held.get(item.name)
    return Suspect(
        code=rule.code,
        name=rule.name,
        link=rule.link,
        probability=probability,
        message=verdict.message if verdict else rule.summary.rstrip("."),
        supports=item.supports,
        contradicts=item.contradicts,
        settle=TABLE[item.name].settle,
        fix=verdict.fix if verdict else rule.advice,
    )
