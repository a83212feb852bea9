"""The states of a link: what was said and recorded of it decides which one it is in, in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..verdict import Suspect, Symptom, Unknown, Verdict, suspect_title
from .link_numbers import LinkNumber


class Effect(NamedTuple):
    """What shows on a link that something else has broken it.

    Attributes:
        reason: why the link is affected, in words.
        number: the number that shows it; "" if there is none.
        meaning: what that number is.
    """

    reason: str
    number: str = ""
    meaning: str = ""


class Findings(NamedTuple):
    """What a diagnosis and the recorded numbers say of one link.

    Attributes:
        number: the link's own number.
        broken: verdicts on this link that are more than a note.
        notes: verdicts of severity "info" on this link.
        confirmed: suspects on this link that an experiment has confirmed.
        suspects: the other suspects on this link that no experiment has refuted, the most probable first.
        symptoms: symptoms on this link that are more than a note.
        effects: what shows on this link of a cause elsewhere.
        broken_before: the finding that breaks the chain at an earlier link; "" if there is none.
        doubt: why it is not known whether the link works, although its checks passed; "" if it is known.
        passed: codes of the link's checks that passed.
        undecided: the link's checks that could not tell.
        before_break: whether the chain breaks first at a later link.
        first: whether the chain breaks here first.
    """

    number: LinkNumber
    broken: list[Verdict]
    notes: list[Verdict]
    confirmed: list[Suspect]
    suspects: list[Suspect]
    symptoms: list[Symptom]
    effects: list[Effect]
    broken_before: str
    doubt: str
    passed: list[int]
    undecided: list[Unknown]
    before_break: bool
    first: bool


class State(NamedTuple):
    """One state of a link.

    Attributes:
        name: its name, on which its look depends.
        applies: whether a link is in it.
        words: the state in a word or two.
        text: why the link is in it.
    """

    name: str
    applies: Callable[[Findings], object]
    words: Callable[[Findings], str]
    text: Callable[[Findings], str]


def state_of(findings: Findings) -> State:
    """Returns the state of a link."""
    return next(state for state in _STATES if state.applies(findings))


def _broken(findings: Findings) -> str:
    decided = findings.confirmed or any(verdict.outcome == "confirmed" for verdict in findings.broken)
    words = "breaks here" if findings.first else "broken"
    return f"{words}, confirmed" if decided else words


def _affected(findings: Findings) -> str:
    """Returns the words for an effect: one that is seen before the broken link comes back to it through the weights."""
    return "shows it too" if findings.before_break else "affected"


def _messages(verdicts: list[Verdict]) -> str:
    more = f" (and {len(verdicts) - 1} more)" if len(verdicts) > 1 else ""
    return verdicts[0].message.rstrip(".") + more


def _causes(findings: Findings) -> str:
    if findings.broken:
        return _messages(findings.broken)
    first = findings.confirmed[0]
    shown = f": {first.experiment.rstrip('.')}" if first.experiment else ""
    return f"{first.message.rstrip('.')} (confirmed by an experiment{shown})"


def _suspicion(findings: Findings) -> str:
    """Returns the suspects on a link, with the symptoms there: the link may be where the problem comes from."""
    suspected = f"suspected: {', '.join(map(suspect_title, findings.suspects))}"
    return "; ".join([*(s.message.rstrip(".") for s in findings.symptoms), suspected])


def _checks(findings: Findings) -> str:
    count = len(findings.passed)
    text = f"{count} check{'' if count == 1 else 's'} passed"
    return f"{text}, {len(findings.undecided)} could not tell" if findings.undecided else text


def _checks_in_vain(findings: Findings) -> str:
    if findings.broken_before:
        return f"{_checks(findings)}, but the chain is broken before this link: {findings.broken_before}"
    return f"{_checks(findings)}, but {findings.doubt}"


def _lacked(findings: Findings) -> str:
    return findings.undecided[0].lacked if findings.undecided else "not recorded"


_STATES = (  # the first that applies
    State("broken", lambda f: f.broken or f.confirmed, _broken, _causes),
    State("suspected", lambda f: f.suspects, lambda f: "suspected", _suspicion),
    State("affected", lambda f: f.effects, _affected, lambda f: f.effects[0].reason),
    State("note", lambda f: f.notes, lambda f: "note", lambda f: _messages(f.notes)),
    State("unknown", lambda f: not f.number.text, lambda f: "not recorded", _lacked),
    State("unknown", lambda f: not f.passed, lambda f: "cannot tell", _lacked),
    State("passed", lambda f: f.broken_before or f.doubt, lambda f: "checks passed", _checks_in_vain),
    State("ok", lambda f: True, lambda f: "works", _checks),
)
