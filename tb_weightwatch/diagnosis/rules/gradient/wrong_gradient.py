"""406 wrong-gradient."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule


@rule(code=406, name="wrong-gradient", link="gradient", explains=("no-learning-signal",))
def wrong_gradient(history: History, *, rows: int = 12) -> Finding[Details] | CannotTell | None:
    """A gradient that is not that of the loss, such as that of a custom gradient with a mistake.

    What it sees:
        An experiment, since a recording shows the gradient alone: the gradient check of `ww.probe` measures the slope
        of the loss by finite differences and compares it with the gradient, layer by layer. The two differ by more
        than 20 %, or in sign.

    Why it matters:
        A step against a wrong gradient need not lower the loss, with any learning rate. A wrong sign in one operation
        makes all layers before it climb the loss while those after it descend.

    When it is a false alarm:
        Straight-through estimators, gradient reversal and penalties on gradients differ on purpose. While the run
        learns, while its weights hardly move, and before there are 12 recorded steps, the difference is a note only.

    What to try:
        Write the derivative in tf.custom_gradient again, and compare it with tf.test.compute_gradient.

    Sick example:
        @tf.custom_gradient
        def square(z):
            return z * z, lambda upstream: -upstream * 2 * z     # wrong sign
        inputs = keras.Input((8,))
        hidden = layers.Lambda(square)(layers.Dense(16)(inputs))
        watch = fit(keras.Model(inputs, layers.Dense(1)(hidden)), x, number, "mse")
        watch.probe(x, number, experiments=["gradient-check"])

    Healthy example:
        @tf.custom_gradient
        def square(z):
            return z * z, lambda upstream: upstream * 2 * z
        inputs = keras.Input((8,))
        hidden = layers.Lambda(square)(layers.Dense(16)(inputs))
        watch = fit(keras.Model(inputs, layers.Dense(1)(hidden)), x, number, "mse")
        watch.probe(x, number, experiments=["gradient-check"])

    References:
        https://www.tensorflow.org/api_docs/python/tf/custom_gradient

    Args:
        history: what was recorded.
        rows: recorded steps before it is judged whether the run learns.
    """
    tests, stuck = signals.tests_of_cause(history, "wrong-gradient"), _learns_nothing(history, rows)
    firing = _confirmed(history, tests)
    if firing.any():
        return Finding(firing, partial(measure, history, tests, rows), text, evidence)
    # Without an experiment nothing is known of the gradient. Only where the run learns nothing although its weights
    # move does that leave the answer open; everywhere else a difference would be a note, and to ask every run for an
    # experiment would be noise.
    is_refuted = bool(tests) and tests[-1].cause.outcome == "refuted"
    if not stuck[-1:].any() or is_refuted:
        return None
    return CannotTell(f"{_lacked(tests)}: ww.probe(model, x, y, experiments=['gradient-check'])")


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        shown: what the experiment has shown, as a sentence without a full stop.
        step: completed training steps when it ran.
        learns_nothing: whether the weights move and the loss does not fall.
        loss: the course of the loss.
    """

    shown: str
    step: int
    learns_nothing: bool
    loss: signals.LossCourse


def measure(
    history: History, tests: tuple[signals.CauseTest, ...], rows: int, row: int, _: NDArray[np.intp]
) -> Details:
    """Returns what the last experiment up to a row has shown, and whether the run learns."""
    until = [test for test in tests if test.cause.outcome == "confirmed" and _row(history, test) <= row]
    learns_nothing = bool(_learns_nothing(history, rows)[row])
    return Details(until[-1].cause.message, until[-1].step, learns_nothing, signals.loss_course(history, row))


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    message = f"The gradient is not that of the loss: {details.shown}"
    fix = (
        "Return from the inner function the upstream gradient times the derivative of what the outer one returns, and "
        "compare the two results of compute_gradient (theoretical and numerical):\n"
        "    @tf.custom_gradient\n    def square(z):\n"
        "        return z * z, lambda upstream: upstream * 2 * z\n"
        "    print(tf.test.compute_gradient(square, [tf.constant([0.5, -2.0])]))"
    )
    if details.learns_nothing:
        return VerdictText(f"{message}, and {details.loss.standstill}", fix, variables=())
    harmless = "this is harmless if it is on purpose (a straight-through estimator, gradient reversal)"
    return VerdictText(f"{message}; {harmless}", fix, severity="info", variables=())


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    return (Evidence("completed steps", float(details.step), "when the experiment ran"),)


def _lacked(tests: tuple[signals.CauseTest, ...]) -> str:
    if tests:
        return f"the experiment left it open ({tests[-1].cause.message}); it can be repeated"
    return "whether the gradient is that of the loss shows in an experiment only"


def _row(history: History, test: signals.CauseTest) -> int:
    """Returns the row whose weights an experiment examined: the last one before it, since not all steps are rows."""
    return max(history.at(test.step), 0)


def _confirmed(history: History, tests: tuple[signals.CauseTest, ...]) -> signals.Bool:
    """Returns `[T]` whether the last experiment up to each row that decided it confirms a wrong gradient."""
    confirmed = np.zeros(len(history), bool)
    for test in tests:
        if test.cause.outcome in ("confirmed", "refuted"):
            confirmed[_row(history, test) :] = test.cause.outcome == "confirmed"
    return confirmed


def _learns_nothing(history: History, rows: int) -> signals.Bool:
    """Returns `[T]` whether the loss stands still although the weights move.

    Where they do not, the gradient is used for nothing, and it is not what keeps the run from learning.
    """
    trend = signals.loss_trend(history)
    moves = signals.ever(signals.any_moved(history)) & ~signals.barely_moving(history)
    return np.asarray(trend.not_improving() & (trend.finite_rows >= rows) & moves)
