"""The symptoms of a run: what is certainly wrong with it, whatever the cause; one file per symptom.

A symptom is a fact about the recorded steps. It makes a run sick, and is the answer where no rule knows the cause.
"""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import SEVERITIES, Symptom
from ..third_party import is_third_party, third_party_symptoms
from ..wording import is_preflight
from .ended_by_exception import ended_by_exception
from .loss_has_blown_up import loss_has_blown_up
from .loss_no_better_than_constant import loss_no_better_than_constant
from .predictions_are_equal import predictions_are_equal
from .weights_barely_move import weights_barely_move
from .weights_do_not_move import weights_do_not_move

SYMPTOMS = (
    weights_do_not_move,
    loss_has_blown_up,
    predictions_are_equal,
    weights_barely_move,
    loss_no_better_than_constant,
)


def symptoms(history: History) -> tuple[Symptom, ...]:
    """Returns the symptoms at the last recorded step, worst first."""
    if is_third_party(history):
        return third_party_symptoms(history)
    checks = SYMPTOMS if len(history) and not is_preflight(history) else ()
    with np.errstate(all="ignore"):
        present = [symptom for check in (*checks, ended_by_exception) if (symptom := check(history)) is not None]
    return tuple(sorted(present, key=lambda symptom: -SEVERITIES.index(symptom.severity)))


__all__ = ["symptoms"]
