"""602 update-undone."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Evidence, Finding, History, VerdictText, rule
from ...wording import not_recorded, plural, quote_list


@rule(
    code=602,
    name="update-undone",
    link="update",
    explains=("no-learning-signal", "update-below-precision", "learning-rate-too-small", "updates-not-applied"),
)
def update_undone(history: History, *, rows: int = 10, times: int = 2) -> Finding[Details] | CannotTell | None:
    """Updates that are applied and then undone.

    What it sees:
        Weights that the optimizer changes in every step and that are back where they were when the next step begins:
        variables that started at zero and are exactly one update away from it again and again, or norms that change
        between two steps by more than the update. Or an optimizer that counts its steps, with gradients and a learning
        rate that must change the weights (or averages of such gradients), while no weight changes. Or variables that
        are new objects in nearly every step, and continue nothing.

    Why it matters:
        A constraint, clipping of weights, set_weights, or a model that is built anew in every round discards what was
        learned, while gradients, learning rate and updates all look healthy.

    When it is a false alarm:
        Weights may be swapped or restored on purpose (SwapEMAWeights, restore_best_weights, Lookahead, snapshots):
        nothing is reported while the loss falls.

    What to try:
        Search the training loop for assign, set_weights, load_weights, constraints, use_ema and model building.

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
        rows: recorded steps before it is reported that no weight changes.
        times: how often weights must have been put back.
    """
    anew = signals.variables_made_anew(history)
    if not history.has("update_norm", "weight_norm") and not anew.any():
        return not_recorded(history, "weight_norm" if history.has("update_norm") else "update_norm")
    trend = signals.loss_trend(history)
    progress = trend.decreased & ~trend.near_constant_loss(0.9) | trend.low()
    restored, jumped = _put_back(history)
    between_steps = (np.cumsum(restored) >= times) | (np.cumsum(jumped) >= max(times, 3))
    within_steps = _never_moved(history, rows) | signals.unmoved_with_slots(history, "alive", rows)
    within_steps &= ~_otherwise_explained(history, rows)
    firing = (between_steps | within_steps | anew) & ~(trend.enough_rows & progress)
    # Where it is known that nothing was continued, a loss that falls a little does so by chance.
    firing = np.asarray(firing | anew & _known_start(history) & ~(trend.enough_rows & trend.low()))
    return Finding(firing, partial(measure, history, within_steps, anew), text, evidence) if firing.any() else None


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        within_steps: whether updates are undone within the step; otherwise weights change between steps.
        times: number of recorded steps before which weights were put back.
        counted: number of steps that the optimizer has counted.
        use_ema: whether the optimizer overwrites the weights with their average.
        largest_update: largest update of a variable in this row; 0 if none changed.
        loss: the course of the loss.
        names: names of the trainable variables.
        anew: how often variables were made anew, if that is why; else None.
    """

    within_steps: bool
    times: int
    counted: int
    use_ema: bool
    largest_update: float
    loss: signals.LossCourse
    names: tuple[str, ...]
    anew: signals.MadeAnew | None = None


