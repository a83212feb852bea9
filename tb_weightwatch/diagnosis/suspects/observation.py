"""An observation: a fact about a run by which causes can be told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...history import History


class Observation(NamedTuple):
    """What was observed of one fact.

    Attributes:
        holds: whether the fact holds; None if it was not recorded.
        text: what was observed, a clause with the numbers, whether the fact holds or not.
    """

    holds: bool | None
    text: str = ""


UNKNOWN = Observation(None)
Observe = Callable[[History], Observation]


def observe(holds: bool, if_so: str, if_not: str) -> Observation:
    """Returns the observation of a fact that is known."""
    return Observation(bool(holds), if_so if holds else if_not)
