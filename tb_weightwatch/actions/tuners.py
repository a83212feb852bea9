"""Ends hopeless trials of a hyperparameter search, and reports the reason to it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from .action import Action, When
from .alert import Alert


class PruneTrial(Action):
    """Prunes a trial of Optuna when its training is sick: `on_verdict=ww.PruneTrial(trial)`.

    `optuna.TrialPruned` is raised in the training. The reason becomes the user attribute "weightwatch" of the trial, so
    that the study's table shows it.

    Args:
        trial: the `optuna.Trial` that the objective got.
        when: how certain the cause must be, as for `StopTraining`.
        causes: names or codes of the causes that count; None: all.
        after: the first step from which on the trial may be pruned.

    Raises:
        TypeError: `trial` is no trial, or another argument is not valid.
        ValueError: an argument is not valid.
    """

    def __init__(
        self, trial: Any, when: When = "certain", *, causes: Iterable[str | int] | None = None, after: int = 0
    ) -> None:
        if not hasattr(trial, "set_user_attr"):
            raise TypeError(f"trial must be an optuna.Trial, as the objective gets it, got a {type(trial).__name__}")
        super().__init__(when, causes=causes, after=after)
        self._trial = trial

    def _act(self, alert: Alert) -> None:
        self._trial.set_user_attr("weightwatch", str(alert))
        raise importlib.import_module("optuna").TrialPruned(str(alert))


class FailTrial(Action):
    """Ends a trial of KerasTuner when its training is sick: `on_verdict=ww.FailTrial()`.

    `keras_tuner.errors.FailedTrialError` is raised in the training. KerasTuner marks the trial as failed, keeps the
    reason in the trial's `message`, and does not try it again.

    Args:
        when: how certain the cause must be, as for `StopTraining`.
        causes: names or codes of the causes that count; None: all.
        after: the first step from which on the trial may be ended.

    Raises:
        TypeError, ValueError: an argument is not valid.
    """

    def _act(self, alert: Alert) -> None:
        raise importlib.import_module("keras_tuner.errors").FailedTrialError(str(alert))
