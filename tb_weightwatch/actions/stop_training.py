"""Ends a training that is sick."""

from __future__ import annotations

from .action import Action
from .alert import Alert


class StopTraining(Action):
    """Ends the training when it is sick, and says once why: `WeightWatch(..., on_verdict=ww.StopTraining())`.

    `model.fit` ends after the present batch, as with `keras.callbacks.EarlyStopping`. A custom loop asks
    `watch.should_stop` after each step.

    Args:
        when: how certain the cause must be: "certain" (or confirmed by an experiment), "likely" (also one that is only
            likely) or "symptom" (also what is certainly wrong without a known cause).
        causes: names or codes of the causes that count; None: all.
        after: the first step from which on the training may be stopped.

    Raises:
        TypeError, ValueError: an argument is not valid.
    """

    def _act(self, alert: Alert) -> None:
        alert.stop()
