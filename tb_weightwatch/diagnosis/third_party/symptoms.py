"""The symptoms of a third-party log."""

from __future__ import annotations

import numpy as np

from ...history import History
from ...verdict import SEVERITIES, Symptom
from ..signals import memoized
from .curve_checks import gradient_norm, validation_loss
from .facts import is_third_party
from .loss_checks import diverging_loss, flat_loss, nonfinite_loss
from .weight_checks import exploding_weights, motionless_weights, nonfinite_weights


@memoized
def third_party_symptoms(history: History) -> tuple[Symptom, ...]:
    """Returns the symptoms of a third-party log, worst first; () for a History that tb_weightwatch recorded."""
    if not is_third_party(history) or not len(history):
        return ()
    checks = (
        nonfinite_weights,
        nonfinite_loss,
        motionless_weights,
        exploding_weights,
        gradient_norm,
        diverging_loss,
        flat_loss,
        validation_loss,
    )
    with np.errstate(all="ignore"):
        listed = [symptom for check in checks for symptom in check(history)]
    return tuple(sorted(listed, key=lambda symptom: -SEVERITIES.index(symptom.severity)))