def measure(history: History, within_steps: signals.Bool, anew: signals.Bool, row: int, _: NDArray[np.intp]) -> Details:
    """Returns the numbers and names of one row."""
    count = float(signals.latest_known(signals.run_column(history, "iterations"))[row])
    updates = signals.column(history, "update_norm")
    return Details(
        within_steps=bool(within_steps[row]),
        times=int(max(np.cumsum(changed)[row] for changed in _put_back(history))),
        counted=int(count) if np.isfinite(count) else row + 1,
        use_ema=signals.optimizer_setting(history, "ema_overwrite_frequency", 0) > 0,
        largest_update=0.0 if updates is None else float(np.nanmax(updates[row], initial=0)),
        loss=signals.loss_course(history, row),
        names=tuple(signals.variables(history)[i].name for i in np.flatnonzero(signals.trainable(history))),
        anew=signals.at_row(history, signals.made_anew(history), row) if anew[row] else None,
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    loss = f" ({details.loss})" if details.loss else ""
    if details.anew is not None:
        return _text_of_made_anew(details.anew, loss, details.names)
    restores = "a constraint, clipping of weights or an assign restores them"
    cause = "the moving average of use_ema overwrites them" if details.use_ema else restores
    message = (
        f"Updates are undone within the step: the optimizer has counted {plural(details.counted, 'step')} with "
        f"non-zero gradients, but no weight has changed in a recorded step{loss}; {cause}"
        if details.within_steps
        else f"Updates are undone between steps: at least {plural(details.times, 'time')} the weights were not where "
        f"the last update had left them, so what was learned is lost{loss}"
    )
    return VerdictText(
        message=message,
        fix="Build the model and load weights once, before the loop, and remove whatever assigns to weights inside "
        "it:\n    model = build_model()   # not inside the loop\n    for step in range(steps): ...\n"
        "Search for kernel_constraint, use_ema, set_weights, load_weights and assign.",
        certainty="certain",
        variables=details.names,
    )


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    times = details.times if details.anew is None else details.anew.steps
    return (
        Evidence("times put back", float(times), "of the recorded steps", quantity="weight_norm"),
        Evidence("update within the step", details.largest_update, "largest of a variable", quantity="update_norm"),
    )


def _text_of_made_anew(anew: signals.MadeAnew, loss: str, names: tuple[str, ...]) -> VerdictText:
    begins = {"same": ", each time with the same values", "other": ", each time with other values"}.get(anew.start, "")
    these = f"the {anew.given} trained variables" if anew.variables == anew.given else f"{anew.variables} of them"
    which = f"{these} ({quote_list(anew.names)})" if len(anew.names) == anew.given else these
    return VerdictText(
        message=f"Variables are made anew in the loop: in {anew.steps:,} of {anew.of:,} compared steps {which} were "
        f"new objects{begins}, so what was learned before is lost{loss}",
        fix="Make variables, model and optimizer once, before the loop:\n"
        "    model, optimizer = build_model(), keras.optimizers.Adam(1e-3)   # not inside the loop\n"
        "    for x, y in batches: ...\n"
        "Update variables in place with assign or assign_sub.",
        certainty="certain" if begins and anew.variables == anew.given else "likely",
        variables=names,
    )


def _known_start(history: History) -> signals.Bool:
    """Returns `[T]` whether all variables are made anew and it is known with which values they begin."""
    facts = signals.made_anew(history)
    return signals.holds(history, facts, [f.start in ("same", "other") and f.variables == f.given for f in facts])


def _otherwise_explained(history: History, rows: int) -> signals.Bool:
    """Returns `[T]` whether the weights did not move because the optimizer was given other variables."""
    return signals.updates_given_elsewhere(history, rows, rows, rows)


def _put_back(history: History) -> tuple[signals.Bool, signals.Bool]:
    """Returns `[T]` where variables had returned to zero before the step, and where any had changed between steps."""
    returned, jumped = _displaced(history)
    needed = max(1, int(np.ceil(0.2 * signals.trainable(history).sum())))
    back = returned >= needed
    # A single variable's norm can equal its update's by chance; those of several at once, or twice in a row, cannot.
    several = returned >= max(needed, 2)
    return np.asarray(several | np.r_[False, back[:-1]] & back), _exceptional(np.asarray(jumped >= needed))


@signals.incremental
def _displaced(rows: History, carry: signals.Carry) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns `[T]` how many variables had returned to zero before the step, and how many had changed between steps."""
    weight, update = signals.column(rows, "weight_norm"), signals.column(rows, "update_norm")
    if weight is None or update is None:
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    trainable = signals.trainable(rows)
    excessive = signals.select_columns(signals.exceeds_expected_update(rows), trainable)
    weights = carry.window(signals.select_columns(weight, trainable), 1)
    updates = carry.window(signals.select_columns(update, trainable), 1)
    steps = carry.window(rows.steps, 1)
    weight, previous_weight, update = weights[1:], weights[:-1], updates[1:]
    consecutive = (np.diff(steps) == 1)[:, None] & (update > 0) & (updates[:-1] > 0)
    returned = consecutive & (np.abs(weight - update) <= 0.01 * update) & (previous_weight > 0.5 * update)
    if signals.optimizer_class(rows) == "Lion":
        returned[:] = False  # its updates are of one size: weights that began at zero come back to one update from it
    tolerance = 0.02 * np.maximum(weight, previous_weight)  # the encoding keeps three digits
    jumped = consecutive & (np.abs(weight - previous_weight) > 1.1 * update + tolerance)
    # The very first row has none before it.
    missing = len(excessive) - len(jumped)
    jumped = np.concatenate([np.zeros((missing, excessive.shape[1]), bool), jumped]) | excessive
    return np.r_[np.zeros(missing, np.int64), returned.sum(axis=1)], jumped.sum(axis=1)


def _exceptional(jumped: signals.Bool) -> signals.Bool:
    """Returns `jumped` where it held in less than half of the rows so far: else the numbers mean something else."""
    return np.asarray(jumped & (np.cumsum(jumped) < 0.5 * np.arange(1, len(jumped) + 1)))


def _never_moved(history: History, rows: int) -> signals.Bool:
    """Returns `[T]` whether no weight has ever changed although the optimizer has counted updates that must matter."""
    nonzero, count = signals.any_nonzero_gradient(history), signals.column(history, "iterations")
    negligible = signals.expected_update_negligible(history)
    exact = all(variable.dtype in ("float32", "float64") for variable in signals.variables(history))
    if nonzero is None or count is None or negligible is None or not len(history):
        return np.zeros(len(history), bool)
    initial_weight = signals.column(signals.RowSpan(history, 0, 1), "weight_norm")
    kernels = signals.trainable_kernels(history)
    has_weights = initial_weight is not None and bool(np.nanmax(initial_weight[0, kernels], initial=0) > 0)
    if not (exact and has_weights):
        return np.zeros(len(history), bool)
    counted = signals.latest_known(count) - signals.latest_known(count)[:1]
    enough_steps = (counted >= rows * signals.accumulation_steps(history)) & (np.cumsum(nonzero) >= rows)
    learning_rate = signals.latest_known(signals.run_column(history, "learning_rate"))
    must_matter = (learning_rate > 0) & ~negligible & (signals.running_max(_update_in_half_ulps(history)) > 100)
    return np.asarray(enough_steps & must_matter & ~signals.ever(signals.any_moved(history)))


@signals.incremental
def _update_in_half_ulps(rows: History, carry: signals.Carry) -> signals.Float:
    """Returns `[T]` the largest expected update, in half units in the last place; 0 where it is not known."""
    update, weight = signals.expected_update(rows), signals.column(rows, "weight_norm")
    if update is None or weight is None or not update.shape[1]:
        return np.zeros(len(rows))
    half_spacing = signals.half_ulp(rows) * weight / signals.root_sizes(rows)
    return np.asarray(np.fmax.reduce(update / np.maximum(half_spacing, 1e-30), axis=1))
