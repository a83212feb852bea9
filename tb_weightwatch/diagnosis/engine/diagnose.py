"""Runs all rules over a History and returns a Diagnosis: consequences folded under their cause, the rest ranked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..._version import __version__
from ...history import History
from ...verdict import LINKS, SEVERITIES, Claim, Diagnosis, Evidence, Statement, Unknown, Verdict, tested_causes
from ..rule import CannotTell, Finding, Rule
from ..rule_catalogue import RuleSettings, catalogue, checked_rules
from ..signals import SignalCache, is_recorded, recording_stop, signals_cached, training_error
from ..symptoms import symptoms
from ..third_party import framework_fix
from ..wording import not_recorded
from .arbitration import arbitrate
from .diagnosed_argument import no_history_text
from .exception_verdicts import with_exception
from .experiments import recorded_experiments, with_recommended_rate
from .summary_sentence import overall_status, with_recording_stop


@cache
def rule_set_version() -> str:
    """Returns a digest of our version and of the codes, names, explained rules and thresholds of all rules."""
    text = repr([__version__, *((r.code, r.name, r.explains, r.thresholds) for r in catalogue().values())])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def diagnose(history: History, config: RuleSettings | None = None) -> Diagnosis:
    """Returns the diagnosis of a History; it depends on its arguments only.

    Args:
        history: what was recorded.
        config: name or code of a rule -> thresholds by name, or False to mute the rule; by default the recorded
            configuration.

    Raises:
        TypeError: `history` is no History, or `config` no mapping.
        ValueError: `config` names a rule or threshold that does not exist.
    """
    if not isinstance(history, History):
        raise TypeError(no_history_text(history))
    return _diagnose(history, config, SignalCache())


class IncrementalDiagnosis:
    """Diagnoses a growing History repeatedly, and computes signals for new rows only.

    Each call returns the same diagnosis as `diagnose(history, config)`, faster.

    Args:
        history: what is being recorded.
        config: as for `diagnose`.
    """

    def __init__(self, history: History, config: RuleSettings | None = None) -> None:
        self._history, self._config, self._cache = history, config, SignalCache()

    def __call__(self) -> Diagnosis:
        """Returns the diagnosis of all rows so far."""
        return _diagnose(self._history, self._config, self._cache)


def _diagnose(history: History, config: RuleSettings | None, cache: SignalCache) -> Diagnosis:
    history = history[:]  # a prefix never grows, and the values memoized for it are freed with it
    settings = checked_rules(history.config.get("rules") if config is None else config)
    with signals_cached(history, cache):
        return _judged(history, settings)


class RuleAnswers(NamedTuple):
    """What all rules say of a History.

    Attributes:
        opened: verdicts that hold at the last row, consequences folded under their cause, ranked.
        resolved: verdicts that no longer hold, ranked.
        passed: names of the rules that do not hold.
        unknown: rules that could not decide.
    """

    opened: list[Verdict]
    resolved: list[Verdict]
    passed: list[str]
    unknown: list[Unknown]


def rule_answers(history: History, settings: Mapping[str, Any]) -> RuleAnswers:
    """Runs the rules, without regard to symptoms and suspects; `settings` is as `checked_rules` returns it."""
    error = training_error(history)
    verdicts: list[Verdict] = []
    passed: list[str] = []
    unknown: list[Unknown] = []
    for rule in catalogue().values():
        setting = settings.get(rule.name, {})
        if setting is False:
            continue
        of_rows = _run_rule(rule, history, setting if isinstance(setting, dict) else {})
        answer = with_exception(rule, history, error, of_rows)
        if isinstance(answer, Verdict):
            verdicts.append(answer)
        elif isinstance(answer, CannotTell):
            unknown.append(Unknown(rule=rule.name, code=rule.code, lacked=answer.what))
        else:
            passed.append(rule.name)
    opened = rank(fold([v for v in verdicts if not v.resolved]))
    return RuleAnswers(opened, rank([v for v in verdicts if v.resolved]), passed, unknown)


def _judged(history: History, settings: Mapping[str, Any]) -> Diagnosis:
    answers, present = rule_answers(history, settings), symptoms(history)
    experiments = recorded_experiments(history)
    opened, possible = arbitrate(history, present, answers.opened, tested_causes(experiments))
    status, sentence = overall_status(history, opened, present, possible, answers.unknown)
    status, sentence = with_recording_stop(history, status, sentence)
    diagnosis = Diagnosis(
        status=status,
        sentence=sentence,
        verdicts=tuple(opened),
        symptoms=present,
        suspects=possible,
        resolved=tuple(answers.resolved),
        passed=tuple(answers.passed),
        unknown=tuple(answers.unknown),
        step=int(history.steps[-1]) if len(history) else 0,
        rows=len(history),
        complete=history.complete,
        rules=rule_set_version(),
        experiments=experiments,
    )
    return with_recommended_rate(diagnosis)


def _run_rule(rule: Rule, history: History, thresholds: Mapping[str, Any]) -> Verdict | CannotTell | None:
    if not len(history):
        stopped = recording_stop(history) is not None
        return CannotTell(
            "recording stopped before a step was recorded" if stopped else "no step has been recorded yet"
        )
    missing = [name for name in rule.needs if not is_recorded(history, name)]
    if missing:
        return not_recorded(history, missing[0])
    with np.errstate(all="ignore"):
        finding = rule.check(history, **thresholds)
        return _verdict(rule, history, finding) if isinstance(finding, Finding) else finding


def _verdict(rule: Rule, history: History, finding: Finding[Any]) -> Verdict | None:
    """Returns the verdict at the last row at which the rule holds; None if it holds at no row."""
    firing = np.asarray(finding.firing, bool)
    rows = np.flatnonzero(firing.any(axis=1) if firing.ndim == 2 else firing)
    if not len(rows):
        return None
    row = int(rows[-1])
    positions = np.flatnonzero(firing[row]) if firing.ndim == 2 else np.zeros(0, np.intp)
    details = finding.measure(row, positions)
    text = finding.text(details)
    names, numbers = tuple(v.name for v in history.variables), finding.evidence(details)
    return Verdict(
        code=rule.code,
        name=rule.name,
        link=rule.link,
        severity=text.severity,
        certainty=text.certainty,
        variables=tuple(names[i] for i in positions) if text.variables is None else text.variables,
        first_step=int(history.steps[rows[0]]),
        last_step=int(history.steps[row]),
        resolved=row != len(history) - 1,
        message=text.message,
        evidence=numbers,
        fix=framework_fix(history, rule.name, text.fix),
        claims=_claims(finding, details, numbers),
    )


def _claims(finding: Finding[Any], details: Any, numbers: tuple[Evidence, ...]) -> tuple[Claim, ...]:
    """Returns what the rule claims, what fields of its details claim, and what evidence of a recorded step does."""
    of_fields = [claim for field in details if isinstance(field, Statement) for claim in field.claims]
    of_steps = [Claim("sum", e.quantity, e.value, e.step, e.step) for e in numbers if e.step and e.quantity]
    return tuple(dict.fromkeys([*finding.claims(details), *of_fields, *of_steps]))


def fold(verdicts: list[Verdict]) -> list[Verdict]:
    """Folds each verdict under its cause: the first rule, by code, that explains it and makes a run sick."""
    causes: dict[str, str] = {}
    for effect in verdicts:
        for cause in verdicts:
            if cause.severity != "info" and effect.name in catalogue()[cause.name].explains:
                causes[effect.name] = cause.name
                break

    def with_effects(verdict: Verdict) -> Verdict:
        effects = tuple(with_effects(v) for v in verdicts if causes.get(v.name) == verdict.name)
        return replace(verdict, explains=effects)

    return [with_effects(v) for v in verdicts if v.name not in causes]


def rank(verdicts: list[Verdict]) -> list[Verdict]:
    """Sorts by severity, certainty ("certain" first), link from data to weight, number of variables, and code."""

    def key(v: Verdict) -> tuple[int, ...]:
        return (-SEVERITIES.index(v.severity), v.certainty != "certain", LINKS.index(v.link), -len(v.variables), v.code)

    return sorted(verdicts, key=key)
