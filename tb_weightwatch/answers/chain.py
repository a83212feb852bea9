"""The chain: its seven links, each with its state, one number and one line of text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..diagnosis import catalogue
from ..history import History
from ..verdict import LINKS, Diagnosis, Evidence, Suspect, Verdict, known_cause
from .launch_state import evidence_number
from .link_effects import effects_on
from .link_numbers import LINK_TABLE, Link, LinkNumber, link_number, trainable
from .link_states import Findings, state_of
from .motionless import Motionless, motionless

_DOUBTS = {
    "sick": "the cause of the problem is not known, and it may be here",
    "undecided": "too little is known to say that the link works",
}


def chain(history: History, diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """Returns the links in order; the first broken one is the link of the cause: the verdict that is the answer, or the
    suspect that an experiment has confirmed.

    No link is it where the answer is a symptom: a symptom shows where a problem is seen, not where it comes from.
    """
    cause, still, counted = known_cause(diagnosis), motionless(history, diagnosis), trainable(history)
    numbers = {name: _own_number(name, history, counted, diagnosis) for name in LINKS}
    return [_link(name, numbers[name], diagnosis, cause, still) for name in LINKS]


def _own_number(name: str, history: History, counted: NDArray[np.bool_], diagnosis: Diagnosis) -> LinkNumber:
    """Returns the number of a link; that of a healthy run is finite, although the loss scale may skip a step."""
    number = link_number(history, LINK_TABLE[name], counted)
    if diagnosis.status == "healthy" and number.nonfinite:
        return link_number(history, LINK_TABLE[name], counted, finite=True)._replace(nonfinite=0)
    return number


def _link(
    name: str, own: LinkNumber, diagnosis: Diagnosis, cause: Verdict | Suspect | None, still: Motionless
) -> dict[str, Any]:
    link = LINK_TABLE[name]
    findings = _findings(name, own, diagnosis, cause, still)
    state = state_of(findings)
    number, meaning = _number_shown(state.name, findings, link)
    suspects = [suspect.code for suspect in (*findings.confirmed, *findings.suspects)]
    verdicts = {v.code for v in (*findings.broken, *findings.notes, *_consequences_on(name, diagnosis))}
    return {
        "link": name,
        "title": link.title,
        "state": state.name,
        "state_text": state.words(findings),
        "number": number,
        "meaning": meaning,
        "text": state.text(findings),
        "codes": [*suspects, *sorted(verdicts)],
        "passed": findings.passed,
        "unknown": [rule.code for rule in findings.undecided],
        "first": findings.first,
    }


def _findings(
    name: str, own: LinkNumber, diagnosis: Diagnosis, cause: Verdict | Suspect | None, still: Motionless
) -> Findings:
    verdicts = [v for v in diagnosis.verdicts if v.link == name]
    suspects = [s for s in diagnosis.suspects if s.link == name and s.outcome != "refuted"]
    passed = [rule.code for rule in map(catalogue().get, diagnosis.passed) if rule and rule.link == name]
    rules = {rule.name for rule in catalogue().values() if rule.link == name}
    return Findings(
        number=own,
        broken=[v for v in verdicts if v.severity != "info"],
        notes=[v for v in verdicts if v.severity == "info"],
        confirmed=[s for s in suspects if s.outcome == "confirmed"],
        suspects=[s for s in suspects if s.outcome != "confirmed"],
        symptoms=[s for s in diagnosis.symptoms if s.link == name and s.severity != "info"],
        effects=effects_on(name, own, diagnosis, cause, still),
        broken_before=_broken_before(name, diagnosis),
        doubt="" if cause is not None else _DOUBTS.get(diagnosis.status, ""),
        passed=passed,
        undecided=[u for u in diagnosis.unknown if u.rule in rules],
        before_break=cause is not None and LINKS.index(name) < LINKS.index(cause.link),
        first=cause is not None and cause.link == name,
    )


def _consequences_on(name: str, diagnosis: Diagnosis) -> list[Verdict]:
    def flat(verdicts: tuple[Verdict, ...]) -> list[Verdict]:
        return [v for verdict in verdicts for v in (verdict, *flat(verdict.explains))]

    return [v for cause in diagnosis.verdicts for v in flat(cause.explains) if v.link == name]


def _broken_before(name: str, diagnosis: Diagnosis) -> str:
    """Returns the finding that breaks the chain at the first broken link before this one; "" if none is broken."""
    verdicts = [(v.link, v.name) for v in diagnosis.verdicts if v.severity != "info"]
    suspects = [(s.link, s.name) for s in diagnosis.suspects if s.outcome == "confirmed"]
    earlier = LINKS[: LINKS.index(name)]
    return next((cause for link in earlier for at, cause in (*verdicts, *suspects) if at == link), "")


# -- the number


def _number_shown(state: str, findings: Findings, link: Link) -> tuple[str, str]:
    """Returns the number of a link and its meaning: the one that its state rests on, or ("", "") if there is none."""
    own = findings.number
    if state in ("ok", "passed", "unknown"):
        return own.text, own.meaning
    if state == "affected":
        return findings.effects[0].number, findings.effects[0].meaning
    if findings.broken and own.nonfinite and own.text in ("NaN", "Inf", "-Inf"):
        return own.text, own.meaning  # NaN and infinities prove a link broken by themselves
    if state in ("broken", "note") and (findings.broken or findings.notes):
        verdict = (findings.broken or findings.notes)[0]
        evidence = _proof(verdict)
        return (evidence_number(evidence), evidence.name) if evidence else _judged(own, link, verdict.name)
    if state == "suspected":
        return own.text, own.meaning
    return _judged(own, link, findings.confirmed[0].name)


def _judged(own: LinkNumber, link: Link, finding: str) -> tuple[str, str]:
    """Returns the link's own number where the finding judges this number; else none."""
    return (own.text, own.meaning) if finding in link.judged_by else ("", "")


def _proof(verdict: Verdict) -> Evidence | None:
    """Returns the evidence that a verdict rests on; that of its variables where it counts them."""
    counts = (e for e in verdict.evidence if verdict.variables and e.value == len(verdict.variables))
    return next(counts, None) or next(iter(verdict.evidence), None)
