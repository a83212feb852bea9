"""The types of an answer: Verdict, Evidence, Unknown, Diagnosis."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal

LINKS = ("data", "activations", "loss", "gradient", "optimizer", "update", "weight")
Severity = Literal["info", "warning", "error"]
Certainty = Literal["certain", "likely"]
Status = Literal["healthy", "sick", "undecided"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


def number(value: float, digits: int = 3) -> str:
    """Returns a number as a person reads it: 1.2e-5, 0.31, 12,300, NaN."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Inf" if value > 0 else "-Inf")
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    if not 1e-3 <= abs(rounded) < 1e6:
        mantissa, exponent = f"{rounded:.{digits - 1}e}".split("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return _trimmed(f"{rounded:,.{places}f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Evidence:
    """One number that carries a verdict.

    Attributes:
        name: what it is, in the field's terms.
        value: the number (NaN and infinities as they came).
        unit: its unit; "" for a pure number.
        text: its context ("mean over the steps; 1e-3 is usual"); `str()` is the whole, ready to show.
        step: the training step at which it was seen; None if it belongs to no step.
        quantity: the recorded column that shows it, or "".
    """

    name: str
    value: float
    text: str
    unit: str = ""
    step: int | None = None
    quantity: str = ""

    def __eq__(self, other: object) -> bool:
        """Compares all fields; NaN equals NaN, so that a verdict read back equals the one written."""
        return isinstance(other, Evidence) and _key(self) == _key(other)

    def __hash__(self) -> int:
        return hash(_key(self))

    def __str__(self) -> str:
        shown = f"{self.name} {number(self.value)}{' ' if self.unit else ''}{self.unit}"
        when = f" at step {self.step:,}" if self.step is not None else ""
        return f"{shown}{when}" + (f" ({self.text})" if self.text else "")

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields; non-finite numbers as "NaN", "Infinity", "-Infinity"."""
        return {f.name: jsonable(getattr(self, f.name)) for f in fields(self)}


def _key(evidence: Evidence) -> tuple[Any, ...]:
    return tuple(jsonable(getattr(evidence, f.name)) for f in fields(evidence))


def jsonable(value: Any) -> Any:
    """Returns `value` with non-finite floats as strings, so that JSON can carry them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


@dataclass(frozen=True)
class Verdict:
    """A cause, what it rests on, and what to do. Consequences are folded in `explains`."""

    code: int
    name: str
    link: str
    severity: Severity
    certainty: Certainty
    variables: tuple[str, ...]
    first_step: int
    last_step: int
    resolved: bool
    message: str
    evidence: tuple[Evidence, ...]
    fix: str
    explains: tuple[Verdict, ...] = ()

    @property
    def life(self) -> str:
        """When it was true: "first seen at step 3, still true at step 120"; "..., resolved after step 90"."""
        if not self.last_step:
            return "known before the first step"
        seen = f"first seen at step {self.first_step:,}"
        if self.resolved:
            return f"{seen}, resolved after step {self.last_step:,}"
        return f"{seen}, still true at step {self.last_step:,}" if self.last_step > self.first_step else seen

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields, nested verdicts and evidence included."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        found["variables"] = list(self.variables)
        found["evidence"] = [e.as_dict() for e in self.evidence]
        found["explains"] = [v.as_dict() for v in self.explains]
        return found

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Verdict:
        """Returns the verdict that `as_dict` described."""
        return cls(
            **{
                **data,
                "variables": tuple(data["variables"]),
                "evidence": tuple(Evidence(**{**e, "value": float(e["value"])}) for e in data["evidence"]),
                "explains": tuple(cls.from_dict(v) for v in data["explains"]),
            }
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.code}, {self.certainty}): {self.message}"


@dataclass(frozen=True)
class Unknown:
    """A rule that could not tell, and what it lacked."""

    rule: str
    code: int
    lacked: str

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields."""
        return {"rule": self.rule, "code": self.code, "lacked": self.lacked}


@dataclass(frozen=True)
class Diagnosis:
    """The answer to "why aren't my weights moving?".

    Attributes:
        status: "healthy", "sick" or "undecided".
        sentence: the answer in one sentence.
        verdicts: open verdicts, ranked; the first is the answer. Consequences are folded in their `explains`.
        resolved: verdicts that were true and are no more.
        passed: names of the rules that looked and found nothing.
        unknown: rules that could not tell, and what they lacked.
        step: the last recorded step.
        rows: number of recorded rows.
        complete: False if rows were dropped by sampling before they could be judged.
        rules: version of the rule set.
    """

    status: Status
    sentence: str
    verdicts: tuple[Verdict, ...] = ()
    resolved: tuple[Verdict, ...] = ()
    passed: tuple[str, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    step: int = 0
    rows: int = 0
    complete: bool = True
    rules: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("verdicts", "resolved", "unknown"):
            found[name] = [item.as_dict() for item in getattr(self, name)]
        found["passed"] = list(self.passed)
        return found

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Diagnosis:
        """Returns the diagnosis that `as_dict` described."""
        return cls(
            **{
                **data,
                "verdicts": tuple(Verdict.from_dict(v) for v in data["verdicts"]),
                "resolved": tuple(Verdict.from_dict(v) for v in data["resolved"]),
                "unknown": tuple(Unknown(**u) for u in data["unknown"]),
                "passed": tuple(data["passed"]),
            }
        )

    def __str__(self) -> str:
        return self.sentence
