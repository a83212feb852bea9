"""The type of a symptom."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from ...history import History
from ...verdict import Severity


class Symptom(NamedTuple):
    """What is wrong, without the cause.

    Attributes:
        kind: name of the symptom, such as "motionless".
        severity: "info" never makes a run sick.
        text: one sentence without a full stop.
        variables: names of the variables concerned.
        first_step: first step of the History at which it appears.
        last_step: last step of the History.
    """

    kind: str
    severity: Severity
    text: str
    variables: tuple[str, ...]
    first_step: int
    last_step: int


def symptom_since(history: History, row: int) -> partial[Symptom]:
    """Returns a constructor of a symptom that appears at a row and lasts until the end."""
    return partial(Symptom, first_step=int(history.steps[row]), last_step=int(history.steps[-1]))
