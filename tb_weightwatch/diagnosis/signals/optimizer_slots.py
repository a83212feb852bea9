"""Whether any gradient was ever non-zero, from the optimizer's own averages, where gradients were not recorded."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import anything_nonfinite, column, latest_run_value, usual_weight_scale
from .incremental import is_recorded
from .model_structure import trainable_kernels
from .movement import any_moved
from .optimizer import accumulation_steps, is_normalized
from .scans import Bool, ever, latest_known


def unmoved_with_slots(history: History, state: str, rows: int) -> Bool:
    """Returns `[T]` whether no weight has ever moved although the optimizer counted enough steps to move them.

    Only where gradients were not recorded, and for optimizers whose updates are about as large as the learning rate:
    their first update would have been visible in the weights.

    Args:
        history: what was recorded.
        state: "zero" if the optimizer's averages of the gradients must still be exactly zero, "alive" if not.
        rows: steps that the optimizer must have counted.
    """
    never, iterations = np.zeros(len(history), bool), column(history, "iterations")
    if is_recorded(history, "gradient_norm") or iterations is None or not len(history) or not is_normalized(history):
        return never
    records = [record for record in history.of_kind("facts") if "optimizer_state" in record.data]
    if not records or records[-1].data["optimizer_state"] != state or not trainable_kernels(history).any():
        return never
    state_known = history.steps >= records[-1].step
    counted = latest_known(iterations) - latest_known(iterations)[:1] >= rows * accumulation_steps(history)
    smallest_visible = 1e-5 * np.max(usual_weight_scale(history)[trainable_kernels(history)])
    visible = latest_run_value(history, "learning_rate") > smallest_visible
    return state_known & counted & visible & ~ever(any_moved(history)) & ~ever(anything_nonfinite(history))
