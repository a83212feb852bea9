"""501 learning-rate-zero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ....verdict import number
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    all_gradients_zero,
    any_moved,
    any_nonzero_gradient,
    has_schedule,
    latest_known,
    literal,
    loss_trend,
    run_column,
    running_max,
    set_learning_rate_code,
    streak,
    trainable,
    usual_learning_rate,
    variables,
)
from ...third_party.symptoms import drifted, fix_of_curves, unit
from ...wording import evidence, is_preflight, plural


@rule(
    code=501,
    name="learning-rate-zero",
    link="optimizer",
    needs=("learning_rate",),
    explains=("learning-rate-too-small", "updates-not-applied", "update-below-precision"),
)
def learning_rate_zero(
    history: History, *, rows: int = 3, floor: float = 0.01, wasted: float = 0.25
) -> Finding[Any] | CannotTell | None:
    """A learning rate that is 0, or has fallen to nearly nothing before the model has learned.

    What it sees:
        A learning rate of exactly 0 for several steps with gradients alive, never having been above 0; or one that
        fell to under 1 % of its peak and stayed there for a good part of the run, while the loss is still near where
        it began.

    Why it matters:
        The step is the learning rate times something: with 0 no gradient moves any weight.

    When it is a false alarm:
        Warm-up begins at 0 and a cosine decay ends there; both are planned and stay silent: the first because it
        rises, the second because by then the loss has fallen, or because the end of the run is near.

    What to try:
        Set a learning rate above 0; make the schedule as long as the training (its decay_steps count batches, not
        epochs); give ReduceLROnPlateau a min_lr.

    Sick example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(0.0))

    Healthy example:
        watch = fit(net(1), x, number, "mse", optimizers.Adam(0.001))

    References:
        https://keras.io/api/optimizers/learning_rate_schedules/

    Args:
        history: what was recorded.
        rows: recorded steps at exactly 0 before it is reported.
        floor: share of its peak under which a learning rate counts as spent.
        wasted: share of the steps so far spent below that floor before it is reported.
    """
    rate = latest_known(run_column(history, "learning_rate"))
    zero = rate == 0
    peak = running_max(rate)
    spent = (rate <= floor * peak) & (peak > 0)
    if not (zero | spent).any():
        return None
    trend, living, moves = loss_trend(history), any_nonzero_gradient(history), any_moved(history)
    never = zero & (peak == 0) & (streak(zero) >= rows)
    steps = history.steps.astype(np.float64)
    began = np.maximum.accumulate(np.where(spent, 0.0, steps))  # the last step with a learning rate worth the name
    idle = (steps - began) > np.maximum(10.0, wasted * steps)
    learned = trend.enough_rows & (trend.relative_decrease > 0.5) | trend.low(0.5)
    ended = spent & idle & ~learned
    firing = (never & ~moves & ~drifted(history) | ended & ~(zero & moves)) & ~all_gradients_zero(history)
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        step, words = int(history.steps[row]), trend.describe(row)
        so = "so no weight moves" + (" although the gradients are alive" if living is not None else "")
        after = f" ({words})" if words else ""
        best = usual_learning_rate(history) if not peak[row] > 0 else float(peak[row])
        if not peak[row] > 0:
            lr = (
                "The learning rate is exactly 0, so no weight can move"
                if is_preflight(history)
                else f"The learning rate is exactly 0 and has been for all {plural(step, unit(history))}, {so}"
            )
            where = (
                "Its schedule returns 0: check what it returns for the first steps, or set"
                if has_schedule(history)
                else "Set"
            )
            fix = f"{where} a learning rate above 0, such as {literal(best)}:\n{set_learning_rate_code(history, best)}"
        else:
            now = (
                "exactly 0" if rate[row] == 0 else f"{literal(float(rate[row]))}, under {100 * floor:.0f} % of its peak"
            )
            lr = (
                f"The learning rate fell from {literal(best)} to {now} after {unit(history)} {int(began[row]):,} of "
                f"{step:,}, before "
                f"the model had learned{after}, so the weights have stood still since"
            )
            fix = (
                f"Make the schedule as long as the training (decay_steps counts batches: epochs * batches per epoch):\n"
                f"    schedule = keras.optimizers.schedules.CosineDecay({literal(best)}, "
                f"decay_steps={max(step, 10)})\n"
                f"or set a constant one:\n{set_learning_rate_code(history, best)}"
            )
        fix = fix_of_curves(history, best) or fix
        return VerdictText(
            message=lr,
            fix=fix,
            evidence=(
                evidence("learning rate", rate[row], "now", step=step, quantity="learning_rate"),
                evidence("peak", peak[row], f"largest so far, {number(float(peak[row]))}", quantity="learning_rate"),
            ),
            severity="error",
            certainty="certain" if zero[row] else "likely",
            variables=tuple(v.name for v, able in zip(variables(history), trainable(history), strict=True) if able),
        )

    return Finding(firing, tell)
