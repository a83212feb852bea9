"""Raises an error in a training that is sick."""

from __future__ import annotations

from collections.abc import Iterable

from ..verdict import Diagnosis
from .alert import Alert
from .conditions import Condition, When


class SickTraining(RuntimeError):
    """A training is sick; the message says why, and what to change.

    Attributes:
        diagnosis: the whole answer.
    """

    def __init__(self, message: str, diagnosis: Diagnosis | None = None) -> None:
        super().__init__(message)
        self.diagnosis = diagnosis


class Raise:
    """Raises `ww.SickTraining` in the training when it is sick, with the sentence and the fix as its message.

    This is `keras.callbacks.TerminateOnNaN` for each cause, but as an error, so that a script or a job fails.

    Args:
        when: how certain the cause must be, as for `StopTraining`.
        causes: names or codes of the causes that count; None: all.
        after: the first step from which on it may raise.

    Raises:
        TypeError, ValueError: an argument is not valid.
    """

    def __init__(self, when: When = "certain", *, causes: Iterable[str | int] | None = None, after: int = 0) -> None:
        self._condition = Condition(when, causes, after)

    def __call__(self, alert: Alert) -> None:
        """Is called for each new verdict or symptom.

        Raises:
            SickTraining: the training is sick, as far as was asked.
        """
        if self._condition.holds(alert):
            raise SickTraining(str(alert), alert.diagnosis)

    def __repr__(self) -> str:
        return f"Raise({self._condition!r})"
