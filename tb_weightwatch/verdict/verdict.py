"""The types of a diagnosis: Evidence, Verdict, Unknown, Diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ..display import html_of, repr_of
from .claim import Claim
from .diagnosis_text import diagnosis_lines, diagnosis_repr
from .experiment import Experiment
from .formatting import jsonable, number
from .levels import Certainty, Severity, Status, TestOutcome
from .symptom import Suspect, Symptom


@dataclass(frozen=True)
class Evidence:
    """A number on which a verdict rests. `str()` returns it in words.

    Attributes:
        name: name of the number, in the field's terms.
        value: the number; NaN and infinities are unchanged.
        text: its context ("mean over the steps; 1e-3 is usual").
        unit: its unit; "" for a pure number.
        step: the training step at which it was recorded; None if it belongs to no step.
        quantity: the recorded column that shows it, or "".
    """

    name: str
    value: float
    text: str
    unit: str = ""
    step: int | None = None
    quantity: str = ""

    def __eq__(self, other: object) -> bool:
        """Compares all fields; NaN equals NaN, so that a verdict that was written and read equals the original."""
        return isinstance(other, Evidence) and _comparable(self) == _comparable(other)

    def __hash__(self) -> int:
        return hash(_comparable(self))

    def __str__(self) -> str:
        text = f"{self.name} {number(self.value)}{' ' if self.unit else ''}{self.unit}"
        when = f" at step {self.step:,}" if self.step is not None else ""
        return f"{text}{when}" + (f" ({self.text})" if self.text else "")

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields; non-finite numbers as "NaN", "Infinity", "-Infinity"."""
        return {f.name: jsonable(getattr(self, f.name)) for f in fields(self)}


def _comparable(evidence: Evidence) -> tuple[Any, ...]:
    return tuple(jsonable(getattr(evidence, f.name)) for f in fields(evidence))


@dataclass(frozen=True)
class Verdict:
    """A cause, its evidence, and its fix.

    Attributes:
        code: code of the rule.
        name: name of the rule.
        link: the link of the chain that is broken.
        severity: "info" never makes a run sick.
        certainty: "certain" for an exact arithmetic fact, else "likely".
        variables: names of the variables concerned.
        first_step: first step at which the rule held.
        last_step: last step at which it held; 0 if it was known before the first step.
        resolved: whether it no longer holds at the last recorded step.
        message: one sentence with the numbers, without a full stop.
        evidence: the numbers on which it rests.
        fix: what to change.
        explains: verdicts that are consequences of this one.
        claims: what its message and evidence state, in a form that can be checked.
        outcome: what an experiment says of it: "confirmed", "refuted" or "open"; "" if none tested it.
        experiment: what that experiment has shown, in one sentence without a full stop.
    """

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
    claims: tuple[Claim, ...] = ()
    outcome: TestOutcome = ""
    experiment: str = ""

    @property
    def life(self) -> str:
        """When the rule held: "first seen at step 3, still true at step 120"; "..., resolved after step 90"."""
        if not self.last_step:
            return "known before the first step"
        first = f"first seen at step {self.first_step:,}"
        if self.resolved:
            return f"{first}, resolved after step {self.last_step:,}"
        return f"{first}, still true at step {self.last_step:,}" if self.last_step > self.first_step else first

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields, nested verdicts and evidence included."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {
            "variables": list(self.variables),
            "evidence": [e.as_dict() for e in self.evidence],
            "explains": [v.as_dict() for v in self.explains],
            "claims": [c.as_dict() for c in self.claims],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Verdict:
        """Returns the verdict from the dictionary that `as_dict` returned; earlier versions knew no claims."""
        return cls(
            **{
                **data,
                "variables": tuple(data["variables"]),
                "evidence": tuple(Evidence(**{**e, "value": float(e["value"])}) for e in data["evidence"]),
                "explains": tuple(cls.from_dict(v) for v in data["explains"]),
                "claims": tuple(Claim.from_dict(c) for c in data.get("claims", ())),
            }
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.code}, {self.certainty}): {self.message}"

    def __repr__(self) -> str:
        return repr_of(self, f"{self.code} {self.name}", self.severity, self.certainty, self.life)


@dataclass(frozen=True)
class Unknown:
    """A rule that could not decide.

    Attributes:
        rule: name of the rule.
        code: code of the rule.
        lacked: what was not recorded, and how to record it.
    """

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
        verdicts: open verdicts, ranked; the first one is the answer. Consequences are in the `explains` of their cause.
        symptoms: what is certainly wrong, whatever the cause, worst first.
        suspects: causes that fit the symptoms, ranked by probability; () where a verdict explains the symptoms.
        resolved: verdicts that no longer hold.
        passed: names of the rules that do not hold.
        unknown: rules that could not decide, and what they lacked.
        step: the last recorded step.
        rows: number of recorded rows.
        complete: False if sampling dropped rows before they could be diagnosed.
        rules: version of the rule set.
        experiments: what experiments have shown (`ww.probe`), the last of each name.
    """

    status: Status
    sentence: str
    verdicts: tuple[Verdict, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    resolved: tuple[Verdict, ...] = ()
    passed: tuple[str, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    step: int = 0
    rows: int = 0
    complete: bool = True
    rules: str = ""
    experiments: tuple[Experiment, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {
            "verdicts": [v.as_dict() for v in self.verdicts],
            "symptoms": [s.as_dict() for s in self.symptoms],
            "suspects": [s.as_dict() for s in self.suspects],
            "resolved": [v.as_dict() for v in self.resolved],
            "passed": list(self.passed),
            "unknown": [u.as_dict() for u in self.unknown],
            "experiments": [e.as_dict() for e in self.experiments],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Diagnosis:
        """Returns the diagnosis from the dictionary that `as_dict` returned; earlier versions knew no symptoms."""
        return cls(
            **{
                **data,
                "symptoms": tuple(Symptom.from_dict(s) for s in data.get("symptoms", ())),
                "suspects": tuple(Suspect.from_dict(s) for s in data.get("suspects", ())),
                "verdicts": tuple(Verdict.from_dict(v) for v in data["verdicts"]),
                "resolved": tuple(Verdict.from_dict(v) for v in data["resolved"]),
                "unknown": tuple(Unknown(**u) for u in data["unknown"]),
                "passed": tuple(data["passed"]),
                "experiments": tuple(Experiment.from_dict(e) for e in data.get("experiments", ())),
            }
        )

    def __str__(self) -> str:
        """Returns the answer, its fix, what an experiment says of it, and a line for each other finding."""
        return "\n".join(diagnosis_lines(self))

    def __repr__(self) -> str:
        return diagnosis_repr(self)

    def _repr_html_(self) -> str | None:
        """Returns answer, fix and chain for a notebook; without numbers of links, which are in the History."""
        return html_of(self)
