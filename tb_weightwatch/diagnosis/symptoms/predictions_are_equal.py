"""The symptom of predictions that are the same for all samples."""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import Symptom, number
from .. import signals
from ..wording import plural

_ROWS = 10  # recorded steps in a row


def predictions_are_equal(history: History) -> Symptom | None:
    """Returns the symptom if the predictions of every sample of the last batches are equal, while targets vary."""
    known, equal = signals.equal_predictions(history)
    equal = equal & ~(signals.run_column(history, "target_std") == 0)
    mean = signals.run_column(history, "prediction_mean")
    rows = np.flatnonzero(known)
    length = int(signals.streak(equal[rows])[-1]) if len(rows) else 0
    if length < _ROWS or _is_low(history):
        return None
    first = int(history.steps[rows[-length]])
    return Symptom(
        name="predictions-are-equal",
        link="activations",
        severity="error",
        message=f"All predictions are equal: in each of the last {plural(length, 'recorded step')} the model gave "
        f"every sample of the batch the same answer ({number(float(mean[rows[-1]]))} on average)",
        variables=(),
        first_step=first,
        last_step=int(history.steps[-1]),
    )


def _is_low(history: History) -> bool:
    return bool(history.has("loss") and signals.loss_trend(history).low()[-1])
