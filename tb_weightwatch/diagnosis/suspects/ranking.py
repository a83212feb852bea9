"""Ranks the causes that fit the symptoms of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...history import History
from ...verdict import Suspect, Symptom, Verdict
from ..rule_catalogue import catalogue
from .causes import KNOWN_SYMPTOMS, TABLE, Cause
from .loss_facts import exception_is_a_mismatch
from .observation import UNKNOWN, Observation, Observe

_ABSENT = -6.0  # weight of a cause that does not make the symptom
_OTHER = 0.0  # weight of all causes that the table does not know
# log odds of being right = _BIAS + _SLOPE * log odds of the share among all causes (Platt scaling), and for the first
# suspect + _FIRST. `python -m tests.clinic.sweep.calibration` fits them, and says how well they hold for kinds of
# programs that were left out.
_BIAS, _SLOPE, _FIRST = -0.72, 0.47, 1.84
_LEAST = 0.03  # share below which a cause is not named
_MOST = 8  # suspects that are named
_WITHOUT_STEPS = (exception_is_a_mismatch,)  # facts that need no recorded step


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
    held = {verdict.name: verdict for verdict in likely}
    weighed = _all_weighed(history, names, held)
    ranked = sorted(zip(shares(item.score for item in weighed), weighed, strict=True), key=lambda pair: -pair[0])
    named = [pair for pair in ranked[:_MOST] if pair[0] >= _LEAST]
    return tuple(_suspect(_probability(share, i), item, held) for i, (share, item) in enumerate(named))


def scores(history: History, symptoms: Sequence[Symptom], likely: Sequence[Verdict]) -> dict[str, float]:
    """Returns the sum of weights of each cause; the clinic fits how they become probabilities."""
    names = {symptom.name for symptom in symptoms if symptom.severity != "info"}
    held = {verdict.name: verdict for verdict in likely}
    return {cause.name: cause.score for cause in _all_weighed(history, names, held)}


def _all_weighed(history: History, symptoms: set[str], held: Mapping[str, Verdict]) -> list[_Weighed]:
    observed: dict[Observe, Observation] = {}

    def look(fact: Observe) -> Observation:
        if fact not in observed:
            known = len(history) > 0 or fact in _WITHOUT_STEPS
            observed[fact] = fact(history) if known else UNKNOWN
        return observed[fact]

    with np.errstate(all="ignore"):
        return [_weigh(name, cause, symptoms, look, held) for name, cause in TABLE.items()]


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


def shares(weights: Iterable[float]) -> list[float]:
    """Returns each cause's share of all causes; what is left belongs to causes that the table does not know."""
    scaled = np.array([*weights, _OTHER])
    exponentials = np.exp(scaled - scaled.max())
    return [float(share) for share in exponentials[:-1] / exponentials.sum()]


def suspect_without_facts(name: str, probability: float) -> Suspect:
    """Returns a suspect for which nothing in the recording speaks; `name` is that of a rule."""
    cause = TABLE.get(name)
    settle = "" if cause is None else cause.settle
    rule = catalogue()[name]
    return Suspect(rule.code, name, rule.link, probability, rule.summary.rstrip("."), (), (), settle, rule.advice)


def _probability(share: float, rank: int) -> float:
    """Returns how probable it is that a cause with this share is a right answer; more than one cause may be.

    Args:
        share: its share among all causes.
        rank: 0 for the first suspect, and so on.
    """
    share = min(max(share, 1e-6), 1 - 1e-6)
    log_odds = _BIAS + _SLOPE * float(np.log(share / (1 - share))) + _FIRST * (rank == 0)
    return round(1 / (1 + float(np.exp(-log_odds))), 3)


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
