"""304 loss-disconnected."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, SimpleFinding, VerdictText, rule
from ...statements import Streak, streak
from ...wording import is_custom_loop, not_recorded, number, plural


@rule(code=304, name="loss-disconnected", link="loss", explains=("zero-gradient",))
def loss_disconnected(history: History, *, rows: int = 3) -> Finding[Any] | CannotTell | None:
    """A loss that does not depend on what the model predicts.

    What it sees:
        Every gradient exactly 0 from the first step on, including those of the output layer, while predictions differ
        from sample to sample and no layer is dead or saturated: whatever lies between the predictions and the loss has
        a derivative of 0. Or a loss that is exactly 0 from the first step although predictions and targets differ; or,
        where neither was recorded, a loss that is exactly the same number for batch after batch, with an optimizer that
        has never received a non-zero gradient.

    Why it matters:
        A mask or weight of 0, a clipped or rounded prediction, or a loss that uses the targets alone does not change
        with any weight, so no weight gets a gradient.

    When it is a false alarm:
        A hinge loss is rightly 0 when all samples are beyond the margin; this case is recognised where the loss is
        known.

    What to try:
        Change the predictions by hand and check whether the loss changes. Look for sample weights, masks and clipping.

    Sick example:
        def loss(y, p):
            return mse(y, tf.clip_by_value(p, 5.0, 6.0))   # flat wherever the model is

        watch = loop(net(1), x, number, loss, optimizers.Adam(0.01))

    Healthy example:
        watch = loop(net(1), x, number, mse, optimizers.Adam(0.01))

    References:
        https://www.tensorflow.org/guide/autodiff

    Args:
        history: what was recorded.
        rows: recorded steps in a row before it is reported.
    """
    if not signals.is_recorded(history, "gradient_norm"):
        return _same_loss(history, rows).finding() or not_recorded(history, "gradient_norm")
    if not signals.trainable(history).any():
        return None
    some_nonzero, kernels_zero = _gradients(history)
    always_zero = signals.streak(~signals.ever(some_nonzero) & kernels_zero) >= rows
    # Where predictions were not recorded, 402 reports what is certain.
    varied = signals.ever(signals.run_column(history, "prediction_std") > 0)
    contradicted = (signals.run_column(history, "loss") != 0) | _zero_loss_contradicted(history)
    firing = np.asarray(always_zero & varied & ~_zeros_explained(history) & contradicted)
    return Finding(firing, partial(measure, history), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        loss: the loss of the latest row; NaN if it was not recorded.
        gradients: number of trainable variables, whose gradients are all exactly zero.
        duration: the recorded steps.
        prediction_std: standard deviation of the predictions over the samples of the latest batch.
        custom_loop: whether the training loop is hand-written.
        variables: names of the trainable variables.
    """

    loss: float
    gradients: int
    duration: Streak
    prediction_std: float
    custom_loop: bool
    variables: tuple[str, ...]


