"""An observation: a fact about a run by which causes can be told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...history import History
from ..signals import Float, RowSpan, memoized, run_column

ROWS = 256  # last rows that most facts are about


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


@memoized
def recent_rows(history: History) -> RowSpan:
    """Returns the last rows: most facts need no more, and a long run of many variables has millions of numbers."""
    return RowSpan(history, max(0, len(history) - ROWS), len(history))


def known_values(history: History, name: str) -> Float:
    """Returns the finite values of a run-wide column."""
    values = run_column(history, name)
    return np.asarray(values[np.isfinite(values)])
