"""What a verdict states of the training, in a form that can be checked against all steps of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol, runtime_checkable

from ..display import repr_of
from .formatting import jsonable, number

Kind = Literal["is", "finite", "above", "at most", "at least", "since", "reached", "mean", "sum", "steps"]


@dataclass(frozen=True)
class Claim:
    """A statement about one quantity, over a span of training steps.

    Attributes:
        kind: what is stated: of each step of the span that the quantity "is" the value (or "finite", "above" it, "at
            most", "at least"); "since": that it is the value at each step, and was not at the step before the span;
            "reached": that it was the value at some step; "mean": that this is its mean over the span; "sum": that
            this is its sum over the variables, at each step; "steps": that so many training steps were made.
        quantity: the recorded column, or "step".
        value: the number that is stated.
        first_step: the first step of the span.
        last_step: the last step of the span.
        variables: names of the variables (or layers) for each of which it is stated; () for all.
        recorded_only: whether it is stated of the recorded steps of the span only.
    """

    kind: Kind
    quantity: str
    value: float
    first_step: int = 0
    last_step: int = 0
    variables: tuple[str, ...] = ()
    recorded_only: bool = False

    def __eq__(self, other: object) -> bool:
        """Compares all fields; NaN equals NaN, so that a claim that was written and read equals the original."""
        return isinstance(other, Claim) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash((self.kind, self.quantity, self.first_step, self.last_step, self.variables))

    def __str__(self) -> str:
        of = f" of {', '.join(self.variables)}" if self.variables else ""
        span = f"step {self.first_step:,}"
        span = span if self.first_step == self.last_step else f"steps {self.first_step:,} to {self.last_step:,}"
        return f"{self.quantity}{of} {self.kind} {number(self.value)}, {'recorded ' * self.recorded_only}{span}"

    def __repr__(self) -> str:
        return repr_of(self, "", str(self))

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able fields; non-finite numbers as "NaN", "Infinity", "-Infinity"."""
        return {f.name: jsonable(getattr(self, f.name)) for f in fields(self)} | {"variables": list(self.variables)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Claim:
        """Returns the claim from the dictionary that `as_dict` returned."""
        return cls(**{**data, "value": float(data["value"]), "variables": tuple(data["variables"])})


@runtime_checkable
class Statement(Protocol):
    """A part of a sentence that knows what it claims: `str()` returns the words, `claims` the same as numbers."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What the words claim."""
