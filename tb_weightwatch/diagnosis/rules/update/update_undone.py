"""602 update-undone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....history import History
from ...rule import CannotTell, Finding, VerdictText, rule
from ...signals import (
    Bool,
    Carry,
    Float,
    RowSpan,
    accumulation_steps,
    any_moved,
    any_nonzero_gradient,
    column,
    ever,
    exceeds_expected_update,
    expected_update,
    expected_update_negligible,
    half_ulp,
    incremental,
    latest_known,
    loss_trend,
    optimizer_class,
    optimizer_setting,
    optimizer_slots_say,
    root_sizes,
    run_column,
    running_max,
    select_columns,
    trainable,
    trainable_kernels,
    variables,
)
from ...wording import evidence, plural


@rule(
    code=602,
    name="update-undone",
    link="update",
    needs=("update_norm", "weight_norm"),
    explains=("no-learning-signal", "update-below-precision", "learning-rate-too-small"),
)
def update_undone(history: History, *, rows: int = 10, times: int = 2) -> Finding[Any] | CannotTell | None:
    """Steps that are made and then taken back.

    What it sees:
        Weights that the optimizer moves in every step and that are where they were when the next one begins: variables
        that started at zero and are exactly one step away from it again and again, or norms that change between two
        steps by more than the step. Or an optimizer that counts its steps, with gradients and a learning rate that
        must move the weights (or that it remembers), and not one that moves.

    Why it matters:
        A constraint, a clip of values, set_weights or a model that is built anew in every round throws away what was
        learned, while gradients, learning rate and updates all look healthy.

    When it is a false alarm:
        Weights are swapped or restored on purpose (SwapEMAWeights, restore_best_weights, Lookahead, snapshots):
        while the loss falls it is silent.

    What to try:
        Look for assign, set_weights, load_weights, constraints, use_ema and model building inside the training loop.

    Sick example:
        model = net(1)
        start = model.get_weights()
        watch = loop(model, x, number, mse, optimizers.SGD(0.05), steps=70,
                     begin=lambda step: step % 5 or model.set_weights(start))

    Healthy example:
        watch = loop(net(1), x, number, mse, optimizers.Adam(0.01))

    References:
        https://keras.io/api/layers/constraints/

    Args:
        history: what was recorded.
        rows: recorded steps before steps without any change are reported.
        times: how often weights must have been put back.
    """
    trend = loss_trend(history)
    idle = ~(trend.enough_rows & trend.decreased & ~trend.near_constant_loss(0.9)) & ~(trend.enough_rows & trend.low())
    back, changed = _put_back(history)
    between = (np.cumsum(back) >= times) | (np.cumsum(changed) >= max(times, 3))
    within = _still(history, rows) | optimizer_slots_say(history, "alive", rows)
    firing = (between | within) & idle
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> VerdictText:
        words = trend.describe(row)
        after = f" ({words})" if words else ""
        count = int(max(np.cumsum(back)[row], np.cumsum(changed)[row]))
        if within[row]:
            ema = optimizer_setting(history, "ema_overwrite_frequency", 0) > 0
            what = "the average of use_ema" if ema else "a constraint, a clip or an assign"
            message = (
                f"Updates are undone within the step: the optimizer has counted "
                f"{plural(_counted(history, row), 'step')} with gradients alive, and no weight has changed{after}; "
                f"{what} puts them back"
            )
        else:
            message = (
                f"Updates are undone: in {plural(count, 'step')} weights were not where the last one left them, "
                f"so what was learned is thrown away{after}"
            )
        largest = float(np.nanmax(history.column("update_norm")[row], initial=0))
        return VerdictText(
            message=message,
            fix="Make the model and load weights once, before the loop; remove what assigns to weights in it:\n"
            "    model = build_model()   # not inside the loop\n    for step in range(steps): ...\n"
            "and look for kernel_constraint, use_ema, set_weights, load_weights and assign.",
            evidence=(
                evidence("times put back", count, "of the recorded steps", quantity="weight_norm"),
                evidence("update within the step", largest, "largest of a variable",
                         quantity="update_norm"),
            ),
            severity="error",
            certainty="certain",
            variables=tuple(v.name for v, a in zip(variables(history), trainable(history), strict=True) if a),
        )  # fmt: skip

    return Finding(np.asarray(firing), tell)


def _counted(history: History, row: int) -> int:
    count = latest_known(run_column(history, "iterations"))[row]
    return int(count) if np.isfinite(count) else row + 1


def _put_back(history: History) -> tuple[Bool, Bool]:
    """Returns `[T]` where variables had returned to zero before the step, and where any had changed between steps."""
    home, jumped = _displaced(history)
    needed = max(1, int(np.ceil(0.2 * trainable(history).sum())))
    back = home >= needed
    # A lone variable can land on its own length by chance; several at once, or twice in a row, can not.
    several = home >= max(needed, 2)
    return np.asarray(several | np.r_[False, back[:-1]] & back), _exceptions(np.asarray(jumped >= needed))


@incremental
def _displaced(rows: History, carry: Carry) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns `[T]` how many variables had returned to zero before the step, and how many had changed between steps."""
    weight, update = column(rows, "weight_norm"), column(rows, "update_norm")
    if weight is None or update is None:
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    able = trainable(rows)
    law = select_columns(exceeds_expected_update(rows), able)
    now, step = carry.window(select_columns(weight, able), 1), carry.window(select_columns(update, able), 1)
    steps = carry.window(rows.steps, 1)
    w, d, before, made = now[1:], step[1:], now[:-1], step[:-1]
    # The encoding keeps three digits.
    near = 0.02 * np.maximum(w, before)
    consecutive = (np.diff(steps) == 1)[:, None] & (d > 0) & (made > 0)
    home = consecutive & (np.abs(w - d) <= 0.01 * d) & (before > 0.5 * d)
    if (
        optimizer_class(rows) == "Lion"
    ):  # all its steps are of one size: weights that began at zero come back to one step
        home[:] = False
    jumped = consecutive & (np.abs(w - before) > 1.1 * d + near)
    # The very first row has none before it.
    missing = len(law) - len(jumped)
    jumped = np.concatenate([np.zeros((missing, law.shape[1]), bool), jumped]) | law
    return np.r_[np.zeros(missing, np.int64), home.sum(axis=1)], jumped.sum(axis=1)


