"""405 nonfinite-gradient."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...fixes import cross_entropy_class, lower_learning_rate_fix, points_to_divergence
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...statements import Onset, nonfinite_onset
from ...wording import number, plural, quote_list


@rule(
    code=405,
    name="nonfinite-gradient",
    link="gradient",
    needs=("gradient_nonfinite",),
    explains=("nonfinite-weight", "zero-gradient", "dead-relu", "saturated-activation", "updates-not-applied"),
)
def nonfinite_gradient(
    history: History, *, elements: int = 1, skipped: float = 0.5
) -> Finding[Details] | CannotTell | None:
    """NaN or infinite numbers in a gradient.

    What it sees:
        Gradient elements that are NaN or infinite (an exact count), in which variables, since which step, and whether
        the loss, a layer's output or a weight was not finite before. Or the exception of a check of the gradients, if
        the recorded steps before it were finite.

    Why it matters:
        One update with a NaN turns the whole variable into NaN, and the next step turns all of them into NaN. While
        the loss is still finite, a derivative is the culprit: that of a square root or norm at 0, of 0 divided by 0,
        or of a power below 1.

    When it is a false alarm:
        In mixed precision, loss scaling meets an infinite gradient now and then, skips that step and halves the scale.
        This is how it works, and nothing is reported as long as most steps are applied.

    What to try:
        tf.debugging.enable_check_numerics() names the operation. Add a small constant inside sqrt, log and divisions;
        tf.where needs safe numbers in both branches.

    Sick example:
        def loss(y, p):
            return mse(y, p) + tf.reduce_mean(tf.sqrt(tf.nn.relu(p - 100)))   # the slope of sqrt at 0 is infinite

        watch = loop(net(1), x, number, loss, optimizers.Adam(0.01))

    Healthy example:
        def loss(y, p):
            return mse(y, p) + tf.reduce_mean(tf.sqrt(tf.nn.relu(p - 100) + 1e-12))

        watch = loop(net(1), x, number, loss, optimizers.Adam(0.01))

    References:
        https://www.tensorflow.org/api_docs/python/tf/debugging/enable_check_numerics

    Args:
        history: what was recorded.
        elements: number of non-finite elements of a variable from which they are reported.
        skipped: in mixed precision, share of recorded steps with such a gradient from which it is reported.
    """
    firing = _nonfinite(history, elements)
    if not firing.any() or _nonfinite_weights(history)[: _first_row(firing)].any():
        return None  # where weights became NaN first, nonfinite-weight reports it
    if history.has("loss_scale") and (signals.run_column(history, "loss_scale") > 1).any():
        often = signals.trailing_mean(np.asarray(firing.any(axis=1), np.float64), 20) > skipped
        firing = firing & (often & (np.arange(len(history)) >= 9) | _nonfinite_weights(history))[:, None]
        if not firing.any():
            return None
    return Finding(firing, partial(measure, history, firing), text, evidence)


class Details(NamedTuple):
    """What the verdict states of the first step with such a gradient.

    Attributes:
        names: names of the variables with such a gradient.
        elements: number of their gradients' elements that are not finite.
        began: when that was, as far as the recorded steps show.
        loss: the loss in that step; NaN if it was not recorded.
        origin: what was not finite before or at that step: "weight", "output", "loss", or "" for none of them.
        loss_known: whether the loss was recorded in that step.
        origin_step: first step at which the weight or the output was not finite; 0 for other origins.
        layer: name of the layer with that output; "" for other origins.
        fix: what to change.
    """

    names: tuple[str, ...]
    elements: float
    began: Onset
    loss: float
    origin: str
    loss_known: bool = True
    origin_step: int = 0
    layer: str = ""
    fix: str = ""


def measure(history: History, firing: signals.Bool, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of the first row at which it fires."""
    first = _first_row(firing)
    variables = np.flatnonzero(firing[first])
    origin, origin_row, layer = _origin(history, first)
    names = tuple(signals.variables(history)[i].name for i in variables)
    diverged = origin == "weight" or points_to_divergence(history, first)
    return Details(
        names=names,
        elements=float(np.nansum(history.column("gradient_nonfinite")[first, variables], dtype=np.float64)),
        began=nonfinite_onset(history, "gradient_nonfinite", first, names),
        loss=float(signals.run_column(history, "loss")[first]),
        origin=origin,
        loss_known=history.has("loss") and bool(history.known("loss")[first]),
        origin_step=int(history.steps[origin_row]) if origin in ("weight", "output") else 0,
        layer=layer,
        fix=lower_learning_rate_fix(history, first) if diverged else _fix(history, origin),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    since = {
        "weight": f", after weights had become NaN or infinite at step {details.origin_step:,}",
        "output": f"; the output of '{details.layer}' is NaN or infinite at step {details.origin_step:,}",
        "loss": f", together with the loss, which is {number(details.loss)} at step {details.began.step:,}",
        "": f", while the loss of step {details.began.step:,} was finite ({number(details.loss)})" * details.loss_known,
    }[details.origin]
    return VerdictText(
        message=f"A gradient became NaN or infinite {details.began}: that of {quote_list(details.names)} "
        f"({plural(details.elements, 'element')}){since}",
        fix=details.fix,
        certainty="certain" if details.began.exact else "likely",
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    step, elements = details.began.step, plural(details.elements, "element")
    return (
        Evidence("NaN/Inf in gradients", details.elements, elements, step=step, quantity="gradient_nonfinite"),
        Evidence("loss", details.loss, "in the same step", step=step, quantity="loss"),
    )


def _fix(history: History, origin: str) -> str:
    """Returns what to change where nothing points to a divergence."""
    if not origin:
        return (
            "A derivative is infinite although the value is finite (sqrt or norm at 0, 0 / 0). Add a small constant:\n"
            "    tf.sqrt(x + 1e-12)   # tf.debugging.enable_check_numerics() names the operation"
        )
    what = "The forward pass overflows or divides by zero. Add a small constant inside log and divisions"
    if signals.is_cross_entropy(history) or signals.output_activation(history) in ("softmax", "sigmoid"):
        loss = f"keras.losses.{cross_entropy_class(history)}(from_logits=True)"
        return f"{what}, and use raw outputs:\n    loss = {loss}   # instead of the logarithm of probabilities"
    return f"{what}:\n    tf.debugging.enable_check_numerics()   # names the operation"


@signals.incremental
def _nonfinite(rows: History, carry: signals.Carry, elements: int) -> signals.Bool:
    """Returns `[T, V]` where the gradient of a trainable variable has at least `elements` non-finite elements."""
    count = signals.column(rows, "gradient_nonfinite")
    assert count is not None
    return np.asarray((count >= elements) & signals.trainable(rows))


def _nonfinite_weights(history: History) -> signals.Bool:
    """Returns `[T]` whether any weight is NaN or infinite."""
    return signals.any_positive(history, "weight_nonfinite")


def _first_row(firing: signals.Bool) -> int:
    return int(np.flatnonzero(firing.any(axis=1))[0])


def _origin(history: History, first: int) -> tuple[str, int, str]:
    """Returns what was not finite before the gradient of row `first`, from which row on, and the layer's name."""
    weights = _nonfinite_weights(history)
    if weights[:first].any():
        return "weight", int(np.flatnonzero(weights)[0]), ""
    outputs = signals.column(history, "output_nonfinite")
    if outputs is not None and (outputs[: first + 1] > 0).any():
        row = int(np.flatnonzero((outputs > 0).any(axis=1))[0])
        return "output", row, signals.recorded_layers(history)[int(np.flatnonzero(outputs[row] > 0)[0])].name
    loss = signals.run_column(history, "loss")[first]
    lost = history.has("loss") and not np.isfinite(loss) and bool(history.known("loss")[first])
    return ("loss" if lost else ""), first, ""
