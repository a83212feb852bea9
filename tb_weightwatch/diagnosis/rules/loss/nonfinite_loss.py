"""303 nonfinite-loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    any_positive,
    column,
    is_cross_entropy,
    is_recorded,
    output_activation,
    recorded_layers,
    run_column,
)
from ...wording import evidence, variable_names


@rule(
    code=303,
    name="nonfinite-loss",
    link="loss",
    needs=("loss",),
    explains=("nonfinite-gradient", "nonfinite-weight", "zero-gradient", "dead-relu"),
)
def nonfinite_loss(history: History, *, rows: int = 1) -> Finding[Any] | CannotTell | None:
    """A loss that is NaN or infinite while the weights before it were still finite.

    What it sees:
        The first recorded loss that is not finite, with gradients and weights that were finite until then: the forward
        pass or the loss itself made it. Which it was shows in the layers' outputs of the same step.

    Why it matters:
        log(0), a division by 0 or an overflow of exp gives an infinite loss; its gradient is NaN, and one update later
        every weight is NaN for good.

    When it is a false alarm:
        In mixed precision a step whose loss overflows is skipped, and the next one is finite again: then it is over.

    What to try:
        Let the loss see raw outputs (from_logits=True) instead of log(softmax(x)); add a small constant inside
        log, sqrt and divisions; tf.debugging.enable_check_numerics() names the operation.

    Sick example:
        def loss(y, p):
            return mse(y, tf.math.log(tf.nn.relu(p)))   # log(0)

        watch = loop(net(1), x, number, loss, optimizers.Adam(0.01))

    Healthy example:
        def loss(y, p):
            return mse(y, tf.math.log(tf.nn.softplus(p) + 1e-3))

        watch = loop(net(1), x, number, loss, optimizers.Adam(0.01))

    References:
        https://www.tensorflow.org/api_docs/python/tf/debugging/enable_check_numerics

    Args:
        history: what was recorded.
        rows: recorded steps with such a loss before it is reported.
    """
    loss = run_column(history, "loss")
    bad = history.known("loss") & ~np.isfinite(loss)
    if not bad.any():
        return None
    first = int(np.flatnonzero(bad)[0])
    if _lost_before(history, first):
        return None  # the weights were lost first, and 405 or 703 tells why
    firing = bad & (np.cumsum(bad) >= rows)

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        step = int(history.steps[first])
        before = np.flatnonzero(np.isfinite(loss[:first]))
        course = ", from the first step on"
        if len(before):
            last = int(history.steps[before[-1]])
            when = "in the step before" if last == step - 1 else f"at step {last:,}"
            course = f", after {number(float(loss[before[-1]]))} {when}"
        finite = ", while the weights were finite" if is_recorded(history, "weight_nonfinite") else ""
        share = int(bad[: row + 1].sum())
        return VerdictText(
            message=f"The loss became {number(float(loss[first]))} at step {step:,}{course}{finite}"
            f"{_origin(history, first)}; not finite in {share:,} of {row + 1:,} recorded steps"
            f"{_taken(history, first)}",
            fix=_fix(history),
            evidence=(evidence("loss", loss[first], "the first that is not finite", step=step, quantity="loss"),),
            severity="error",
            certainty="certain",
            variables=(),
        )

    return Finding(firing, tell)


def _lost_before(history: History, first: int) -> bool:
    return any(any_positive(history, name)[:first].any() for name in ("gradient_nonfinite", "weight_nonfinite"))


def _taken(history: History, first: int) -> str:
    """Names the variables whose gradients are lost in the same step."""
    values = column(history, "gradient_nonfinite")
    places = np.zeros(0, np.intp) if values is None else np.flatnonzero(values[first] > 0)
    return f", and with it the gradient of {variable_names(history, places)}" if len(places) else ""


def _origin(history: History, first: int) -> str:
    outputs = column(history, "output_nonfinite")
    if outputs is None:
        return ""
    odd = np.flatnonzero(outputs[first] > 0)
    if len(odd):
        return f": the output of '{recorded_layers(history)[int(odd[0])].name}' is not finite in the same step"
    return ", and so are the layers' outputs: the loss itself overflows or takes the logarithm of 0"


def _fix(history: History) -> str:
    if is_cross_entropy(history) or output_activation(history) in ("softmax", "sigmoid"):
        kind = "BinaryCrossentropy" if output_activation(history) == "sigmoid" else "SparseCategoricalCrossentropy"
        return (
            "Let the loss see raw outputs instead of taking a logarithm of probabilities that can be 0:\n"
            f"    keras.layers.Dense(units)   # no activation\n    loss = keras.losses.{kind}(from_logits=True)\n"
            "or keep away from 0:\n    tf.math.log(p + 1e-7)"
        )
    return (
        "Find the operation, then keep it away from 0 and from overflow:\n"
        "    tf.debugging.enable_check_numerics()\n    tf.math.log(x + 1e-7); tf.sqrt(x + 1e-12); a / (b + 1e-7)"
    )
