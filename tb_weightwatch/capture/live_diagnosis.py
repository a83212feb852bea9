"""The diagnosis of a History that grows, made anew when it is read or due."""

from __future__ import annotations

import os

from ..diagnosis import IncrementalDiagnosis, diagnose
from ..history import History
from ..verdict import Diagnosis
from .recording_fault import fault_reason


class LiveDiagnosis:
    """Diagnoses a growing History, and derives nothing again from rows that it knows already.

    Args:
        history: what is recorded.

    Attributes:
        latest: the last diagnosis that was made, which later rows may have outdated; None if there is none.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._diagnose = IncrementalDiagnosis(history)
        self._process = os.getpid()
        self._next = 1  # number of rows at which a diagnosis is due
        self.latest: Diagnosis | None = None

    @property
    def is_due(self) -> bool:
        """Whether the number of rows has grown by a tenth (at least four) since this was true last."""
        count = len(self._history)
        if count < self._next:
            return False
        self._next = max(count + 4, int(count * 1.1))
        return True

    def outdate(self) -> None:
        """Notes that a record may change the diagnosis."""
        self.latest = None

    def present(self) -> Diagnosis:
        """Returns the diagnosis of all rows so far."""
        if self.latest is None or self.latest.rows != len(self._history):
            # A child of fork() may have begun in the middle of a diagnosis of its parent.
            self.latest = self._diagnose() if self._process == os.getpid() else diagnose(self._history)
        return self.latest

    def after_failure(self) -> Diagnosis:
        """Returns the diagnosis after a failure, which may be one of the diagnosis itself; it never raises."""
        try:
            self.latest = diagnose(self._history)
        except Exception as error:
            rows = len(self._history)
            step = int(self._history.steps[-1]) if rows else 0
            sentence = f"Recording stopped, and what was recorded cannot be diagnosed: {fault_reason(error)}."
            self.latest = Diagnosis("undecided", sentence, step=step, rows=rows)
        return self.latest
