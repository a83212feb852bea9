"""703 nonfinite-weight."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import Bool, Carry, column, incremental, run_column
from ...third_party.symptoms import is_third_party, unit
from ...wording import evidence, plural, variable_names


@rule(
    code=703,
    name="nonfinite-weight",
    link="weight",
    needs=("weight_nonfinite",),
    explains=("zero-gradient", "dead-relu", "saturated-activation", "update-below-precision"),
)
def nonfinite_weight(history: History, *, elements: int = 1) -> Finding[Any] | CannotTell | None:
    """NaN or infinite numbers in a weight.

    What it sees:
        Weights with elements that are NaN or infinite (an exact count), the first step after which they were, and
        whether gradient and loss of that step were still finite: then the optimizer made them.

    Why it matters:
        A NaN in a weight never goes away: every later forward pass, gradient and update through it is NaN. On a CPU
        a fused Dense and ReLU makes 0 of it, so the loss may look fine while the kernel is lost.

    When it is a false alarm:
        There is none; masks and padding belong into data, not into weights.

    What to try:
        Go back to the last checkpoint with finite weights; then remove what came before it: a learning rate far too
        large, an optimizer setting that divides by 0, a loss scale of 0, NaN in the data.

    Sick example:
        model = net(1)
        kernel = model.layers[0].kernel
        watch = loop(model, x, number, mse, optimizers.Adam(0.01),
                     begin=lambda step: step == 9 and kernel.assign(kernel / 0.0))

    Healthy example:
        model = net(1)
        kernel = model.layers[0].kernel
        watch = loop(model, x, number, mse, optimizers.Adam(0.01),
                     begin=lambda step: step == 9 and kernel.assign(kernel / 2.0))

    References:
        https://keras.io/api/callbacks/terminate_on_nan/

    Args:
        history: what was recorded.
        elements: how many non-finite elements are reported.
    """
    firing = _odd(history, elements)
    if not firing.any():
        return None

    def tell(row: int, concerned: NDArray[np.intp]) -> VerdictText:
        first = int(np.flatnonzero(firing.any(axis=1))[0])
        began = np.flatnonzero(firing[first])
        step, count = int(history.steps[first]), history.column("weight_nonfinite")[first, began]
        total = float(np.nansum(count, dtype=np.float64))
        return VerdictText(
            message=f"The weights of {variable_names(history, began)} became NaN or infinite at "
            f"{unit(history)} {step:,} "
            f"({_amount(history, total)}), {_before(history, first)}; {len(concerned)} of "
            f"{len(history.variables)} variables are lost by now",
            fix="Go back to finite weights and stop at the first NaN:\n"
            "    model.load_weights(checkpoint)\n"
            "    callbacks=[keras.callbacks.TerminateOnNaN()]   # by hand: tf.debugging.check_numerics(loss, 'loss')\n"
            "then start with a lower learning rate and global_clipnorm=1.0.",
            evidence=(
                evidence("NaN/Inf in weights", total, _amount(history, total), step=step, quantity="weight_nonfinite"),
            ),
            severity="error",
            certainty="certain",
        )

    return Finding(firing, tell)


@incremental
def _odd(rows: History, carry: Carry, elements: int) -> Bool:
    """Returns `[T, V]` where so many elements of a variable are not finite."""
    count = column(rows, "weight_nonfinite")
    assert count is not None
    return np.asarray(count >= elements)


def _before(history: History, first: int) -> str:
    gradient, loss = column(history, "gradient_nonfinite"), run_column(history, "loss")
    if is_third_party(history):
        gradient = None  # snapshots of two steps do not tell which came first
    if first == 0 and gradient is not None and (gradient[0] > 0).any():
        return "in the first recorded step; they may have been so before"
    if gradient is not None and (gradient[: first + 1] > 0).any():
        return "after a gradient that was not finite"
    if gradient is not None and np.isfinite(gradient[first]).any():
        return "while the gradient was finite: the optimizer's own arithmetic made them"
    known = history.has("loss") and bool(history.known("loss")[first])
    return "while the loss was still finite" if known and np.isfinite(loss[first]) else "together with the loss"


def _amount(history: History, total: float) -> str:
    return "at least one element, seen in a snapshot" if is_third_party(history) else plural(total, "element")
