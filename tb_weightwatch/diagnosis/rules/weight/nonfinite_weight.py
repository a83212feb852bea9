"""703 nonfinite-weight."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...fixes import lower_learning_rate_fix
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...statements import Onset, nonfinite_onset
from ...third_party import is_third_party
from ...wording import plural, quote_list


@rule(
    code=703,
    name="nonfinite-weight",
    link="weight",
    needs=("weight_nonfinite",),
    explains=("zero-gradient", "dead-relu", "saturated-activation", "update-below-precision"),
)
def nonfinite_weight(history: History, *, elements: int = 1) -> Finding[Details] | CannotTell | None:
    """NaN or infinite numbers in a weight.

    What it sees:
        Weights with elements that are NaN or infinite (an exact count), since which step, and whether gradient and loss
        of that step were still finite: then the optimizer, or an assignment, produced them.

    Why it matters:
        A NaN in a weight never goes away: every later forward pass, gradient and update through it is NaN. On a CPU,
        fused Dense and ReLU turn NaN into 0, so the loss may look fine although the kernel is lost.

    When it is a false alarm:
        Never; masks and padding belong in the data, not in the weights.

    What to try:
        Go back to the last checkpoint with finite weights; then remove the cause: a learning rate far too large, an
        optimizer setting that divides by 0, a loss scale of 0, NaN in the data.

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
        elements: number of non-finite elements from which they are reported.
    """
    firing = _nonfinite(history, elements)
    return Finding(firing, partial(measure, history, firing), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states of the first step with such a weight.

    Attributes:
        names: names of the variables with such elements in that step.
        elements: number of those elements.
        began: when that was, as far as the recorded steps show.
        before: what was known before: "" if nothing, "unknown" in the first recorded step, "gradient" if it was not
            finite, "finite gradient", "finite loss", "gap" if steps before it were not recorded.
        snapshots: whether the weights were logged in snapshots only, which do not hold a count.
        nonfinite: number of variables that are not finite by now.
        variables: number of all variables.
        fix: what to change.
    """

    names: tuple[str, ...]
    elements: float
    began: Onset
    before: str
    snapshots: bool
    nonfinite: int
    variables: int
    fix: str = ""

    @property
    def amount(self) -> str:
        """The number of elements in words."""
        return "at least one element, seen in a snapshot" if self.snapshots else plural(self.elements, "element")


def measure(history: History, firing: signals.Bool, row: int, variables: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of the first row at which it fires."""
    first = int(np.flatnonzero(firing.any(axis=1))[0])
    affected = np.flatnonzero(firing[first])
    names = tuple(signals.variables(history)[i].name for i in affected)
    return Details(
        names=names,
        elements=float(np.nansum(history.column("weight_nonfinite")[first, affected], dtype=np.float64)),
        began=nonfinite_onset(history, "weight_nonfinite", first, names),
        before=_before(history, first),
        snapshots=is_third_party(history),
        nonfinite=len(variables),
        variables=len(signals.variables(history)),
        fix=_fix(history, first),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    affected = f"{details.nonfinite} of {details.variables} variables affected by now"
    return VerdictText(
        message=f"Weights became NaN or infinite {details.began}: {quote_list(details.names)} "
        f"({details.amount}), {_BEFORE[details.before]}; {affected}",
        fix=details.fix,
        certainty="certain" if details.began.exact or details.snapshots else "likely",
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    elements, amount = details.elements, details.amount
    return (Evidence("NaN/Inf in weights", elements, amount, step=details.began.step, quantity="weight_nonfinite"),)


def _fix(history: History, first: int) -> str:
    stop = (
        "    model.load_weights(checkpoint)\n"
        "    callbacks=[keras.callbacks.TerminateOnNaN()]   # by hand: tf.debugging.check_numerics(loss, 'loss')\n"
    )
    return f"Go back to finite weights and stop at the first NaN:\n{stop}{lower_learning_rate_fix(history, first)}"


_BEFORE = {
    "unknown": "which is the first recorded step: they may have been so before",
    "gradient": "after a gradient that was not finite",
    "finite gradient": "although the gradient was finite: the optimizer's arithmetic or an assignment produced them",
    "gap": "in steps that were not recorded",
    "finite loss": "while the loss of that step was finite",
    "": "together with the loss",
}


@signals.incremental
def _nonfinite(rows: History, carry: signals.Carry, elements: int) -> signals.Bool:
    """Returns `[T, V]` where a variable has at least `elements` non-finite elements."""
    count = signals.column(rows, "weight_nonfinite")
    assert count is not None
    return np.asarray(count >= elements)


def _before(history: History, first: int) -> str:
    """Returns what was known before the weights of row `first` were not finite: a key of `_BEFORE`."""
    # Snapshots of two steps do not show which of them was lost first.
    gradient = None if is_third_party(history) else signals.column(history, "gradient_nonfinite")
    exact = not first or int(history.steps[first] - history.steps[first - 1]) == 1
    if gradient is not None and not exact and not (gradient[:first] > 0).any():
        return "gap"
    if gradient is not None and (gradient[: first + 1] > 0).any():
        return "gradient" if first else "unknown"
    if gradient is not None and np.isfinite(gradient[first]).any():
        return "finite gradient"
    known = history.has("loss") and bool(history.known("loss")[first])
    return "finite loss" if known and np.isfinite(signals.run_column(history, "loss")[first]) else ""
