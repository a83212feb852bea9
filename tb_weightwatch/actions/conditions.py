"""When an action is taken: how certain the cause must be, which causes count, and from which step on."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal, get_args

from ..diagnosis import KNOWN_SYMPTOMS, catalogue
from .alert import Alert

When = Literal["certain", "likely", "symptom"]


class Condition:
    """Decides whether an alert is enough for an action.

    Args:
        when: "certain": a cause that is certain, or that an experiment has confirmed. "likely": also one that is only
            likely. "symptom": also what is certainly wrong without a known cause.
        causes: names or codes of rules, or names of symptoms, that count; None: all.
        after: the first step from which on it may hold.

    Raises:
        TypeError: `causes` is one string, or `after` is no whole number.
        ValueError: `when` is something else, `after` is negative, or there is no such cause.
    """

    def __init__(self, when: When, causes: Iterable[str | int] | None, after: int) -> None:
        if when not in get_args(When):
            near = get_close_matches(str(when), get_args(When), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"when must be 'certain', 'likely' or 'symptom', got {when!r}{hint}")
        if isinstance(causes, (str, int)):
            raise TypeError(f"causes must be a list of names or codes, as [{causes!r}], got {causes!r}")
        if isinstance(after, bool) or not isinstance(after, int):
            raise TypeError(f"after must be a step, a whole number, got {after!r}")
        if after < 0:
            raise ValueError(f"after must not be negative, got {after}")
        self.when, self.after = when, after
        self.causes = None if causes is None else frozenset(map(_checked_cause, causes))

    def holds(self, alert: Alert) -> bool:
        """Checks whether an alert is enough."""
        if alert.step < self.after:
            return False
        if self.causes is not None and alert.name not in self.causes:
            return False
        if alert.kind == "symptom":
            return self.when == "symptom"
        return self.when != "certain" or alert.certainty == "certain" or alert.confirmed

    def __repr__(self) -> str:
        causes = "" if self.causes is None else f", causes={sorted(self.causes)}"
        return f"when={self.when!r}{causes}{f', after={self.after}' if self.after else ''}"


def _checked_cause(cause: str | int) -> str:
    """Returns the name of a rule, given by name or code, or of a symptom."""
    names = {str(rule.code): name for name, rule in catalogue().items()}
    known = {*names.values(), *KNOWN_SYMPTOMS}
    name = names.get(str(cause), str(cause))
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else "`weightwatch rules` lists the rules"
        raise ValueError(f"causes must be names or codes of rules, or names of symptoms, got {cause!r}; {hint}")
    return name
