"""The types of an experiment's result: TestedCause, RateCurve, Experiment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from ..display import counted, repr_of
from .formatting import jsonable, number

Outcome = Literal["confirmed", "refuted", "open"]
ExperimentEnd = Literal["completed", "failed", "interrupted", "skipped"]


@dataclass(frozen=True)
class TestedCause:
    """What an experiment says of one cause.

    Attributes:
        name: name of the rule that describes the cause.
        outcome: "confirmed" if the experiment shows that it is the cause, "refuted" if it shows that it is not, else
            "open".
        message: what was seen, in one sentence with the numbers, without a full stop.
        step: completed training steps when it was tested; 0 as long as it is part of its experiment.
    """

    name: str
    outcome: Outcome
    message: str
    step: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields; the step is that of the experiment."""
        return {"name": self.name, "outcome": self.outcome, "message": self.message}


@dataclass(frozen=True)
class RateCurve:
    """How far the loss falls within a few steps, by learning rate.

    Attributes:
        rates: `[R]` learning rates that were tried, increasing.
        falls: `[R]` fall of the loss, as a share of the loss before; negative if it rises, NaN if it is not finite.
        present: the present learning rate; None if it is not known.
        recommended: a learning rate that works; None if none does.
        steps: how many steps were made with each rate.
        low: smallest rate of the working range, in which the loss falls at least half as far as with the best rate.
        high: largest rate of the working range.
    """

    rates: tuple[float, ...]
    falls: tuple[float, ...]
    present: float | None = None
    recommended: float | None = None
    steps: int = 0
    low: float | None = None
    high: float | None = None

    def __eq__(self, other: object) -> bool:
        """Compares all fields; NaN equals NaN, so that a curve that was written and read equals the original."""
        return isinstance(other, RateCurve) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash(str(self.as_dict()))

    def __repr__(self) -> str:
        span = f" from {number(self.rates[0])} to {number(self.rates[-1])}" if self.rates else ""
        known = {"present": self.present, "recommended": self.recommended}
        facts = [f"{name} {number(rate)}" for name, rate in known.items() if rate is not None]
        return repr_of(self, "", counted(len(self.rates), "learning rate") + span, *facts)

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields; non-finite numbers as "NaN", "Infinity", "-Infinity"."""
        data = {f.name: getattr(self, f.name) for f in fields(self)}
        return data | {"rates": list(self.rates), "falls": [jsonable(fall) for fall in self.falls]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RateCurve:
        """Returns the curve from the dictionary that `as_dict` returned."""
        return cls(**{**data, "rates": tuple(data["rates"]), "falls": tuple(map(float, data["falls"]))})


@dataclass(frozen=True)
class Experiment:
    """The result of one experiment.

    Attributes:
        name: its name, in kebab case ("learning-rate-sweep").
        message: what was seen, in one sentence with the numbers, without a full stop; or why it did not run.
        causes: what it says of the causes that it tests.
        end: "completed", "failed" by an exception, "interrupted" by the user, or "skipped".
        step: completed training steps when it ran.
        steps: steps that it ran itself.
        seconds: how long it took.
        curve: the learning rates that it tried, if it tried several.
    """

    name: str
    message: str
    causes: tuple[TestedCause, ...] = ()
    end: ExperimentEnd = "completed"
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    curve: RateCurve | None = None

    @property
    def outcome(self) -> Outcome:
        """ "confirmed" if it confirms a cause, else "refuted" if it refutes one, else "open"."""
        outcomes = {cause.outcome for cause in self.causes}
        return "confirmed" if "confirmed" in outcomes else "refuted" if "refuted" in outcomes else "open"

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields, and the outcome."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {
            "outcome": self.outcome,
            "causes": [cause.as_dict() for cause in self.causes],
            "curve": None if self.curve is None else self.curve.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Experiment:
        """Returns the experiment from the dictionary that `as_dict` returned."""
        known = {name: value for name, value in data.items() if name != "outcome"}
        curve = data.get("curve")
        return cls(
            **{
                **known,
                "causes": tuple(TestedCause(**cause) for cause in data["causes"]),
                "curve": None if curve is None else RateCurve.from_dict(curve),
            }
        )

    def __repr__(self) -> str:
        end = self.outcome if self.end == "completed" else self.end
        return repr_of(self, self.name, end, counted(self.steps, "step"), f"{self.seconds:.1f} s")

    def __str__(self) -> str:
        ended = "" if self.end == "completed" else f" ({self.end})"
        return f"{self.name}{ended}: {self.message}"


def tested_causes(experiments: Iterable[Experiment]) -> dict[str, TestedCause]:
    """Returns what all experiments together say of each cause: "open" where one confirms it and another refutes it."""
    tests: dict[str, list[TestedCause]] = {}
    for experiment in experiments:
        for cause in experiment.causes:
            tests.setdefault(cause.name, []).append(replace(cause, step=experiment.step))
    return {name: _together(causes) for name, causes in tests.items()}


def _together(causes: list[TestedCause]) -> TestedCause:
    """Returns what several tests of one cause say of it; those that left it open count only if all did."""
    decided = [cause for cause in causes if cause.outcome != "open"] or causes
    other = next((cause for cause in decided if cause.outcome != decided[0].outcome), None)
    if other is None:
        return decided[0]
    return replace(decided[0], outcome="open", message=f"{decided[0].message}; but {other.message}")
