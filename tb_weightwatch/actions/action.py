"""What all actions share: how certain the cause must be, which causes count, and from which step on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Literal, get_args

from ..diagnosis import KNOWN_SYMPTOMS, catalogue, rule_name
from ..history import nearest
from .alert import Alert

When = Literal["certain", "likely", "symptom"]


class Action(ABC):
    """Does something once an alert is enough for it; an object of it is given as `on_verdict`.

    Args:
        when: "certain": a cause that is certain, or that an experiment has confirmed. "likely": also one that is only
            likely. "symptom": also what is certainly wrong without a known cause.
        causes: names or codes of rules, or names of symptoms, that count; None: all.
        after: the first step from which on the action may be taken.

    Raises:
        TypeError: `causes` is one string, or `after` is no whole number.
        ValueError: `when` is something else, `after` is negative, or there is no such cause.
    """

    def __init__(self, when: When = "certain", *, causes: Iterable[str | int] | None = None, after: int = 0) -> None:
        if when not in get_args(When):
            raise ValueError(
                f"when must be 'certain', 'likely' or 'symptom', got {when!r}; {nearest(when, get_args(When))}"
            )
        if isinstance(causes, (str, int)):
            raise TypeError(f"causes must be a list of names or codes, as [{causes!r}], got {causes!r}")
        if isinstance(after, bool) or not isinstance(after, int):
            raise TypeError(f"after must be a step, a whole number, got {after!r}")
        if after < 0:
            raise ValueError(f"after must not be negative, got {after}")
        self._when, self._after = when, after
        self._causes = None if causes is None else frozenset(map(_checked_cause, causes))

    def __call__(self, alert: Alert) -> None:
        """Is called for each new verdict or symptom."""
        if self._is_enough(alert):
            self._act(alert)

    @abstractmethod
    def _act(self, alert: Alert) -> None: ...

    def _is_enough(self, alert: Alert) -> bool:
        if alert.step < self._after or (self._causes is not None and alert.name not in self._causes):
            return False
        if alert.kind == "symptom":
            return self._when == "symptom"
        return self._when != "certain" or alert.certainty == "certain" or alert.confirmed

    def __repr__(self) -> str:
        causes = "" if self._causes is None else f", causes={sorted(self._causes)}"
        after = f", after={self._after}" if self._after else ""
        return f"{type(self).__name__}({self._when!r}{causes}{after})"


def _checked_cause(cause: str | int) -> str:
    """Returns the name of a rule, given by name or code, or of a symptom."""
    if cause in KNOWN_SYMPTOMS:
        return str(cause)
    try:
        return rule_name(cause)
    except ValueError:
        hint = nearest(cause, [*catalogue(), *KNOWN_SYMPTOMS])
        raise ValueError(
            f"causes must be names or codes of rules, or names of symptoms, got {cause!r}; {hint}"
        ) from None
