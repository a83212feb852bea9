"""What a rule is, and the catalogue of rules found in this folder: one rule, one file.

A rule is a pure, causal function of a History: what it says of row t depends on rows up to t alone. So it returns, for
every row, whether it holds; the engine derives first step, last step and "resolved" from that.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..verdict import LINKS, Certainty, Evidence, Severity

D = TypeVar("D")  # the details of one rule
HEADINGS = (
    "What it sees", "Why it matters", "When it is a false alarm", "What to try", "Sick example", "Healthy example",
    "References",
)  # fmt: skip


@dataclass(frozen=True)
class VerdictText:
    """The words of a verdict.

    Attributes:
        message: one sentence with the numbers, without a full stop.
        fix: what to change, with the value to use; lines of code are indented by four spaces.
        severity: "info" never makes a run sick.
        certainty: "certain" for an exact arithmetic fact, else "likely".
        variables: names of the variables concerned; None: those for which the rule fires.
    """

    message: str
    fix: str
    severity: Severity = "error"
    certainty: Certainty = "likely"
    variables: tuple[str, ...] | None = None
    evidence: tuple[Evidence, ...] = ()


def _own_evidence(details: Any) -> tuple[Evidence, ...]:
    return tuple(details.evidence)


def _own_text(details: Any) -> VerdictText:
    assert isinstance(details, VerdictText)
    return details


@dataclass(frozen=True)
class Finding(Generic[D]):
    """Where a rule holds, and three functions that the engine calls for one row at which it holds.

    Attributes:
        firing: `[T]` or `[T, V]` bool, whether the rule holds, for the run or for each variable.
        measure: `measure(row, variables)` returns the details, which are the numbers and names of that row;
            `variables` are the positions of the variables for which it fires (empty where `firing` is `[T]`).
        text: `text(details)` words the verdict. It needs nothing else, so that it can be tested alone.
        evidence: `evidence(details)` returns the numbers that the verdict rests on.
    """

    firing: NDArray[np.bool_]
    measure: Callable[[int, NDArray[np.intp]], D]
    text: Callable[[D], VerdictText] = _own_text
    evidence: Callable[[D], tuple[Evidence, ...]] = _own_evidence


class SimpleFinding(NamedTuple):
    """A finding about the run as a whole whose words do not depend on the row; `firing` is `[T]`."""

    firing: NDArray[np.bool_]
    message: str
    fix: str
    evidence: tuple[Evidence, ...] = ()
    severity: Severity = "error"
    certainty: Certainty = "certain"

    def finding(self) -> Finding[SimpleFinding] | None:
        """Returns the Finding, which concerns no variable; None if the rule holds at no row."""
        if not self.firing.any():
            return None
        return Finding(self.firing, lambda row, variables: self, SimpleFinding.text)

    def text(self) -> VerdictText:
        """Returns the words of the verdict."""
        return VerdictText(self.message, self.fix, self.severity, self.certainty, variables=())


def earliest(*findings: SimpleFinding | None) -> Finding[SimpleFinding] | None:
    """Returns the one that held first (of several, the first given); None if none ever did.

    Which one it is does not change as rows are added.
    """
    held = [finding for finding in findings if finding is not None and finding.firing.any()]
    return min(held, key=lambda finding: int(np.argmax(finding.firing))).finding() if held else None


class CannotTell(NamedTuple):
    """The rule could not tell: what was not recorded, and how to record it."""

    what: str


Check = Callable[..., "Finding[Any] | CannotTell | None"]


@dataclass(frozen=True)
class Rule:
    """One entry of the catalogue; `check(history, **thresholds)` returns a Finding, CannotTell, or None (passed)."""

    code: int
    name: str
    link: str
    check: Check
    needs: tuple[str, ...]
    explains: tuple[str, ...]

    @property
    def doc(self) -> str:
        """The explanation, under the fixed headings."""
        return inspect.cleandoc(self.check.__doc__ or "")

    @property
    def summary(self) -> str:
        """The first line of the explanation."""
        return self.doc.partition("\n")[0]

    @property
    def thresholds(self) -> dict[str, Any]:
        """The knobs (keyword-only arguments of `check`) with their defaults."""
        parameters = inspect.signature(self.check).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def rule(
    *, code: int, name: str, link: str, needs: tuple[str, ...] = (), explains: tuple[str, ...] = ()
) -> Callable[[Check], Rule]:
    """Makes a function the check of a rule.

    Args:
        code: number for ever, in the hundred of its link.
        name: name of the disease, in kebab case.
        link: the link of the chain at which it breaks.
        needs: columns without which it can not tell.
        explains: names of the rules whose findings are consequences of this one.
    """
    if link not in LINKS:
        raise ValueError(f"rule {name!r}: link must be one of {LINKS}, got {link!r}")
    return lambda check: Rule(code, name, link, check, needs, explains)


@cache
def catalogue() -> Mapping[str, Rule]:
    """Returns all rules by name, in the order of their codes; an import error in a rule is an error here."""
    package = importlib.import_module(f"{__package__}.rules")
    rules: list[Rule] = []
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        content = vars(importlib.import_module(module.name))
        rules += [item for item in content.values() if isinstance(item, Rule)]
    return {r.name: r for r in sorted(rules, key=lambda r: r.code)}


def checked_rules(config: Mapping[str, Any] | None) -> dict[str, dict[str, Any] | bool]:
    """Checks a rule configuration and returns it: rule name -> thresholds by name, or False to mute the rule.

    Raises:
        ValueError: a rule or threshold is not known, or a value has the wrong type; names the nearest one.
    """
    checked: dict[str, dict[str, Any] | bool] = {}
    for name, value in (config or {}).items():
        known = catalogue().get(name)
        if known is None:
            raise ValueError(f"no rule is called {name!r}{_near(name, list(catalogue()))}")
        if isinstance(value, Mapping):
            for key, given in value.items():
                if key not in known.thresholds:
                    raise ValueError(f"rule {name!r} has no threshold {key!r}{_near(key, list(known.thresholds))}")
                if isinstance(given, bool) or not isinstance(given, (int, float)):
                    raise ValueError(f"threshold {key!r} of rule {name!r} must be a number, got {given!r}")
            checked[name] = dict(value)
        elif isinstance(value, bool):
            checked[name] = value
        else:
            raise ValueError(f"rule {name!r}: expected a dict of thresholds, or False to mute it, got {value!r}")
    return checked


def _near(name: str, names: list[str]) -> str:
    close = get_close_matches(name, names, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(names) or 'none'}"


__all__ = [
    "HEADINGS",
    "CannotTell",
    "Certainty",
    "Evidence",
    "Finding",
    "History",
    "Rule",
    "Severity",
    "SimpleFinding",
    "VerdictText",
    "catalogue",
    "checked_rules",
    "earliest",
    "rule",
]
