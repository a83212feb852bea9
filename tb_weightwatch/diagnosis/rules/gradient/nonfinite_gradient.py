"""405 nonfinite-gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    any_positive,
    column,
    incremental,
    recorded_layers,
    run_column,
    trailing_mean,
    trainable,
)
from ...wording import evidence, plural, variable_names


@rule(
    code=405,
    name="nonfinite-gradient",
    link="gradient",
    needs=("gradient_nonfinite",),
    explains=("nonfinite-weight", "zero-gradient", "dead-relu", "saturated-activation", "updates-not-applied"),
)
def nonfinite_gradient(
    history: History, *, elements: int = 1, skipped: float = 0.5
) -> Finding[Any] | CannotTell | None:
    """NaN or infinite numbers in a gradient.

    What it sees:
        Gradient elements that are NaN or infinite (an exact count), the variables, the first step, and whether the
        loss, a layer's output or a weight was not finite before.

    Why it matters:
        One update with a NaN turns the whole variable into NaN, and the next step all of them. While the loss is still
        finite, the culprit is a derivative: the square root or a norm at 0, a division of 0 by 0, a power below 1.

    When it is a false alarm:
        In mixed precision, loss scaling meets an infinite gradient now and then, skips that step and halves the scale;
        that is how it works, and it stays silent as long as most steps are taken.

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
        elements: how many non-finite elements of a variable are reported.
        skipped: in mixed precision, share of recorded steps with such a gradient from which it is reported.
    """
    firing = _odd(history, elements)
    if not firing.any() or _weights(history)[: int(np.flatnonzero(firing.any(axis=1))[0])].any():
        return None  # or weights were lost before: 703 tells of it
    if history.has("loss_scale") and (run_column(history, "loss_scale") > 1).any():
        often = trailing_mean(np.asarray(firing.any(axis=1), np.float64), 20) > skipped
        firing = firing & (often & (np.arange(len(history)) >= 9) | _weights(history))[:, None]

    def tell(row: int, concerned: NDArray[np.intp]) -> VerdictText:
        first = int(np.flatnonzero(firing.any(axis=1))[0])
        began = np.flatnonzero(firing[first])
        step = int(history.steps[first])
        total = float(np.nansum(history.column("gradient_nonfinite")[first, began], dtype=np.float64))
        before, origin = _origin(history, first)
        message = (
            f"The gradient of {variable_names(history, began)} became NaN or infinite at step {step:,} "
            f"({plural(total, 'element')}){before}"
        )
        return VerdictText(
            message=message,
            fix=_FIXES[origin],
            evidence=(
                evidence(
                    "NaN/Inf in gradients", total, plural(total, "element"), step=step, quantity="gradient_nonfinite"
                ),
                evidence("loss", run_column(history, "loss")[first], "in the same step", step=step, quantity="loss"),
            ),
            severity="error",
            certainty="certain",
        )

    return Finding(firing, tell)


_FIXES = {
    "weight": "Start again from finite weights with a lower learning rate, and clip:\n"
    "    optimizer = keras.optimizers.Adam(1e-4, global_clipnorm=1.0)",
    "forward": "The forward pass overflows or divides by zero: add a small constant inside log and divisions, use\n"
    "    loss = keras.losses.CategoricalCrossentropy(from_logits=True)   # instead of log(softmax(x))",
    "backward": "A derivative is infinite where the value is fine (sqrt or norm at 0, 0 / 0): add a small constant\n"
    "    tf.sqrt(x + 1e-12)   # and to find the place: tf.debugging.enable_check_numerics()",
}


@incremental
def _odd(rows: History, carry: Carry, elements: int) -> Bool:
    """Returns `[T, V]` where a trainable variable has so many elements that are not finite."""
    count = column(rows, "gradient_nonfinite")
    assert count is not None
    return np.asarray((count >= elements) & trainable(rows))


def _weights(history: History) -> Bool:
    return any_positive(history, "weight_nonfinite")


def _origin(history: History, first: int) -> tuple[str, str]:
    """Returns what was not finite before the first such gradient, in words and as a key of the fixes."""
    if first and _weights(history)[:first].any():
        at = int(np.flatnonzero(_weights(history))[0])
        return f", after weights had become NaN or infinite at step {int(history.steps[at]):,}", "weight"
    outputs = column(history, "output_nonfinite")
    if outputs is not None and (outputs[: first + 1] > 0).any():
        at = int(np.flatnonzero((outputs > 0).any(axis=1))[0])
        name = recorded_layers(history)[int(np.flatnonzero(outputs[at] > 0)[0])].name
        return f", from the output of '{name}', which is not finite at step {int(history.steps[at]):,}", "forward"
    if not history.has("loss"):
        return "", "backward"
    loss = run_column(history, "loss")[: first + 1]
    if not np.isfinite(loss[-1]) and history.known("loss")[first]:
        return f", together with the loss, which is {number(float(loss[-1]))} then", "forward"
    return f", while the loss was still finite ({number(float(loss[-1]))})", "backward"
