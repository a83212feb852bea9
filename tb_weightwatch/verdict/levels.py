"""The links of the chain, and the levels of severity, certainty and status."""

from __future__ import annotations

from typing import Literal

LINKS = ("data", "activations", "loss", "gradient", "optimizer", "update", "weight")
Severity = Literal["info", "warning", "error"]
Certainty = Literal["certain", "likely"]
TestOutcome = Literal["confirmed", "refuted", "open", ""]  # of a cause by an experiment; "": none tested it
Status = Literal["healthy", "sick", "undecided"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
