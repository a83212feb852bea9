"""What the optimizer remembers of gradients that nobody showed: whether any has ever been other than zero."""

from __future__ import annotations

import numpy as np

from ...history import History
from .columns import anything_nonfinite, column, latest_run_value, usual_weight_scale
from .incremental import is_recorded
from .model_structure import trainable_kernels
from .movement import any_moved
from .scans import Bool, ever, latest_known
from .update_rule import accumulation_steps, is_normalized


def optimizer_slots_say(history: History, state: str, rows: int) -> Bool:
    """Returns `[T]` whether nothing has ever moved in so many counted steps, though each had to be seen in the weights.

    Only where gradients were not recorded, and for optimizers whose steps are of the learning rate's size.

    Args:
        history: what was recorded.
        state: "zero" if the optimizer's averages of the gradients are still exactly zero, else "alive".
        rows: steps that the optimizer must have counted.
    """
    nothing, count = np.zeros(len(history), bool), column(history, "iterations")
    if is_recorded(history, "gradient_norm") or count is None or not len(history) or not is_normalized(history):
        return nothing
    told = [record for record in history.of_kind("facts") if "optimizer_state" in record.data]
    if not told or told[-1].data["optimizer_state"] != state or not trainable_kernels(history).any():
        return nothing
    seen = history.steps >= told[-1].step  # before that it was not known
    counted = latest_known(count) - latest_known(count)[:1] >= rows * accumulation_steps(history)
    matters = latest_run_value(history, "learning_rate") > 1e-5 * np.max(
        usual_weight_scale(history)[trainable_kernels(history)]
    )
    return np.asarray(seen & counted & matters & ~ever(any_moved(history)) & ~ever(anything_nonfinite(history)))
