"""303 nonfinite-loss."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...fixes import cross_entropy_class, lower_learning_rate_fix, output_layer_code, points_to_divergence
from ...rule import Claim, Evidence, Finding, History, VerdictText, rule
from ...statements import Onset
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
        began: when that was, as far as the recorded steps show.
        previous_loss: the last finite loss before it; None if there is none.
        bad_rows, rows: recorded steps so far with a loss that is not finite, and all.
        weights_finite: whether all weights were finite after the recorded step before.
        outputs_finite: whether all recorded layers' outputs were finite at that step.
        bad_layer: the first layer whose output was not finite at that step; "" if there is none or it is not known.
        bad_gradients: names of the variables whose gradient was not finite at that step.
        fix: what to change.
    """

    loss: float
    began: Onset
    previous_loss: float | None
    bad_rows: int
    rows: int
    weights_finite: bool
    outputs_finite: bool
    bad_layer: str
    bad_gradients: tuple[str, ...]
    fix: str


def measure(history: History, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    loss, bad = signals.run_column(history, "loss"), _nonfinite(history)
    first = int(np.argmax(bad))
    before = np.flatnonzero(np.isfinite(loss[:first]))
    outputs = signals.column(history, "output_nonfinite")
    bad_layers = _positive(outputs, first)
    gradients = _positive(signals.column(history, "gradient_nonfinite"), first)
    return Details(
        loss=float(loss[first]),
        began=_began(history, float(loss[first]), int(before[-1]) if len(before) else -1, first),
        previous_loss=float(loss[before[-1]]) if len(before) else None,
        bad_rows=int(bad[: row + 1].sum()),
        rows=row + 1,
        weights_finite=first > 0 and signals.is_recorded(history, "weight_nonfinite"),
        outputs_finite=outputs is not None and not len(bad_layers),
        bad_layer=signals.recorded_layers(history)[bad_layers[0]].name if len(bad_layers) else "",
        bad_gradients=tuple(signals.variables(history)[i].name for i in gradients),
        fix=lower_learning_rate_fix(history, first) if points_to_divergence(history, first) else _fix(history),
    )


def _began(history: History, loss: float, before: int, first: int) -> Onset:
    """Returns when the loss was lost, with what is claimed of the rows `before` (-1: none) and `first`."""
    step, previous = int(history.steps[first]), int(history.steps[before]) if before >= 0 else 0
    was: list[Claim] = []
    if previous:
        was.append(Claim("finite", "loss", 0.0, previous, previous))
    if previous and signals.is_recorded(history, "weight_nonfinite"):
        was.append(Claim("at most", "weight_nonfinite", 0.0, previous, previous))
    return Onset(step, previous, was=tuple(was), became=(Claim("is", "loss", loss, step, step),))


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    began, before = details.began, ", the first recorded step" if details.began.step > 1 else ""
    parts = []
    if details.previous_loss is not None:
        finite = " with finite weights" if details.weights_finite else ""
        before = ""
        parts.append(f"it was {number(details.previous_loss)} at step {began.before:,}{finite}")
    if details.bad_layer:
        parts.append(f"the output of '{details.bad_layer}' is not finite at step {began.step:,}")
    elif details.outputs_finite:
        parts.append(
            f"the layers' outputs are finite at step {began.step:,}, so the loss itself overflows or takes log(0)"
        )
    parts.append(f"it is not finite in {details.bad_rows:,} of {details.rows:,} recorded steps")
    if details.bad_gradients:
        parts.append(f"at step {began.step:,} the gradient of {quote_list(details.bad_gradients)} is not finite either")
    return VerdictText(
        message=f"The loss became {number(details.loss)} {began}{before}: {'; '.join(parts)}",
        fix=details.fix,
        certainty="certain" if began.exact else "likely",
        variables=(),
    )


def _fix(history: History) -> str:
    """Returns what to change where nothing points to a divergence."""
    if signals.is_cross_entropy(history) or signals.output_activation(history) in ("softmax", "sigmoid"):
        return (
            "Compute the loss from raw outputs, not from the logarithm of probabilities that can be 0:\n"
            f"    {output_layer_code(history)}   # no activation\n"
            f"    loss = keras.losses.{cross_entropy_class(history)}(from_logits=True)\n"
            "or keep the probabilities away from 0:\n    tf.math.log(p + 1e-7)"
        )
    return (
        "Find the operation, then keep its input away from 0 and from overflow:\n"
        "    tf.debugging.enable_check_numerics()\n    tf.math.log(x + 1e-7); tf.sqrt(x + 1e-12); a / (b + 1e-7)"
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return (Evidence("loss", details.loss, "the first that is not finite", step=details.began.step, quantity="loss"),)


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
