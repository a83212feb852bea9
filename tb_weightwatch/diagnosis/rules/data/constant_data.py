"""104 constant-data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, SimpleFinding, earliest, rule
from ...signals import Bool, Float, loss_facts, loss_trend, output_units, run_column, running_max
from ...wording import evidence


@rule(
    code=104,
    name="constant-data",
    link="data",
    explains=(
        "constant-output", "zero-gradient", "no-learning-signal", "dead-relu", "loss-disconnected", "unscaled-target",
        "vanishing-gradient", "learning-rate-too-small",
    ),
)  # fmt: skip
def constant_data(
    history: History, *, rows: int = 3, target_rows: int = 20, samples: int = 600
) -> Finding[Any] | CannotTell | None:
    """Inputs that are the same for every sample, or targets that are all the same.

    What it sees:
        Batches in which no input feature varies from sample to sample, all of the same mean; or targets that have had
        one and the same value in every batch so far.

    Why it matters:
        From inputs that do not vary nothing can be told apart: the best answer is the mean of the targets. Targets that
        do not vary teach a constant. Either comes from a pipeline that repeats one sample, divides by too much,
        or reads the wrong column.

    When it is a false alarm:
        Targets that are there for form only (a model with a loss of its own) or one-sided on purpose (the two halves of
        a GAN): a loss function that is not known keeps this silent about targets. Single constant features, such
        as the dead border of a picture, are healthy.

    What to try:
        Print one batch: x.std(axis=0), y.min(), y.max(); look at what the pipeline does to it.

    Sick example:
        x[:] = x[0]   # a pipeline that repeats one sample
        watch = fit(net(1), x, number, "mse")

    Healthy example:
        watch = fit(net(1), x, number, "mse")

    References:
        https://www.tensorflow.org/guide/data

    Args:
        history: what was recorded.
        rows: recorded steps before constant inputs are reported.
        target_rows: recorded steps before constant targets are reported.
        samples: samples seen before constant targets are reported.
    """
    share = run_column(history, "input_constant_share")
    if not np.isfinite(share).any() and not history.has("target_std"):
        return CannotTell("the data were not seen (pass inputs=x and targets=y to watch.step)")
    return earliest(_inputs(history, share, rows), _targets(history, target_rows, samples))


def _one_value(values: Float) -> Bool:
    """Returns `[T]` whether all finite values so far are the same to rounding."""
    low, high = -running_max(-values), running_max(values)
    return np.asarray(high - low <= 1e-5 * np.maximum(np.abs(high), np.abs(low)))


def _inputs(history: History, share: Float, rows: int) -> SimpleFinding | None:
    known = np.isfinite(share)
    varied = np.logical_or.accumulate(known & (share < 1))
    mean = run_column(history, "input_mean")
    same = _one_value(mean) | ~np.isfinite(mean)  # token ids have none
    trend = loss_trend(history)
    firing = ~varied & same & (np.cumsum(known) >= rows) & known & ~(trend.enough_rows & trend.low())
    if not firing.any():
        return None
    count = int(np.cumsum(known)[firing][-1])
    value, spread = mean[firing][-1], run_column(history, "input_std")[firing][-1]
    whole = f"all {number(float(value))}" if spread == 0 else f"on average {number(float(value))}"
    whole = whole if np.isfinite(value) else "whole numbers"
    return SimpleFinding(
        firing,
        f"The inputs do not vary: in all {count:,} recorded batches no feature differs between samples ({whole}), "
        "so samples can not be told apart",
        "Look at a batch as the model gets it, and at each step of the pipeline that made it:\n"
        "    x, y = next(iter(dataset)); print(x.shape, np.std(x, axis=0))   # must not be all 0",
        (evidence("constant features", 1.0, "share, in every batch", quantity="input_constant_share"),),
    )


def _targets(history: History, rows: int, samples: int) -> SimpleFinding | None:
    spread, mean = run_column(history, "target_std"), run_column(history, "target_mean")
    if not loss_facts(history) or ((output_units(history) or 1) > 1 and "sparse" not in _kind(history)):
        return None
    known = np.isfinite(spread)
    varied = np.logical_or.accumulate(known & (spread > 0))
    batch = np.where(np.isfinite(run_column(history, "batch_size")), run_column(history, "batch_size"), 1)
    enough = (np.cumsum(known) >= rows) & (np.cumsum(np.where(known, batch, 0)) >= samples)
    firing = ~varied & _one_value(mean) & enough & known
    if not firing.any():
        return None
    value = number(float(mean[firing][-1]))
    return SimpleFinding(
        firing,
        f"The targets do not vary: all {int(np.nansum(np.where(known, batch, 0))):,} seen so far are {value}, so the "
        "model can only learn to answer that",
        "Look at the targets as the model gets them:\n    print(np.unique(y, return_counts=True))\n"
        "and at the step of the pipeline that makes them (column, threshold, filter, a sorted file read in part).",
        (evidence("target spread", 0.0, "in every batch", quantity="target_std"),),
        certainty="likely",
    )


def _kind(history: History) -> str:
    found = loss_facts(history)
    return f"{found.get('class') or ''}{found.get('name') or ''}".lower()
