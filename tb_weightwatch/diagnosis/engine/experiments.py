"""What experiments (`ww.probe`) say of verdicts and suspects: it is attached to them, and ranks them anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...history import History
from ...verdict import Diagnosis, Experiment, Suspect, TestedCause, Verdict, number, tested_causes
from .. import signals
from ..rule_catalogue import catalogue
from ..suspects import suspect_without_facts
from .summary_sentence import refuted_only, symptom_and_suspect

# Change of a cause's log odds. `python -m tests.clinic.experiments` measures how often an outcome is wrong.
_WEIGHT = {"confirmed": 3.5, "refuted": -3.0, "open": 0.0}
_UNSUSPECTED = 0.03  # probability of a cause before an experiment, if no fact spoke for it
_IN_GENERAL = "\n\nIn general: "  # between the fix that an experiment recommends and that of the rule


def recorded_experiments(history: History) -> tuple[Experiment, ...]:
    """Returns the experiments of a History, the last of each name; one that was skipped replaces none that ran."""
    latest: dict[str, Experiment] = {}
    for experiment in signals.all_experiments(history):
        if experiment.end == "completed" or experiment.name not in latest:
            latest[experiment.name] = experiment
    return tuple(latest.values())


def retested(suspects: Sequence[Suspect], causes: Mapping[str, TestedCause]) -> tuple[Suspect, ...]:
    """Returns the suspects with what experiments say of them, ranked anew; a confirmed cause becomes a suspect."""
    present = {suspect.name for suspect in suspects}
    others = [suspect_without_facts(name, _UNSUSPECTED) for name, cause in causes.items()
              if name not in present and cause.outcome == "confirmed" and name in catalogue()]  # fmt: skip
    tested = [_retested(suspect, causes.get(suspect.name)) for suspect in [*suspects, *others]]
    return tuple(sorted(tested, key=lambda suspect: (suspect.outcome != "confirmed", -suspect.probability)))


def _retested(suspect: Suspect, cause: TestedCause | None) -> Suspect:
    if cause is None or suspect.outcome == cause.outcome:  # an outcome counts once
        return suspect
    probability = min(max(suspect.probability, 1e-3), 1 - 1e-3)
    log_odds = float(np.log(probability / (1 - probability))) + _WEIGHT[cause.outcome]
    return replace(
        suspect,
        probability=round(1 / (1 + float(np.exp(-log_odds))), 3),
        outcome=cause.outcome,
        experiment=cause.message,
    )


def with_outcomes(verdicts: Sequence[Verdict], causes: Mapping[str, TestedCause]) -> list[Verdict]:
    """Returns verdicts with what experiments say of them and of their consequences, ranked.

    A likely verdict that is refuted becomes a note, and explains its consequences no longer. A certain one stands,
    since it rests on what was recorded. An experiment says nothing of a note, nor of a verdict that came up after it.
    """
    tested = [result for verdict in verdicts for result in _with_outcome(verdict, causes)]
    return sorted(tested, key=lambda verdict: verdict.severity == "info")


def _with_outcome(verdict: Verdict, causes: Mapping[str, TestedCause]) -> list[Verdict]:
    effects = with_outcomes(verdict.explains, causes)
    cause = causes.get(verdict.name)
    if cause is None or verdict.severity == "info" or cause.step < verdict.first_step:
        return [replace(verdict, explains=tuple(effects))]
    tested = replace(verdict, explains=tuple(effects), outcome=cause.outcome, experiment=cause.message)
    if cause.outcome == "refuted" and verdict.certainty != "certain":
        return [*effects, replace(tested, severity="info", explains=())]
    return [tested]


def with_experiments(diagnosis: Diagnosis, experiments: Sequence[Experiment]) -> Diagnosis:
    """Returns a diagnosis whose History is not at hand, with what experiments say of its verdicts and suspects."""
    causes = tested_causes(experiments)
    verdicts = with_outcomes(diagnosis.verdicts, causes)
    is_certain = any(verdict.certainty == "certain" and verdict.severity != "info" for verdict in verdicts)
    # Only a symptom can be explained by a suspect, and where a cause is certain there are none.
    suspects = retested(diagnosis.suspects, causes) if diagnosis.symptoms and not is_certain else diagnosis.suspects
    tested = replace(diagnosis, verdicts=tuple(verdicts), suspects=suspects, experiments=tuple(experiments))
    tested = with_recommended_rate(tested)
    return _answered_anew(tested) if diagnosis.status == "sick" else tested


def with_recommended_rate(diagnosis: Diagnosis) -> Diagnosis:
    """Returns the diagnosis with the learning rate that an experiment recommends in the fix of a cause it confirms."""
    rates = {
        cause.name: result.curve.recommended
        for result in diagnosis.experiments
        for cause in result.causes
        if cause.outcome == "confirmed" and result.curve is not None and result.curve.recommended is not None
    }

    def fix(finding: Verdict | Suspect) -> str:
        if finding.outcome != "confirmed" or finding.name not in rates:
            return finding.fix
        of_rule = finding.fix.rpartition(_IN_GENERAL)[2]  # an earlier experiment may have recommended another rate
        rate = number(rates[finding.name])
        return f"Set the learning rate to {rate}, which the experiment recommends.{_IN_GENERAL}{of_rule}"

    verdicts = tuple(replace(verdict, fix=fix(verdict)) for verdict in diagnosis.verdicts)
    return replace(diagnosis, verdicts=verdicts, suspects=tuple(replace(s, fix=fix(s)) for s in diagnosis.suspects))


def _answered_anew(diagnosis: Diagnosis) -> Diagnosis:
    """Returns the diagnosis of a sick run with the sentence that its verdicts, symptoms and suspects give now."""
    sick = [verdict for verdict in diagnosis.verdicts if verdict.severity != "info"]
    if sick:
        return replace(diagnosis, sentence=f"{sick[0].message.rstrip('.')}.")
    symptoms = [symptom for symptom in diagnosis.symptoms if symptom.severity != "info"]
    if symptoms:
        return replace(diagnosis, sentence=symptom_and_suspect(symptoms[0], diagnosis.suspects))
    status, sentence = refuted_only(diagnosis.verdicts)
    return replace(diagnosis, status=status, sentence=sentence)
