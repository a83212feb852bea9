"""506 loss-scale-skipping."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import Bool, any_positive, column, latest_known, run_column, trailing_mean, trainable
from ...wording import evidence, plural, variable_names


@rule(
    code=506,
    name="loss-scale-skipping",
    link="optimizer",
    explains=(
        "nonfinite-loss", "exploding-gradient", "learning-rate-too-large", "nonfinite-gradient",
        "updates-not-applied", "nonfinite-weight", "update-below-precision",
    ),
)  # fmt: skip
def loss_scale_skipping(history: History, *, rows: int = 10, skipped: float = 0.5) -> Finding[Any] | CannotTell | None:
    """Mixed precision that skips step after step, because the gradient overflows at every loss scale.

    What it sees:
        A loss scale that is halved in most of the recorded steps, while the optimizer's count stands still.

    Why it matters:
        float16 ends at 65,504. Loss scaling multiplies the loss; if a gradient overflows the step is skipped and the
        scale is halved. If it overflows every time, nothing is ever applied, the scale sinks to 0, and the first
        finite step after that divides by it and turns the weights into NaN.

    When it is a false alarm:
        A skipped step now and then, and a few at the beginning, is how the scale finds its level; it stays silent.

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
    scale = run_column(history, "loss_scale")
    if not np.isfinite(scale).any():
        return None
    lost = any_positive(history, "gradient_nonfinite")
    known = latest_known(scale)
    halved = np.r_[False, known[1:] < known[:-1]] | (known == 0)
    skip = (lost | halved) & np.isfinite(scale)
    firing = (trailing_mean(skip.astype(np.float64), 2 * rows) > skipped) & (np.arange(len(history)) >= rows - 1)
    firing &= ~_advances(history, rows)
    if not firing.any() or _hopeless(history, skip):
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        start, now = float(scale[np.isfinite(scale)][0]), float(known[row])
        count = int(skip[: row + 1].sum())
        left = "" if not now > 0 else f"; {_until(now)}"
        return VerdictText(
            message=f"Mixed precision skips its steps: in {count:,} of {plural(row + 1, 'recorded step')} a gradient "
            f"overflowed, the loss scale sank from {number(start)} to {number(now)}, and nothing was applied{left}",
            fix="Take the short type that does not overflow:\n"
            "    keras.mixed_precision.set_global_policy('mixed_bfloat16')   # before the model is made\n"
            "or find the layer whose numbers leave float16 (65,504) and give it dtype='float32'; scale its inputs.",
            evidence=(
                evidence("loss scale", now, f"{number(start)} at first", quantity="loss_scale"),
                evidence("skipped steps", count, f"of {row + 1:,} recorded", quantity="iterations"),
            ),
            severity="error",
            certainty="certain",
            variables=_which(history, row),
        )

    return Finding(np.asarray(firing), tell)


def _hopeless(history: History, skip: Bool) -> bool:
    """Says whether the loss itself was not finite when the first step was skipped, which no scale can mend."""
    bad = (
        history.known("loss") & ~np.isfinite(run_column(history, "loss")) if history.axis("loss") else np.zeros(0, bool)
    )
    return bool(bad.any() and skip.any() and np.argmax(bad) <= np.argmax(skip))


def _until(scale: float) -> str:
    left = max(1, math.ceil(math.log2(scale)) + 149)
    return f"after about {left:,} more such steps it is 0, and the next finite step makes NaN of the weights"


def _advances(history: History, rows: int) -> Bool:
    """Returns `[T]` whether the optimizer has counted a step in more than half of the last rows."""
    count = latest_known(run_column(history, "iterations"))
    stepped = np.r_[0.0, (count[1:] > count[:-1]).astype(np.float64)]
    return np.asarray(trailing_mean(stepped, 2 * rows) > 0.5)


def _which(history: History, row: int) -> tuple[str, ...]:
    count = column(history, "gradient_nonfinite")
    if count is None:
        return ()
    places = np.flatnonzero((count[: row + 1] > 0).any(axis=0) & trainable(history))
    names = [v.name for v in history.variables]
    return tuple(names[i] for i in places) if variable_names(history, places) else ()
