"""506 loss-scale-skipping."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...wording import number, plural


@rule(
    code=506,
    name="loss-scale-skipping",
    link="optimizer",
    explains=(
        "nonfinite-loss", "exploding-gradient", "learning-rate-too-large", "nonfinite-gradient",
        "updates-not-applied", "nonfinite-weight", "update-below-precision",
    ),
)  # fmt: skip
def loss_scale_skipping(
    history: History, *, rows: int = 10, skipped: float = 0.5
) -> Finding[Details] | CannotTell | None:
    """Mixed precision skips step after step, because the gradient overflows at every loss scale.

    What it sees:
        A loss scale that is halved in most of the recorded steps while the optimizer's step count does not increase.

    Why it matters:
        The largest float16 is 65,504. Loss scaling multiplies the loss; if a gradient overflows, the step is skipped
        and the scale is halved. If it overflows every time, no update is ever applied, the scale falls to 0, and the
        first finite step after that divides by it and turns the weights into NaN.

    When it is a false alarm:
        The scale finds its level by a few skipped steps at the beginning and one now and then: nothing is reported.

    What to try:
        Find the layer whose output overflows (huge inputs, exp, a sum over many elements) and compute it in float32;
        mixed_bfloat16 has the range of float32 and needs no scaling.

    Sick example:
        optimizer = optimizers.LossScaleOptimizer(optimizers.Adam(), initial_scale=1e30)   # overflows in float16
        watch = fit(net(1, dtype="mixed_float16"), x, number, "mse", optimizer)

    Healthy example:
        optimizer = optimizers.LossScaleOptimizer(optimizers.Adam())
        watch = fit(net(1, dtype="mixed_float16"), x, number, "mse", optimizer)

    References:
        https://keras.io/api/mixed_precision/

    Args:
        history: what was recorded.
        rows: recorded steps before it is reported.
        skipped: share of the last steps that must have been skipped.
    """
    if not np.isfinite(signals.run_column(history, "loss_scale")).any():
        return None
    skips = _skips(history)
    firing = (signals.trailing_mean(skips.astype(np.float64), 2 * rows) > skipped) & ~_advances(history, rows)
    firing &= np.arange(len(history)) >= rows - 1
    if not firing.any() or _loss_was_lost_first(history, skips):
        return None
    return Finding(np.asarray(firing), partial(measure, history), text, evidence)


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        skipped: number of recorded steps that were skipped.
        rows: number of recorded steps.
        initial_scale, scale: the loss scale at first and now.
        names: names of the variables whose gradients overflowed.
    """

    skipped: int
    rows: int
    initial_scale: float
    scale: float
    names: tuple[str, ...]

    @property
    def steps_to_zero(self) -> int:
        """The number of skipped steps that bring the scale to 0 in float32, of which 2 ** -149 is the smallest."""
        return max(1, math.ceil(math.log2(self.scale)) + 149)


def measure(history: History, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    scale = signals.run_column(history, "loss_scale")
    return Details(
        skipped=int(_skips(history)[: row + 1].sum()),
        rows=row + 1,
        initial_scale=float(scale[np.isfinite(scale)][0]),
        scale=float(signals.latest_known(scale)[row]),
        names=_overflowing(history, row),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    prospect = (
        f"; about {details.steps_to_zero:,} more skipped steps will bring the scale to 0, and the next applied step "
        "will turn the weights into NaN"
        if details.scale > 0
        else ""
    )
    return VerdictText(
        message=f"Mixed precision skips its steps: in {details.skipped:,} of {plural(details.rows, 'recorded step')} a "
        f"gradient overflowed and no update was applied, and the loss scale fell from {number(details.initial_scale)} "
        f"to {number(details.scale)}{prospect}",
        fix="Use the 16-bit type that does not overflow:\n"
        "    keras.mixed_precision.set_global_policy('mixed_bfloat16')   # before the model is made\n"
        "or find the layer whose numbers exceed float16 (65,504), give it dtype='float32', and scale its inputs.",
        certainty="certain",
        variables=details.names,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    initial_scale, recorded = f"{number(details.initial_scale)} at first", f"of {details.rows:,} recorded"
    return (
        Evidence("loss scale", details.scale, initial_scale, quantity="loss_scale"),
        Evidence("skipped steps", float(details.skipped), recorded, quantity="iterations"),
    )


def _skips(history: History) -> signals.Bool:
    """Returns `[T]` whether the step was skipped: a gradient overflowed, or the loss scale was halved or is 0."""
    scale = signals.run_column(history, "loss_scale")
    latest = signals.latest_known(scale)
    halved = np.r_[False, latest[1:] < latest[:-1]] | (latest == 0)
    return np.asarray((signals.any_positive(history, "gradient_nonfinite") | halved) & np.isfinite(scale))


def _loss_was_lost_first(history: History, skips: signals.Bool) -> bool:
    """Checks whether the loss itself was not finite at the first skipped step, which no loss scale can repair."""
    if not history.axis("loss"):
        return False
    nonfinite = history.known("loss") & ~np.isfinite(signals.run_column(history, "loss"))
    return bool(nonfinite.any() and skips.any() and np.argmax(nonfinite) <= np.argmax(skips))


def _advances(history: History, rows: int) -> signals.Bool:
    """Returns `[T]` whether the optimizer has counted a step in more than half of the last rows."""
    count = signals.latest_known(signals.run_column(history, "iterations"))
    counted = np.r_[0.0, (count[1:] > count[:-1]).astype(np.float64)]
    return np.asarray(signals.trailing_mean(counted, 2 * rows) > 0.5)


def _overflowing(history: History, row: int) -> tuple[str, ...]:
    """Returns the names of the trainable variables whose gradient was not finite in any row up to this one."""
    count = signals.column(history, "gradient_nonfinite")
    if count is None:
        return ()
    overflowed = (count[: row + 1] > 0).any(axis=0) & signals.trainable(history)
    return tuple(signals.variables(history)[i].name for i in np.flatnonzero(overflowed))