def _exceptions(odd: Bool) -> Bool:
    """Returns `odd` where it has been the exception so far: numbers that disagree in most rows are misunderstood."""
    return np.asarray(odd & (np.cumsum(odd) < 0.5 * np.arange(1, len(odd) + 1)))


def _still(history: History, rows: int) -> Bool:
    """Returns `[T]` whether nothing has ever changed although the optimizer has counted steps that must matter."""
    living, count = any_nonzero_gradient(history), column(history, "iterations")
    nothing = np.zeros(len(history), bool)
    law = expected_update_negligible(history)
    if living is None or count is None or law is None or not len(history):
        return nothing
    weight = column(RowSpan(history, 0, 1), "weight_norm")
    counted_up = latest_known(count) - latest_known(count)[:1] >= rows * accumulation_steps(history)
    moved = ever(any_moved(history))
    rate = latest_known(run_column(history, "learning_rate"))
    usual = weight is not None and bool(np.nanmax(weight[0, trainable_kernels(history)], initial=0) > 0)
    busy = np.cumsum(living) >= rows
    exact = all(v.dtype in ("float32", "float64") for v in variables(history))
    return np.asarray(counted_up & ~moved & (rate > 0) & ~law & busy & exact & usual & _matters(history))


def _matters(history: History) -> Bool:
    """Returns `[T]` whether the step asked for is well above what the stored weights can hold."""
    return running_max(_held(history)) > 100


@incremental
def _held(rows: History, carry: Carry) -> Float:
    """Returns `[T]` the largest step asked for, in units of half a last place; 0 where it is not known."""
    step, weight = expected_update(rows), column(rows, "weight_norm")
    if step is None or weight is None or not step.shape[1]:
        return np.zeros(len(rows))
    element = weight / root_sizes(rows)
    return np.asarray(np.fmax.reduce(step / np.maximum(half_ulp(rows) * element, 1e-30), axis=1))
