"""Decides which likely verdicts stand, and which of them are only suspects beside more probable causes."""

from __future__ import annotations

from collections.abc import Mapping

from ...history import History
from ...verdict import Suspect, Symptom, TestedCause, Verdict
from ..suspects import suspects
from ..third_party import is_third_party
from .experiments import retested, with_outcomes

_CLEARLY = 3.0  # how many times as probable another cause must be, for a likely verdict to give way


def arbitrate(
    history: History, symptoms: tuple[Symptom, ...], opened: list[Verdict], causes: Mapping[str, TestedCause]
) -> tuple[list[Verdict], tuple[Suspect, ...]]:
    """Returns the verdicts that stand, and the suspects.

    Where a rule is certain of a cause, or the run has no symptom, there are no suspects. Where rules only call
    a cause likely, it competes with all other causes that fit the symptoms. If another one is far more probable, or
    confirmed by an experiment, the verdict gives way, and the cause is one suspect among others.

    Args:
        history: what was recorded.
        symptoms: the symptoms of the run.
        opened: open verdicts, ranked.
        causes: what experiments say of causes. A likely verdict that is refuted becomes a note.
    """
    likely = [verdict for verdict in opened if verdict.severity != "info"]
    opened = with_outcomes(opened, causes)
    sick = [verdict for verdict in opened if verdict.severity != "info"]
    if is_third_party(history) or any(verdict.certainty == "certain" for verdict in sick):
        return opened, ()
    if sick:  # a rule has its own evidence for what an exception means
        symptoms = tuple(symptom for symptom in symptoms if symptom.name != "ended-by-exception")
    possible = retested(suspects(history, symptoms, likely), causes) if symptoms else ()
    if not possible or not sick:
        return opened, possible
    probability = {suspect.name: suspect.probability for suspect in possible}
    own = max(probability.get(verdict.name, 0.0) for verdict in sick)
    names = {verdict.name for verdict in sick}
    is_confirmed = any(verdict.outcome == "confirmed" for verdict in sick)
    another_confirmed = not is_confirmed and possible[0].outcome == "confirmed" and possible[0].name not in names
    if not another_confirmed and possible[0].probability < _CLEARLY * own:
        return opened, ()
    return [verdict for verdict in opened if verdict.severity == "info"], possible
