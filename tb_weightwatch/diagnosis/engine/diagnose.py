"""From facts to one answer: runs the rules, folds consequences under their cause, ranks what remains."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from ...history import History
from ...verdict import LINKS, SEVERITIES, Diagnosis, Unknown, Verdict
from ..rule import CannotTell, Finding, Rule, catalogue, checked_rules
from ..signals import SignalCache, is_recorded, signals_cached
from ..wording import not_recorded
from .summary_sentence import overall_status


@cache
def rule_set_version() -> str:
    """Returns the rule set's version: a digest of codes, names and thresholds."""
    text = repr([(r.code, r.name, r.explains, r.thresholds) for r in catalogue().values()])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def diagnose(history: History, config: Mapping[str, Any] | None = None) -> Diagnosis:
    """Judges a History; pure, and the only way to a verdict.

    Args:
        history: what was recorded.
        config: rule name -> thresholds by name, or False to mute the rule; without it the recorded configuration.

    Raises:
        ValueError: `config` names a rule or threshold that does not exist.
    """
    return _diagnose(history, config, SignalCache())


class IncrementalDiagnosis:
    """Judges one History as it grows, again and again, and computes nothing twice of rows already judged.

    Each call gives the very diagnosis that `diagnose(history, config)` gives, sooner.

    Args:
        history: what is being recorded.
        config: as for `diagnose`.
    """

    def __init__(self, history: History, config: Mapping[str, Any] | None = None) -> None:
        self._history, self._config, self._store = history, config, SignalCache()

    def __call__(self) -> Diagnosis:
        """Returns the diagnosis of all rows so far."""
        return _diagnose(self._history, self._config, self._store)


def _diagnose(history: History, config: Mapping[str, Any] | None, store: SignalCache) -> Diagnosis:
    history = history[:]  # a prefix never grows, so what rules derive and share goes away with it
    chosen = checked_rules(history.config.get("rules") if config is None else config)
    with signals_cached(history, store):
        return _judged(history, chosen)


def _judged(history: History, chosen: Mapping[str, Any]) -> Diagnosis:
    verdicts: list[Verdict] = []
    passed: list[str] = []
    unknown: list[Unknown] = []
    for one in catalogue().values():
        setting = chosen.get(one.name, {})
        if setting is False:
            continue
        found = _run(one, history, setting if isinstance(setting, dict) else {})
        if isinstance(found, Verdict):
            verdicts.append(found)
        elif isinstance(found, CannotTell):
            unknown.append(Unknown(one.name, one.code, found.what))
        else:
            passed.append(one.name)
    opened = rank(fold([v for v in verdicts if not v.resolved]), history)
    resolved = rank([v for v in verdicts if v.resolved], history)
    status, sentence = overall_status(history, opened, unknown)
    return Diagnosis(
        status=status,
        sentence=sentence,
        verdicts=tuple(opened),
        resolved=tuple(resolved),
        passed=tuple(passed),
        unknown=tuple(unknown),
        step=int(history.steps[-1]) if len(history) else 0,
        rows=len(history),
        complete=history.complete,
        rules=rule_set_version(),
    )


def _run(one: Rule, history: History, thresholds: Mapping[str, Any]) -> Verdict | CannotTell | None:
    if not len(history):
        return CannotTell("no step has been recorded yet")
    lacking = [name for name in one.needs if not is_recorded(history, name)]
    if lacking:
        return not_recorded(history, lacking[0])
    with np.errstate(all="ignore"):
        found = one.check(history, **thresholds)
    return _verdict(one, history, found) if isinstance(found, Finding) else found


def _verdict(one: Rule, history: History, found: Finding[Any]) -> Verdict | None:
    firing = np.asarray(found.firing, bool)
    rows = np.flatnonzero(firing.any(axis=1) if firing.ndim == 2 else firing)
    if not len(rows):
        return None
    row = int(rows[-1])
    concerned = np.flatnonzero(firing[row]) if firing.ndim == 2 else np.zeros(0, np.intp)
    with np.errstate(all="ignore"):
        details = found.measure(row, concerned)
        told, shown = found.text(details), found.evidence(details)
    names = tuple(v.name for v in history.variables)
    return Verdict(
        code=one.code,
        name=one.name,
        link=one.link,
        severity=told.severity,
        certainty=told.certainty,
        variables=tuple(names[i] for i in concerned) if told.variables is None else told.variables,
        first_step=int(history.steps[rows[0]]),
        last_step=int(history.steps[row]),
        resolved=row != len(history) - 1,
        message=told.message,
        evidence=shown,
        fix=told.fix,
    )


def fold(verdicts: list[Verdict]) -> list[Verdict]:
    """Folds each finding under its cause: the first rule, by code, that declares to explain it and makes a run sick."""
    causes: dict[str, str] = {}
    for effect in verdicts:
        for cause in verdicts:
            if cause.severity != "info" and effect.name in catalogue()[cause.name].explains:
                causes[effect.name] = cause.name
                break

    def whole(verdict: Verdict) -> Verdict:
        effects = tuple(whole(v) for v in verdicts if causes.get(v.name) == verdict.name)
        return replace(verdict, explains=effects)

    return [whole(v) for v in verdicts if v.name not in causes]


def rank(verdicts: list[Verdict], history: History) -> list[Verdict]:
    """Ranks: worse before milder, certain before likely, earlier link, larger share of variables, lower code."""
    total = max(1, len(history.variables))

    def key(v: Verdict) -> tuple[float, ...]:
        share = len(v.variables) / total
        return (-SEVERITIES.index(v.severity), v.certainty != "certain", LINKS.index(v.link), -share, v.code)

    return sorted(verdicts, key=key)
