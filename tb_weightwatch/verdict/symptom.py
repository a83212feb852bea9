"""The types of an answer without a certain cause: Symptom and Suspect."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ..display import repr_of
from .levels import Severity, TestOutcome


@dataclass(frozen=True)
class Symptom:
    """What is certainly wrong with a run, whatever the cause.

    Attributes:
        name: its name, in kebab case ("weights-do-not-move").
        link: the link of the chain on which it shows.
        severity: "info" never makes a run sick.
        message: one sentence with the numbers, without a full stop.
        variables: names of the variables concerned; () if it concerns the run as a whole.
        first_step: first step at which it showed.
        last_step: last step at which it showed.
    """

    name: str
    link: str
    severity: Severity
    message: str
    variables: tuple[str, ...]
    first_step: int
    last_step: int

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"variables": list(self.variables)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Symptom:
        """Returns the symptom from the dictionary that `as_dict` returned."""
        return cls(**{**data, "variables": tuple(data["variables"])})

    def __repr__(self) -> str:
        steps = f"steps {self.first_step:,} to {self.last_step:,}"
        return repr_of(self, self.name, self.severity, f"link {self.link}", steps)


@dataclass(frozen=True)
class Suspect:
    """A cause that fits the symptoms of a run, but is not certain.

    Attributes:
        code: code of the rule that describes the cause.
        name: name of that rule.
        link: the link of the chain that would be broken.
        probability: how probable it is that this is the cause, from 0 to 1; it is calibrated on the clinic.
        message: what would be wrong, in one sentence, without a full stop.
        supports: facts about the run that speak for it, each a clause without a full stop.
        contradicts: facts about the run that speak against it.
        settle: what would settle it: one thing to hand over, one line to change, or one experiment.
        fix: what to change if it is the cause.
        outcome: what an experiment says of it: "confirmed", "refuted" or "open"; "" if none tested it.
        experiment: what that experiment has shown, in one sentence without a full stop.
    """

    code: int
    name: str
    link: str
    probability: float
    message: str
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]
    settle: str
    fix: str
    outcome: TestOutcome = ""
    experiment: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields."""
        texts = {"supports": list(self.supports), "contradicts": list(self.contradicts)}
        return {f.name: getattr(self, f.name) for f in fields(self)} | texts

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Suspect:
        """Returns the suspect from the dictionary that `as_dict` returned."""
        return cls(**{**data, "supports": tuple(data["supports"]), "contradicts": tuple(data["contradicts"])})

    def __repr__(self) -> str:
        probability = f"probability {self.probability:.2g}"
        return repr_of(self, f"{self.code} {self.name}", probability, self.outcome, f"link {self.link}")
