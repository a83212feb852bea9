"""602 update-undone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..history import History
from ._loss import trend
from ._optimizer import accumulation, against_law, config, half_ulp, kind, negligible, nominal_step
from ._rule import Finding, Lacks, Telling, rule
from ._signals import Bool, alive, column, ever, latest_known, run_column, running_max, trainable, variables
from ._structure import kernels
from ._words import counted, evidence


@rule(
    code=602,
    name="update-undone",
    link="update",
    needs=("update_norm", "weight_norm"),
    explains=("no-learning-signal", "update-below-precision", "learning-rate-too-small"),
)
def update_undone(history: History, *, rows: int = 10, times: int = 2) -> Finding | Lacks | None:
    """Steps that are made and then taken back.

    What it sees:
        Weights that the optimizer moves in every step and that are where they were when the next one begins: variables
        that started at zero and are exactly one step away from it again and again, or norms that change between two
        steps by more than the step. Or an optimizer that counts its steps, with gradients and a learning rate that
        must move the weights, and not one that moves.

    Why it matters:
        A constraint, a clip of values, set_weights or a model that is built anew in every round throws away what was
        learned, while gradients, learning rate and updates all look healthy.

    When it is a false alarm:
        Weights are swapped or restored on purpose (SwapEMAWeights, restore_best_weights, Lookahead, snapshots):
        while the loss falls it is silent.

    What to try:
        Look for assign, set_weights, load_weights, constraints, use_ema and model building inside the training loop.

    References:
        https://keras.io/api/layers/constraints/

    Args:
        history: what was recorded.
        rows: recorded steps before steps without any change are reported.
        times: how often weights must have been put back.
    """
    seen = trend(history)
    idle = ~(seen.known & seen.fallen & ~seen.poor(0.9)) & ~(seen.known & seen.low())
    back, changed = _put_back(history)
    between = (np.cumsum(back) >= times) | (np.cumsum(changed) >= max(times, 3))
    within = _still(history, rows)
    firing = (between | within) & idle
    if not firing.any():
        return None

    def tell(row: int, _: NDArray[np.intp]) -> Telling:
        words = seen.words(row)
        after = f" ({words})" if words else ""
        count = int(max(np.cumsum(back)[row], np.cumsum(changed)[row]))
        if within[row]:
            ema = config(history, "ema_overwrite_frequency", 0) > 0
            what = "the average of use_ema" if ema else "a constraint, a clip or an assign"
            message = (
                f"Updates are undone within the step: the optimizer has counted "
                f"{counted(_counted(history, row), 'step')} with gradients alive, and no weight has changed{after}; "
                f"{what} puts them back"
            )
        else:
            message = (
                f"Updates are undone: in {counted(count, 'step')} weights were not where the last one left them, "
                f"so what was learned is thrown away{after}"
            )
        update = column(history, "update_norm")
        assert update is not None
        return Telling(
            message=message,
            fix="Make the model and load weights once, before the loop; remove what assigns to weights in it:\n"
            "    model = build_model()   # not inside the loop\n    for step in range(steps): ...\n"
            "and look for kernel_constraint, use_ema, set_weights, load_weights and assign.",
            evidence=(
                evidence("times put back", count, "of the recorded steps", quantity="weight_norm"),
                evidence("update within the step", float(np.nanmax(update[row], initial=0)), "largest of a variable",
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
    weight, update = column(history, "weight_norm"), column(history, "update_norm")
    nothing = np.zeros(len(history), bool)
    if weight is None or update is None or len(history) < 2:
        return nothing, nothing
    able = trainable(history)
    w, d = weight[:, able], update[:, able]
    # The encoding keeps three digits.
    near = 0.02 * np.maximum(w[1:], w[:-1])
    consecutive = (np.diff(history.steps) == 1)[:, None] & (d[1:] > 0) & (d[:-1] > 0)
    again = consecutive & (np.abs(w[1:] - d[1:]) <= 0.01 * d[1:])
    home = again & (w[:-1] > 0.5 * d[1:]) & (np.cumsum(again, axis=0) >= 1)
    if kind(history) == "Lion":  # all its steps are of one size: weights that began at zero come back to one step
        home[:] = False
    jumped = consecutive & (np.abs(w[1:] - w[:-1]) > 1.1 * d[1:] + near)
    needed = max(1, int(np.ceil(0.2 * able.sum())))
    jumped = np.r_[np.zeros((1, jumped.shape[1]), bool), jumped] | against_law(history)[:, able]
    back = np.r_[False, (home.sum(axis=1) >= needed)]
    # A lone variable can land on its own length by chance; several at once, or twice in a row, can not.
    several = np.r_[False, home.sum(axis=1) >= max(needed, 2)]
    return np.asarray(several | np.r_[False, back[:-1]] & back), _exceptions(np.asarray(jumped.sum(axis=1) >= needed))


def _exceptions(odd: Bool) -> Bool:
    """Returns `odd` where it has been the exception so far: numbers that disagree in most rows are misunderstood."""
    return np.asarray(odd & (np.cumsum(odd) < 0.5 * np.arange(1, len(odd) + 1)))


def _still(history: History, rows: int) -> Bool:
    """Returns `[T]` whether nothing has ever changed although the optimizer has counted steps that must matter."""
    update, living, count = column(history, "update_norm"), alive(history), column(history, "iterations")
    nothing = np.zeros(len(history), bool)
    law = negligible(history)
    if update is None or living is None or count is None or law is None or not len(history):
        return nothing
    weight = column(history, "weight_norm")
    counted_up = latest_known(count) - latest_known(count)[:1] >= rows * accumulation(history)
    moved = ever(((update > 0) & trainable(history)).any(axis=1))
    rate = latest_known(run_column(history, "learning_rate"))
    usual = weight is not None and bool(np.nanmax(weight[0, kernels(history)], initial=0) > 0)
    busy = np.cumsum(living.any(axis=1)) >= rows
    exact = all(v.dtype in ("float32", "float64") for v in variables(history))
    return np.asarray(counted_up & ~moved & (rate > 0) & ~law & busy & exact & usual & _matters(history))


def _matters(history: History) -> Bool:
    """Returns `[T]` whether the step asked for is well above what the stored weights can hold."""
    step, weight = nominal_step(history), column(history, "weight_norm")
    if step is None or weight is None or not step.shape[1]:
        return np.zeros(len(history), bool)
    element = weight / np.sqrt([max(1, v.size) for v in variables(history)])
    return running_max(np.fmax.reduce(step / np.maximum(half_ulp(history) * element, 1e-30), axis=1)) > 100
