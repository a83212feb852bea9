"""The definition of a rule: its check, the finding that the check returns, and the text of a verdict.

A rule is a pure function of a History that returns, for every row, whether it holds. The result for row t depends on
the rows up to t only. The engine derives the first step, the last step and "resolved" from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ..verdict import LINKS, Certainty, Claim, Evidence, Severity

D = TypeVar("D")  # the details of one rule
HEADINGS = (
    "What it sees", "Why it matters", "When it is a false alarm", "What to try", "Sick example", "Healthy example",
    "References",
)  # fmt: skip


@dataclass(frozen=True)
class VerdictText:
    """The text of a verdict.

    Attributes:
        message: one sentence with the numbers, without a full stop.
        fix: what to change, with the value to use; lines of code are indented by four spaces.
        severity: "info" never makes a run sick.
        certainty: "certain" for an exact arithmetic fact, else "likely".
        variables: names of the variables concerned; None: those for which the rule holds.
    """

    message: str
    fix: str
    severity: Severity = "error"
    certainty: Certainty = "likely"
    variables: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Finding(Generic[D]):
    """Where a rule holds, and functions that the engine calls for the last row at which it holds.

    Attributes:
        firing: `[T]` or `[T, V]` bool, whether the rule holds, for the run or for each variable.
        measure: `measure(row, variables)` returns the details: the numbers and names of that row. `variables` are the
            positions of the variables for which the rule holds (empty if `firing` is `[T]`).
        text: `text(details)` returns the text of the verdict; it depends on the details only and can be tested alone.
        evidence: `evidence(details)` returns the numbers on which the verdict rests.
        claims: `claims(details)` returns what the text states, beyond what fields of the details claim themselves
            (each that is a `Statement`), and evidence of a step.
    """

    firing: NDArray[np.bool_]
    measure: Callable[[int, NDArray[np.intp]], D]
    text: Callable[[D], VerdictText]
    evidence: Callable[[D], tuple[Evidence, ...]]
    claims: Callable[[D], tuple[Claim, ...]] = lambda details: ()


class SimpleFinding(NamedTuple):
    """A finding about the run as a whole whose text does not depend on the row.

    Attributes:
        firing: `[T]` bool, whether the rule holds.
        message: as in `VerdictText`.
        fix: as in `VerdictText`.
        evidence: the numbers on which the verdict rests.
        severity: as in `VerdictText`.
        certainty: as in `VerdictText`.
        claims: what the message states.
    """

    firing: NDArray[np.bool_]
    message: str
    fix: str
    evidence: tuple[Evidence, ...] = ()
    severity: Severity = "error"
    certainty: Certainty = "certain"
    claims: tuple[Claim, ...] = ()

    def finding(self) -> Finding[SimpleFinding] | None:
        """Returns it as a Finding that concerns no variable; None if the rule holds at no row."""
        if not self.firing.any():
            return None
        return Finding(
            firing=self.firing,
            measure=lambda row, variables: self,
            text=SimpleFinding.text,
            evidence=lambda finding: finding.evidence,
            claims=lambda finding: finding.claims,
        )

    def text(self) -> VerdictText:
        """Returns the text of the verdict."""
        return VerdictText(self.message, self.fix, self.severity, self.certainty, variables=())


def earliest(*findings: SimpleFinding | None) -> Finding[SimpleFinding] | None:
    """Returns the finding that held first; the first argument if several did; None if none ever held.

    The choice does not change when rows are added.
    """
    firing = [finding for finding in findings if finding is not None and finding.firing.any()]
    return min(firing, key=lambda finding: int(np.argmax(finding.firing))).finding() if firing else None


class CannotTell(NamedTuple):
    """The answer of a rule that cannot decide; `what` is what was not recorded, and how to record it."""

    what: str


Check = Callable[..., "Finding[Any] | CannotTell | None"]


@dataclass(frozen=True)
class Rule:
    """An entry of the catalogue; see `rule` for the other attributes.

    Attributes:
        check: `check(history, **thresholds)` returns a Finding, a CannotTell, or None (passed).
    """

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
    def advice(self) -> str:
        """The section "What to try" of the explanation."""
        _, _, after_heading = self.doc.partition("\nWhat to try:\n")
        lines = takewhile(lambda line: line.startswith(" "), after_heading.split("\n"))
        return " ".join(line.strip() for line in lines)

    @property
    def thresholds(self) -> dict[str, Any]:
        """The thresholds (keyword-only arguments of `check`) with their defaults."""
        parameters = inspect.signature(self.check).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def rule(
    *, code: int, name: str, link: str, needs: tuple[str, ...] = (), explains: tuple[str, ...] = ()
) -> Callable[[Check], Rule]:
    """Makes a function the check of a rule.

    Args:
        code: number of the rule, 101 to 199 for data, ... 701 to 799 for weight; it never changes.
        name: name of the problem, in kebab case.
        link: the link of the chain that is broken.
        needs: columns without which the rule cannot decide.
        explains: names of the rules whose findings are consequences of this one.

    Raises:
        ValueError: there is no such link.
    """
    if link not in LINKS:
        raise ValueError(f"rule {name!r}: expected one of the links {LINKS}, got {link!r}")
    return lambda check: Rule(code, name, link, check, needs, explains)


__all__ = [
    "HEADINGS",
    "CannotTell",
    "Certainty",
    "Claim",
    "Evidence",
    "Finding",
    "History",
    "Rule",
    "Severity",
    "SimpleFinding",
    "VerdictText",
    "earliest",
    "rule",
]
