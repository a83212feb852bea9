"""The chain: its seven links, each with its state, one number and one line of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..diagnosis import catalogue
from ..history import History
from ..verdict import (
    LINKS,
    Diagnosis,
    Suspect,
    Symptom,
    Unknown,
    Verdict,
    answering_symptom,
    answering_verdict,
    suspect_title,
)
from .launch_state import evidence_number, evidence_text, with_consequences
from .link_numbers import LINK_TABLE, Link, last_number

_NONFINITE = ("NaN", "Inf", "-Inf")


class _Findings(NamedTuple):
    """What a diagnosis holds about one link.

    Attributes:
        number: the link's number at the last recorded step, "" if it was not recorded.
        broken: verdicts on this link that are more than a note.
        notes: verdicts of severity "info" on this link.
        consequences: (cause, consequence) where the consequence is on this link.
        suspects: suspects on this link that no experiment has refuted, the most probable first.
        symptoms: symptoms on this link that are more than a note and that no verdict explains.
        downstream: why the link cannot work although no rule fires on it; "" if it can.
        passed: how many of the link's checks passed.
        undecided: the link's checks that could not tell.
    """

    number: str
    broken: list[Verdict]
    notes: list[Verdict]
    consequences: list[tuple[Verdict, Verdict]]
    suspects: list[Suspect]
    symptoms: list[Symptom]
    downstream: str
    passed: int
    undecided: list[Unknown]


class _State(NamedTuple):
    name: str
    applies: Callable[[_Findings], object]
    text: Callable[[_Findings], str]


def _messages(verdicts: list[Verdict]) -> str:
    more = f" (and {len(verdicts) - 1} more)" if len(verdicts) > 1 else ""
    return verdicts[0].message.rstrip(".") + more


def _first_consequence(findings: _Findings) -> str:
    cause, consequence = findings.consequences[0]
    return f"follows from {cause.name}: {consequence.message.rstrip('.')}"


def _suspicion(findings: _Findings) -> str:
    """Returns the suspects on a link, with the symptoms there: the link may be where the problem comes from."""
    suspected = f"suspected: {', '.join(map(suspect_title, findings.suspects))}"
    return "; ".join([*(s.message.rstrip(".") for s in findings.symptoms), suspected])


def _checks(findings: _Findings) -> str:
    passed = findings.passed
    text = f"{passed} check{'' if passed == 1 else 's'} passed" if passed else "no problem found"
    return f"{text}, {len(findings.undecided)} could not tell" if findings.undecided else text


_STATES = (  # the first that applies
    _State("broken", lambda f: f.broken, lambda f: _messages(f.broken)),
    _State("consequence", lambda f: f.consequences, _first_consequence),
    _State("suspected", lambda f: f.suspects, _suspicion),
    _State("affected", lambda f: f.symptoms, lambda f: "; ".join(s.message.rstrip(".") for s in f.symptoms)),
    _State("consequence", lambda f: f.downstream, lambda f: f.downstream),
    _State("note", lambda f: f.notes, lambda f: _messages(f.notes)),
    _State("unknown", lambda f: not f.passed and f.undecided, lambda f: f.undecided[0].lacked),
    _State("unknown", lambda f: not f.passed and not f.number, lambda f: "not recorded"),
    _State("ok", lambda f: True, _checks),
)


def chain(history: History, diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """Returns the links in order; the first broken one is the link of the verdict that is the answer.

    No link is it where the answer is a symptom: a symptom shows where a problem is seen, not where it comes from.
    """
    answer = answering_verdict(diagnosis)
    first = answer.link if answer else ""
    return [_link(name, history, diagnosis, name == first) for name in LINKS]


def _link(name: str, history: History, diagnosis: Diagnosis, first: bool) -> dict[str, Any]:
    link, findings = LINK_TABLE[name], _findings(name, history, diagnosis)
    state = next(state for state in _STATES if state.applies(findings))
    number, meaning = _number_shown(findings, link)
    verdicts = [*findings.broken, *findings.notes, *(consequence for _, consequence in findings.consequences)]
    suspects = [suspect.code for suspect in findings.suspects]
    return {
        "link": name,
        "title": link.title,
        "symbol": link.symbol,
        "state": state.name,
        "number": number,
        "meaning": meaning,
        "text": state.text(findings),
        "codes": [*suspects, *sorted({v.code for v in verdicts})],
        "first": first,
    }


def _findings(name: str, history: History, diagnosis: Diagnosis) -> _Findings:
    number = last_number(history, LINK_TABLE[name])
    verdicts = [v for v in diagnosis.verdicts if v.link == name]
    rules = {rule.name for rule in catalogue().values() if rule.link == name}
    return _Findings(
        number=number,
        broken=[v for v in verdicts if v.severity != "info"],
        notes=[v for v in verdicts if v.severity == "info"],
        consequences=[
            (cause, v) for cause in diagnosis.verdicts for v in with_consequences(cause)[1:] if v.link == name
        ],
        suspects=[s for s in diagnosis.suspects if s.link == name and s.outcome != "refuted"],
        symptoms=[s for s in _unexplained(diagnosis) if s.link == name],
        downstream=_downstream_reason(name, number, diagnosis),
        passed=sum(rule in rules for rule in diagnosis.passed),
        undecided=[u for u in diagnosis.unknown if u.rule in rules],
    )


def _unexplained(diagnosis: Diagnosis) -> list[Symptom]:
    """Returns the symptoms that are more than a note, and that are not consequences of a cause earlier in the chain."""
    cause = answering_verdict(diagnosis)
    explained = LINKS[LINKS.index(cause.link) + 1 :] if cause and not diagnosis.suspects else ()
    return [s for s in diagnosis.symptoms if s.severity != "info" and s.link not in explained]


def _downstream_reason(name: str, number: str, diagnosis: Diagnosis) -> str:
    """Returns why a link on which no rule fires does not work because of a cause before it; or "".

    Its number is 0 or not finite, the cause was proven by a quantity of this link (an update that is far too small), or
    the link has a symptom. Where the cause is not known, only a number of 0 is a reason.
    """
    cause, symptom = answering_verdict(diagnosis), answering_symptom(diagnosis)
    zero = "exactly 0 at the last recorded step" if number == "0" and name in ("gradient", "update") else ""
    if cause is None:
        return zero if symptom else ""
    if zero:
        return f"{zero}: {cause.name}"
    if LINKS.index(name) <= LINKS.index(cause.link):
        return ""
    if number in _NONFINITE:
        return f"{number} at the last recorded step: {cause.name}"
    proof = [e for e in cause.evidence if e.quantity.startswith(LINK_TABLE[name].quantities)]
    symptoms = [s.message.rstrip(".") for s in diagnosis.symptoms if s.severity != "info" and s.link == name]
    reasons = [*map(evidence_text, proof), *symptoms]
    return f"follows from {cause.name}: {reasons[0]}" if reasons else ""


# -- the number


def _number_shown(findings: _Findings, link: Link) -> tuple[str, str]:
    """Returns a link's number and its meaning; of a broken link, the number that proves it broken.

    NaN and infinities prove it by themselves, so they stay.
    """
    evidence = findings.broken[0].evidence if findings.broken else ()
    if evidence and findings.number not in _NONFINITE:
        return evidence_number(evidence[0]), evidence[0].name
    return findings.number, link.meaning
