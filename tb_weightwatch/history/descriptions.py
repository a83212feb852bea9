"""What describes the rows of a History: its variables, its layers, and dated records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..display import repr_of, shortened_list

RECORD_KINDS = {"variable": "variables", "layer": "layers"}  # axis -> kind of the records that describe it


@dataclass(frozen=True)
class Variable:
    """A watched variable.

    Attributes:
        name: unique within its History.
        shape: its shape.
        dtype: name of its dtype.
        layer: name of the layer that owns it; "" if it belongs to none.
        trainable: whether it is trainable.
        optimized: whether it is in the optimizer's list of variables; None if unknown.
    """

    name: str
    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    layer: str = ""
    trainable: bool = True
    optimized: bool | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layer:
    """A use of a layer whose output is recorded.

    Attributes:
        name: unique within its History.
        kind: class name of the layer.
        activation: name of its activation function; "" if it has none or it is unknown.
    """

    name: str
    kind: str = ""
    activation: str = ""


@dataclass(frozen=True)
class Record:
    """A dated fact.

    Attributes:
        step: training step; 0 is before the first step.
        kind: what `data` holds: "facts", "variables", "layers", "config", "verdict", "end" ...
        data: JSON-able content.
        time: unix seconds.
    """

    step: int
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    time: float = 0.0

    def __repr__(self) -> str:
        return repr_of(self, repr(self.kind), f"step {self.step:,}", shortened_list(self.data))


class DatedRecords:
    """Dated records in the order in which they were added, and what they describe together."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def described(self, kind: str) -> list[dict[str, Any]]:
        """Returns the items of all records of that kind ("variables", "layers"); later ones override earlier ones."""
        items: dict[str, dict[str, Any]] = {}
        for record in self.of_kind(kind):
            for item in record.data.get("items", ()):
                items.setdefault(item["name"], {}).update(item)
        return list(items.values())

    def of_kind(self, kind: str) -> list[Record]:
        """Returns the dated records of that kind, oldest first."""
        return [r for r in self.records if r.kind == kind]

    @property
    def facts(self) -> dict[str, Any]:
        """All "facts" records merged; later ones override earlier ones."""
        merged: dict[str, Any] = {}
        for record in self.of_kind("facts"):
            merged.update(record.data)
        return merged

    @property
    def config(self) -> dict[str, Any]:
        """The rule configuration in force: the last "config" record."""
        records = self.of_kind("config")
        return dict(records[-1].data) if records else {}

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Watched variables in the order of the V axis, as last described."""
        return tuple(Variable(**{**v, "shape": tuple(v.get("shape", ()))}) for v in self.described("variables"))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layer uses whose outputs are recorded, in the order of the L axis."""
        return tuple(Layer(**v) for v in self.described("layers"))
