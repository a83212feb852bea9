"""Raises an error in a training that is sick."""

from __future__ import annotations

from ..verdict import Diagnosis
from .action import Action
from .alert import Alert


class SickTraining(RuntimeError):
    """A training is sick; the message says why, and what to change.

    Attributes:
        diagnosis: the whole answer.
    """

    def __init__(self, message: str, diagnosis: Diagnosis | None = None) -> None:
        super().__init__(message)
        self.diagnosis = diagnosis


class Raise(Action):
    """Raises `ww.SickTraining` in the training when it is sick, with the sentence and the fix as its message.

    This is `keras.callbacks.TerminateOnNaN` for each cause, but as an error, so that a script or a job fails.

    Args:
        when: how certain the cause must be, as for `StopTraining`.
        causes: names or codes of the causes that count; None: all.
        after: the first step from which on it may raise.

    Raises:
        TypeError, ValueError: an argument is not valid.
    """

    def _act(self, alert: Alert) -> None:
        raise SickTraining(str(alert), alert.diagnosis)
