"""304 loss-disconnected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, SimpleFinding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    any_dead,
    any_saturated,
    column,
    ever,
    incremental,
    is_recorded,
    loss_facts,
    optimizer_slots_say,
    output_units,
    run_column,
    streak,
    trainable,
    trainable_kernels,
    variables,
)
from ...wording import evidence, is_custom_loop, not_recorded, plural, steps


@rule(code=304, name="loss-disconnected", link="loss", explains=("zero-gradient",))
def loss_disconnected(history: History, *, rows: int = 3) -> Finding[Any] | CannotTell | None:
    """A loss that does not depend on what the model predicts.

    What it sees:
        Every gradient exactly 0 from the first step on, down to the output layer's own, while predictions differ from
        sample to sample and no layer is dead or saturated: what lies between the predictions and the loss gives 0.
        Or a loss that is exactly 0 from the first step although predictions and targets differ; or, where neither was
        shown, exactly the same number for batch after batch, with an optimizer that has never got a gradient.

    Why it matters:
        A mask or weight of 0, a clipped or rounded prediction, a loss made of the targets alone: none of them reacts
        to a weight, so no weight is ever told where to go.

    When it is a false alarm:
        A hinge loss is 0 with right, when all samples are beyond the margin; that is told apart where the loss
        is known.

    What to try:
        Change the predictions by hand and see whether the loss changes; look for sample weights, masks and clipping.

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
    if not is_recorded(history, "gradient_norm"):
        return _same_number(history, rows)
    able = trainable(history)
    if not able.any():
        return None
    lived, zero = _gradients(history)
    never = ~ever(lived) & zero
    if not never.any() or not trainable_kernels(history).any():
        return None
    loss = run_column(history, "loss")
    nothing = loss == 0
    unlike = _unlike(history)
    spread = run_column(history, "prediction_std")
    varied = ever(spread > 0)  # where predictions were not seen, 402 tells what is certain
    firing = (streak(never) >= rows) & varied & ~_flat(history) & ~_weightless(history)
    firing &= ~nothing | unlike
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        total = int(able.sum())
        said = f" (it is {number(float(loss[row]))})" if np.isfinite(loss[row]) else ""
        weights = (
            "    model.fit(x, y, sample_weight=None)   # and class_weight: are they all 0?"
            if not is_custom_loop(history)
            else "    print(loss_function(y, y_pred), loss_function(y, y_pred + 0.1))   # must differ"
        )
        return VerdictText(
            message=f"The loss does not depend on the predictions{said}: all {plural(total, 'gradient')} are exactly "
            f"zero in {steps(history, row + 1, 'recorded step')}, the output layer's included, although predictions "
            "differ from sample to sample",
            fix="Look at what lies between the predictions and the loss: a mask, sample or class weight of 0, "
            f"tf.clip_by_value, tf.round, tf.sign, a loss of the targets alone:\n{weights}",
            evidence=(
                evidence("gradients at exactly zero", total, f"of {total} trainable", quantity="gradient_norm"),
                evidence("prediction spread", spread[row], "over samples", quantity="prediction_std"),
            ),
            severity="error",
            certainty="likely" if nothing[row] else "certain",
            variables=tuple(v.name for v, a in zip(variables(history), able, strict=True) if a),
        )

    return Finding(firing, tell)


def _same_number(history: History, rows: int) -> Finding[Any] | CannotTell:
    """Where neither gradients nor predictions were shown: a loss that no batch changes, and no gradient ever."""
    loss = run_column(history, "loss")
    known = np.isfinite(loss)
    first = loss[known][0] if known.any() else np.nan
    same = (np.cumsum(known & (loss == first)) >= rows) & (np.cumsum(known & (loss != first)) == 0)
    fault = SimpleFinding(
        same & optimizer_slots_say(history, "zero", rows),
        f"The loss does not depend on the predictions: it is exactly {number(float(first))} for every batch, and the "
        "optimizer has never got a gradient other than zero",
        "Look at what lies between the predictions and the loss: a mask or weight of 0, tf.clip_by_value, a loss of "
        "constants alone:\n    print(loss_function(y, y_pred), loss_function(y, y_pred + 0.1))   # must differ",
        (evidence("loss", float(first), "of every batch, exactly", quantity="loss"),),
    )
    return fault.finding() or not_recorded(history, "gradient_norm")


@incremental
def _gradients(rows: History, carry: Carry) -> tuple[Bool, Bool]:
    """Returns `[T]` whether any trainable variable has a gradient above 0, and whether all kernels' are exactly 0."""
    norm = column(rows, "gradient_norm")
    assert norm is not None
    zero = (norm == 0) & trainable(rows)
    return np.asarray(((norm > 0) & trainable(rows)).any(axis=1)), zero[:, trainable_kernels(rows)].all(axis=1)


def _unlike(history: History) -> Bool:
    """Returns `[T]` whether a loss of exactly 0 contradicts predictions and targets, or the loss' own kind."""
    found = loss_facts(history)
    name = f"{found.get('class') or ''}{found.get('name') or ''}".lower()
    exact = any(part in name for part in ("crossentropy", "squared", "absolute", "mse", "mae", "huber", "cosh"))
    units = output_units(history) or 1
    if "categorical" in name:  # right and sure predictions would differ by this much
        sure = np.sqrt((1 - 1 / units) / units)
        return np.asarray(
            (run_column(history, "prediction_std") < 0.5 * sure) & (run_column(history, "target_std") > 0)
        )
    apart = np.abs(run_column(history, "prediction_mean") - run_column(history, "target_mean"))
    scale = np.fmax(np.abs(run_column(history, "target_mean")), run_column(history, "target_std"))
    return np.asarray((apart > 0.05 * scale) & exact)


def _flat(history: History) -> Bool:
    """Returns `[T]` whether a layer is dead or saturated, which would explain the zeros."""
    return np.asarray(any_dead(history)[0] | any_saturated(history))


@incremental
def _weightless(rows: History, carry: Carry) -> Bool:
    """Returns `[T]` whether a kernel consists of zeros, behind which nothing gets a gradient."""
    weight = column(rows, "weight_norm")
    if weight is None:
        return np.zeros(len(rows), bool)
    return np.asarray((weight[:, trainable_kernels(rows)] == 0).any(axis=1))