def measure(history: History, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    trainable = signals.trainable(history)
    names = tuple(signals.variables(history)[i].name for i in np.flatnonzero(trainable))
    return Details(
        loss=float(signals.run_column(history, "loss")[row]),
        gradients=int(trainable.sum()),
        duration=streak(history, row, row + 1, Claim("is", "gradient_norm", 0.0, variables=names)),
        prediction_std=float(signals.run_column(history, "prediction_std")[row]),
        custom_loop=is_custom_loop(history),
        variables=names,
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    loss = f" (it is {number(details.loss)})" if np.isfinite(details.loss) else ""
    code = (
        "    print(loss_function(y, y_pred), loss_function(y, y_pred + 0.1))   # must differ"
        if details.custom_loop
        else "    model.fit(x, y, sample_weight=None)   # and class_weight: are they all 0?"
    )
    return VerdictText(
        message=f"The loss does not depend on the predictions{loss}: all {plural(details.gradients, 'gradient')} are "
        f"exactly zero in {details.duration}, including those of the output layer, although predictions differ from "
        "sample to sample",
        fix="Check what lies between the predictions and the loss: a mask, a sample or class weight of 0, "
        f"tf.clip_by_value, tf.round, tf.sign, or a loss that uses the targets alone:\n{code}",
        certainty="likely" if details.loss == 0 else "certain",
        variables=details.variables,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    count = details.gradients
    return (
        Evidence("gradients at exactly zero", float(count), f"of {count} trainable", quantity="gradient_norm"),
        Evidence("prediction spread", details.prediction_std, "over samples", quantity="prediction_std"),
    )


def _same_loss(history: History, rows: int) -> SimpleFinding:
    """Finds a loss that is the same for every batch, where neither gradients nor predictions were recorded."""
    loss = signals.run_column(history, "loss")
    known = np.isfinite(loss)
    first = float(loss[known][0]) if known.any() else np.nan
    same = (np.cumsum(known & (loss == first)) >= rows) & (np.cumsum(known & (loss != first)) == 0)
    return SimpleFinding(
        same & signals.unmoved_with_slots(history, "zero", rows),
        f"The loss does not depend on the predictions: it is {number(first)} for every recorded batch, and the "
        "optimizer has never received a non-zero gradient",
        "Check what lies between the predictions and the loss: a mask or weight of 0, tf.clip_by_value, a loss made of "
        "constants alone:\n    print(loss_function(y, y_pred), loss_function(y, y_pred + 0.1))   # must differ",
        (Evidence("loss", first, "of every recorded batch", quantity="loss"),),
    )


@signals.incremental
def _gradients(rows: History, carry: signals.Carry) -> tuple[signals.Bool, signals.Bool]:
    """Returns `[T]` whether any trainable variable has a gradient above 0, and whether those of all kernels are 0."""
    norm = signals.column(rows, "gradient_norm")
    assert norm is not None
    zero = (norm == 0) & signals.trainable(rows)
    some_nonzero = ((norm > 0) & signals.trainable(rows)).any(axis=1)
    return np.asarray(some_nonzero), np.asarray(zero[:, signals.trainable_kernels(rows)].all(axis=1))


def _zero_loss_contradicted(history: History) -> signals.Bool:
    """Returns `[T]` whether a loss of exactly 0 contradicts predictions and targets, by the kind of loss."""
    facts = signals.loss_facts(history)
    name = f"{facts.get('class') or ''}{facts.get('name') or ''}".lower()
    prediction_mean, prediction_std = (signals.run_column(history, f"prediction_{n}") for n in ("mean", "std"))
    target_mean, target_std = (signals.run_column(history, f"target_{n}") for n in ("mean", "std"))
    if "categorical" in name:  # right and confident predictions would differ by this much
        units = signals.output_units(history) or 1
        return np.asarray((prediction_std < 0.5 * np.sqrt((1 - 1 / units) / units)) & (target_std > 0))
    distance = any(kind in name for kind in ("crossentropy", "squared", "absolute", "mse", "mae", "huber", "cosh"))
    scale = np.fmax(np.abs(target_mean), target_std)
    return np.asarray((np.abs(prediction_mean - target_mean) > 0.05 * scale) & distance)


def _zeros_explained(history: History) -> signals.Bool:
    """Returns `[T]` whether a dead or saturated layer, or a kernel of zeros, explains gradients of zero."""
    inactive = signals.any_dead(history)[0] | signals.any_saturated(history)
    return np.asarray(inactive | _kernel_of_zeros(history))


@signals.incremental
def _kernel_of_zeros(rows: History, carry: signals.Carry) -> signals.Bool:
    """Returns `[T]` whether a kernel consists of zeros, so that nothing before it gets a gradient."""
    weight = signals.column(rows, "weight_norm")
    if weight is None:
        return np.zeros(len(rows), bool)
    return np.asarray((weight[:, signals.trainable_kernels(rows)] == 0).any(axis=1))
