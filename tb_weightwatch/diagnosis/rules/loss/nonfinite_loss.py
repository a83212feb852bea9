"""303 nonfinite-loss."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import Evidence, Finding, History, VerdictText, rule
from ...wording import number, quote_list


@rule(
    code=303,
    name="nonfinite-loss",
    link="loss",
    needs=("loss",),
    explains=("nonfinite-gradient", "nonfinite-weight", "zero-gradient", "dead-relu"),
)
def nonfinite_loss(history: History, *, rows: int = 1) -> Finding[Details] | None:
    """A loss that is NaN or infinite while the weights before it were still finite.

    What it sees:
        The first recorded loss that is not finite, with gradients and weights that were finite until then: the forward
        pass or the loss function itself produced it. The layers' outputs of the same step show which of the two. Or
        the exception of a check of the loss for NaN, if the recorded steps before it were finite.

    Why it matters:
        log(0), a division by 0 or an overflow of exp gives an infinite loss; its gradient is NaN, and one update later
        every weight is NaN for good.

    When it is a false alarm:
        In mixed precision a step whose loss overflows is skipped. The next loss is finite again, and the finding is
        resolved.

    What to try:
        Compute the loss from raw outputs (from_logits=True) instead of log(softmax(x)); add a small constant inside
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
    bad = _nonfinite(history)
    if not bad.any() or _weights_lost_before(history, int(np.argmax(bad))):
        return None  # where the weights were lost first, 405 or 703 explains it
    firing = bad & (np.cumsum(bad) >= rows)
    return Finding(firing, partial(measure, history), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        loss: the first loss that is not finite.
        step: its training step.
        previous_loss, previous_step: the last finite loss before it; None if there is none.
        bad_rows, rows: recorded steps so far with a loss that is not finite, and all.
        finite: what was finite at that step: "weights", "layers' outputs".
        bad_layer: the first layer whose output was not finite at that step; "" if there is none or it is not known.
        bad_gradients: names of the variables whose gradient was not finite at that step.
        log_of_probabilities: whether the output is a probability of which the loss takes the logarithm.
        activation: activation of the output layer.
    """

    loss: float
    step: int
    previous_loss: float | None
    previous_step: int | None
    bad_rows: int
    rows: int
    finite: tuple[str, ...]
    bad_layer: str
    bad_gradients: tuple[str, ...]
    log_of_probabilities: bool
    activation: str


def measure(history: History, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    loss, bad = signals.run_column(history, "loss"), _nonfinite(history)
    first, activation = int(np.argmax(bad)), signals.output_activation(history)
    before = np.flatnonzero(np.isfinite(loss[:first]))
    outputs = signals.column(history, "output_nonfinite")
    bad_layers = _positive(outputs, first)
    weights = ("weights",) if signals.is_recorded(history, "weight_nonfinite") else ()
    layers = ("layers' outputs",) if outputs is not None and not len(bad_layers) else ()
    gradients = _positive(signals.column(history, "gradient_nonfinite"), first)
    return Details(
        loss=float(loss[first]),
        step=int(history.steps[first]),
        previous_loss=float(loss[before[-1]]) if len(before) else None,
        previous_step=int(history.steps[before[-1]]) if len(before) else None,
        bad_rows=int(bad[: row + 1].sum()),
        rows=row + 1,
        finite=weights + layers,
        bad_layer=signals.recorded_layers(history)[bad_layers[0]].name if len(bad_layers) else "",
        bad_gradients=tuple(signals.variables(history)[i].name for i in gradients),
        log_of_probabilities=signals.is_cross_entropy(history) or activation in ("softmax", "sigmoid"),
        activation=activation,
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    before = ", from the first step on"
    if details.previous_loss is not None and details.previous_step is not None:
        adjacent = details.previous_step == details.step - 1
        when = "in the step before" if adjacent else f"at step {details.previous_step:,}"
        before = f", after {number(details.previous_loss)} {when}"
    finite = f", while the {' and the '.join(details.finite)} were finite" if details.finite else ""
    origin = ""
    if details.bad_layer:
        origin = f": the output of '{details.bad_layer}' is not finite in the same step"
    elif "layers' outputs" in details.finite:
        origin = ": the loss itself overflows or takes the logarithm of 0"
    gradients = ""
    if details.bad_gradients:
        gradients = f"; in the first of them the gradient of {quote_list(details.bad_gradients)} is not finite either"
    return VerdictText(
        message=f"The loss became {number(details.loss)} at step {details.step:,}{before}{finite}{origin}; not finite "
        f"in {details.bad_rows:,} of {details.rows:,} recorded steps{gradients}",
        fix=_fix(details),
        certainty="certain",
        variables=(),
    )


def _fix(details: Details) -> str:
    if details.log_of_probabilities:
        loss_class = "BinaryCrossentropy" if details.activation == "sigmoid" else "SparseCategoricalCrossentropy"
        return (
            "Compute the loss from raw outputs, not from the logarithm of probabilities that can be 0:\n"
            f"    keras.layers.Dense(units)   # no activation\n"
            f"    loss = keras.losses.{loss_class}(from_logits=True)\n"
            "or keep the probabilities away from 0:\n    tf.math.log(p + 1e-7)"
        )
    return (
        "Find the operation, then keep its input away from 0 and from overflow:\n"
        "    tf.debugging.enable_check_numerics()\n    tf.math.log(x + 1e-7); tf.sqrt(x + 1e-12); a / (b + 1e-7)"
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return (Evidence("loss", details.loss, "the first that is not finite", step=details.step, quantity="loss"),)


def _nonfinite(history: History) -> signals.Bool:
    """Returns `[T]` whether a loss was recorded and is not finite."""
    return np.asarray(history.known("loss") & ~np.isfinite(signals.run_column(history, "loss")))


def _weights_lost_before(history: History, row: int) -> bool:
    """Whether a gradient or a weight was not finite before that row."""
    columns = ("gradient_nonfinite", "weight_nonfinite")
    return any(bool(signals.any_positive(history, name)[:row].any()) for name in columns)


def _positive(column: signals.Float | None, row: int) -> NDArray[np.intp]:
    """Returns the positions at which a column is above 0 in one row; none where it was not recorded."""
    return np.zeros(0, np.intp) if column is None else np.flatnonzero(column[row] > 0)
