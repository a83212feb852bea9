"""Makes a symptom that lasts until the end of the log."""

from __future__ import annotations

from functools import partial

from ...history import History
from ...verdict import Symptom


def symptom_since(history: History, row: int) -> partial[Symptom]:
    """Returns a constructor of a symptom that appears at a row and lasts until the end."""
    return partial(Symptom, first_step=int(history.steps[row]), last_step=int(history.steps[-1]))
