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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..verdict import LINKS, Certainty, Evidence, Severity

HEADINGS = (
    "What it sees", "Why it matters", "When it is a false alarm", "What to try", "Sick example", "Healthy example",
    "References",
)  # fmt: skip


@dataclass(frozen=True)
class Telling:
    """What a rule says of one row.

    Attributes:
        message: one sentence with the numbers, no full stop needed.
        fix: what to change, with the value to use; lines of code are indented by four spaces.
        evidence: the numbers it rests on.
        severity: "info" never makes a run sick.
        certainty: "certain" for an exact arithmetic fact, else "likely".
        variables: names, where they are not those that fire.
    """

    message: str
    fix: str
    evidence: tuple[Evidence, ...] = ()
    severity: Severity = "error"
    certainty: Certainty = "likely"
    variables: tuple[str, ...] | None = None


class Finding(NamedTuple):
    """Where a rule holds: `[T]` or `[T, V]` bool; `tell(row, variables)` words it for a row at which it holds."""

    firing: NDArray[np.bool_]
    tell: Callable[[int, NDArray[np.intp]], Telling]


class Fault(NamedTuple):
    """One of several things that a rule looks for: where it holds `[T]`, and how it is worded."""

    firing: NDArray[np.bool_]
    message: str
    fix: str
    evidence: tuple[Evidence, ...] = ()
    severity: Severity = "error"
    certainty: Certainty = "certain"

    def finding(self) -> Finding | None:
        """Returns the finding of a rule that found nothing else; None if it holds nowhere. It concerns no variable."""
        if not self.firing.any():
            return None
        told = Telling(self.message, self.fix, self.evidence, self.severity, self.certainty, variables=())
        return Finding(self.firing, lambda row, concerned: told)


def earliest(*faults: Fault | None) -> Finding | None:
    """Returns the finding of the fault that held first (of several, the first given); None if none ever did.

    Which one it is must not change as rows are added.
    """
    held = [fault for fault in faults if fault is not None and fault.firing.any()]
    return min(held, key=lambda fault: int(np.argmax(fault.firing))).finding() if held else None


class Lacks(NamedTuple):
    """The rule could not tell: what was not recorded, and how to record it."""

    what: str


Check = Callable[..., "Finding | Lacks | None"]


@dataclass(frozen=True)
class Rule:
    """One entry of the catalogue; `check(history, **thresholds)` returns a Finding, Lacks, or None (passed)."""

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
    package = __package__ or ""
    found: list[Rule] = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if not module.name.startswith("_"):
            content = vars(importlib.import_module(f"{package}.{module.name}"))
            found += [item for item in content.values() if isinstance(item, Rule)]
    return {r.name: r for r in sorted(found, key=lambda r: r.code)}


def settings(config: Mapping[str, Any] | None) -> dict[str, dict[str, Any] | bool]:
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
