"""The symptom of a training that an exception ended."""

from __future__ import annotations

from ...history import History
from ...verdict import Symptom
from .. import signals
from ..wording import stopped_with

# meaning -> the link on which it shows, and what happened; a meaning that is not listed says only that training ended.
_MEANINGS = {
    "no-gradients": ("gradient", "none of the variables that the optimizer was given had a gradient"),
    "variables-made-in-step": ("optimizer", "variables are made while the step runs, so that nothing tracks them"),
    "label-out-of-range": ("data", "a label is not a valid class id for this output"),
    "target-shape-mismatch": ("data", "targets and predictions do not have the shapes that the loss needs"),
    "shape-mismatch": ("activations", "the shapes of two tensors do not fit together"),
    "dtype-mismatch": ("activations", "the dtypes of two tensors do not fit together"),
    "non-finite-loss": ("loss", "the loss was NaN or infinite"),
    "non-finite-in-loss": ("loss", "a check found NaN or infinity in the loss"),
    "non-finite-in-gradient": ("gradient", "a check found NaN or infinity in a gradient"),
    "non-finite": ("loss", "a check found NaN or infinity in a tensor"),
    "out-of-memory": ("update", "memory ran out, which says nothing about the weights (a smaller batch needs less)"),
}


def ended_by_exception(history: History) -> Symptom | None:
    """Returns the symptom if an exception ended the training; None for one that was interrupted on purpose.

    It needs no recorded step: the exception may have ended the first one.
    """
    error = signals.training_error(history)
    if error is None or not error.ended or error.interrupted:
        return None
    link, reason = _MEANINGS.get(error.meaning, ("update", ""))
    return Symptom(
        name="ended-by-exception",
        link=link,
        severity="error",
        message=_message(stopped_with(error), reason),
        variables=(),
        first_step=error.step,
        last_step=error.step,
    )


def _message(stopped: str, reason: str) -> str:
    """Returns the reason with what stopped, or "Training stopped at step 1 with a KeyError" where it is not known."""
    first, rest = (reason, f": {stopped}") if reason else (stopped, "")
    return f"{first[0].upper()}{first[1:]}{rest}"
