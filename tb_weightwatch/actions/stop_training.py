"""Ends a training that is sick."""

from __future__ import annotations

from collections.abc import Iterable

from .alert import Alert
from .conditions import Condition, When


class StopTraining:
    """Ends the training when it is sick, and says once why: `WeightWatch(..., on_verdict=ww.StopTraining())`.

    `model.fit` ends after the present batch, as with `keras.callbacks.EarlyStopping`. A custom loop asks
    `watch.should_stop` after each step.

    Args:
        when: how certain the cause must be: "certain" (or confirmed by an experiment), "likely" or "symptom"; see
            `Condition`.
        causes: names or codes of the causes that count; None: all.
        after: the first step from which on the training may be stopped.

    Raises:
        TypeError, ValueError: an argument is not valid.
    """

    def __init__(self, when: When = "certain", *, causes: Iterable[str | int] | None = None, after: int = 0) -> None:
        self._condition = Condition(when, causes, after)

    def __call__(self, alert: Alert) -> None:
        """Is called for each new verdict or symptom."""
        if self._condition.holds(alert):
            alert.stop()

    def __repr__(self) -> str:
        return f"StopTraining({self._condition!r})"
