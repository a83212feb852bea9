"""104 constant-data."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...wording import number


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
) -> Finding[Details] | CannotTell | None:
    """Inputs that are the same for every sample, or targets that are all the same.

    What it sees:
        Batches in which no input feature varies from sample to sample and which all have the same mean; or targets that
        have had one and the same value in every batch so far.

    Why it matters:
        If all inputs are equal, the model cannot tell samples apart: the best it can predict is the mean of the
        targets. Targets that do not vary teach it a constant. Either comes from a pipeline that repeats one sample,
        divides by too large a number, or reads the wrong column.

    When it is a false alarm:
        When the targets are only a formality (a model with a loss of its own) or one-sided on purpose (the two halves
        of a GAN): targets are therefore not reported unless the loss function is known. Single constant features, such
        as the black border of an image, are healthy.

    What to try:
        Print one batch: x.std(axis=0), y.min(), y.max(). Then check each step of the pipeline that made it.

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
        samples: samples recorded before constant targets are reported.
    """
    if not np.isfinite(signals.run_column(history, "input_constant_share")).any() and not history.has("target_std"):
        return CannotTell("the data were not recorded (pass inputs=x and targets=y to watch.step)")
    constant = {"inputs": _constant_inputs(history, rows), "targets": _constant_targets(history, target_rows, samples)}
    first_rows = {source: int(np.argmax(firing)) for source, firing in constant.items() if firing.any()}
    if not first_rows:
        return None
    source = min(first_rows, key=lambda name: first_rows[name])  # which was first does not change as rows are added
    return Finding(constant[source], partial(measure, history, source=source), text, evidence, claims)


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        source: "inputs" or "targets", whichever was found constant first.
        batches: number of batches whose inputs were recorded.
        samples: number of targets recorded.
        mean: mean of the inputs or targets; NaN for token ids.
        std: standard deviation of the inputs over all features.
        last_step: the step of this row.
    """

    source: str
    batches: int
    samples: int
    mean: float
    std: float
    last_step: int = 0


def measure(history: History, row: int, _: NDArray[np.intp], *, source: str) -> Details:
    """Returns the numbers of one row."""
    recorded = np.isfinite(signals.run_column(history, "input_constant_share"))
    return Details(
        source=source,
        batches=int(np.count_nonzero(recorded[: row + 1])),
        samples=int(_target_count(history)[row]),
        mean=float(signals.run_column(history, f"{source[:-1]}_mean")[row]),
        std=float(signals.run_column(history, f"{source[:-1]}_std")[row]),
        last_step=int(history.steps[row]),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    if details.source == "targets":
        return VerdictText(
            message=f"The targets are constant: all {details.samples:,} recorded so far are {number(details.mean)}, so "
            "the model can only learn to predict that value",
            fix="Look at the targets as the model gets them:\n    print(np.unique(y, return_counts=True))\n"
            "and at the step of the pipeline that makes them (column, threshold, filter, part of a sorted file).",
            variables=(),
        )
    value = f"all values are {number(details.mean)}" if details.std == 0 else f"their mean is {number(details.mean)}"
    if not np.isfinite(details.mean):
        value = "whole numbers"
    return VerdictText(
        message=f"The inputs are constant: in all {details.batches:,} recorded batches no feature differs between "
        f"samples ({value}), so the model cannot tell samples apart",
        fix="Look at a batch as the model gets it, and at each step of the pipeline that made it:\n"
        "    x, y = next(iter(dataset)); print(x.shape, np.std(x, axis=0))   # must not be all 0",
        certainty="certain",
        variables=(),
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    if details.source == "targets":
        return (Evidence("target spread", 0.0, "in every recorded batch", quantity="target_std"),)
    return (Evidence("constant features", 1.0, "share, in every recorded batch", quantity="input_constant_share"),)


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns what the message states of the recorded batches."""
    first, last = 1, details.last_step
    if details.source == "targets":
        return (
            Claim("is", "target_std", 0, first, last, recorded_only=True),
            Claim("is", "target_mean", details.mean, first, last, recorded_only=True),
        )
    return (Claim("is", "input_constant_share", 1, first, last, recorded_only=True),)


def _same_so_far(values: signals.Float) -> signals.Bool:
    """Returns `[T]` whether all finite values so far are equal up to rounding."""
    low, high = -signals.running_max(-values), signals.running_max(values)
    return np.asarray(high - low <= 1e-5 * np.maximum(np.abs(high), np.abs(low)))


def _constant_inputs(history: History, rows: int) -> signals.Bool:
    """Returns `[T]` whether no input feature has varied in any batch so far."""
    share, mean = signals.run_column(history, "input_constant_share"), signals.run_column(history, "input_mean")
    recorded, trend = np.isfinite(share), signals.loss_trend(history)
    varied = signals.ever(recorded & (share < 1))
    same = _same_so_far(mean) | ~np.isfinite(mean)  # token ids have no mean
    enough = np.cumsum(recorded) >= rows
    return np.asarray(~varied & same & enough & recorded & ~(trend.enough_rows & trend.low()))


def _constant_targets(history: History, rows: int, samples: int) -> signals.Bool:
    """Returns `[T]` whether all targets so far are equal, where the loss is known or they must be class ids.

    Those of a GAN's discriminator are equal on purpose.
    """
    several_outputs = (signals.output_units(history) or 1) > 1
    loss = signals.loss_facts(history)
    sparse = "sparse" in f"{loss.get('class') or ''}{loss.get('name') or ''}".lower()
    if not signals.targets_are_class_ids(history) and (not loss or (several_outputs and not sparse)):
        return np.zeros(len(history), bool)
    std = signals.run_column(history, "target_std")
    recorded = np.isfinite(std)
    varied = signals.ever(recorded & (std > 0))
    enough = (np.cumsum(recorded) >= rows) & (_target_count(history) >= samples)
    return np.asarray(~varied & _same_so_far(signals.run_column(history, "target_mean")) & enough & recorded)


def _target_count(history: History) -> signals.Float:
    """Returns `[T]` the number of samples so far whose targets were recorded."""
    batch_size = signals.run_column(history, "batch_size")
    batch_size = np.where(np.isfinite(batch_size), batch_size, 1)
    return np.cumsum(np.where(np.isfinite(signals.run_column(history, "target_std")), batch_size, 0))
