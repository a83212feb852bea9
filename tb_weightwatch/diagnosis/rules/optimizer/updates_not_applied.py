"""507 updates-not-applied."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import signals
from ...rule import CannotTell, Claim, Evidence, Finding, History, VerdictText, rule
from ...wording import is_custom_loop, is_preflight, plural, quote_list


@rule(
    code=507,
    name="updates-not-applied",
    link="optimizer",
    explains=("learning-rate-too-small", "update-below-precision"),
)
def updates_not_applied(
    history: History, *, rows: int = 5, steps: int = 20, sure: int = 64
) -> Finding[Details] | CannotTell | None:
    """Gradients that never reach the weights, because the optimizer is not called, or not for these variables.

    What it sees:
        Non-zero gradients and a learning rate above 0, but the optimizer's own step count does not increase and no
        weight changes; or trainable variables that are not in the optimizer's list and never change while others do;
        or a loop that trains other objects than those that are watched: the optimizer is given other variables, the
        model is never called, the gradients are those of another model; or an optimizer of your own that counts its
        steps and assigns nothing.

    Why it matters:
        A gradient alone changes nothing: `optimizer.apply_gradients` (or `apply`) must be called with it, for the
        variables of the model that is being trained.

    When it is a false alarm:
        Accumulation by hand applies one update in many steps: it is "likely" after 20 steps and "certain" after 64 (or
        four times the longest pause so far). Steps that loss scaling skips have no finite gradient and do not count. In
        staged training the watched variables may have their turn later.

    What to try:
        Call optimizer.apply_gradients(zip(gradients, model.trainable_variables)) in each step, with the variables of
        the very model from which the loss was computed; compile again after changing `trainable`.

    Sick example:
        watch = loop(net(1), x, number, mse, optimizers.Adam(0.01), apply=False)

    Healthy example:
        watch = loop(net(1), x, number, mse, optimizers.Adam(0.01), apply=True)

    References:
        https://keras.io/guides/writing_a_custom_training_loop_in_tensorflow/

    Args:
        history: what was recorded.
        rows: recorded steps before anything is reported.
        steps: training steps without an update before it is likely.
        sure: training steps without an update before it is certain.
    """
    if not (history.has("update_norm") or is_preflight(history)):
        return CannotTell("it was not recorded how far the weights moved in a step")
    missing, swapped = signals.never_listed(history, rows), signals.gradients_without_movement(history, steps)
    halts = {"": _halted(history, rows, steps, sure), **_elsewhere(history, rows, steps, sure)}
    halted = np.logical_or.reduce(list(halts.values()))
    firing = halted[:, None] & signals.trainable(history)
    for some in (missing, swapped):
        firing = firing if some is None else some | firing
    if not firing.any():
        return _cannot_tell(history)
    reasons = halts if swapped is None else {**halts, "swapped": swapped.any(axis=1) & ~halted}
    return Finding(firing, partial(measure, history, reasons, sure), text, evidence)


class Details(NamedTuple):
    """What the verdict states.

    Attributes:
        halted: whether no update is applied at all; otherwise some variables get none.
        names: names of the variables that get no update.
        trainable: number of trainable variables.
        step: the step of this row.
        pause: training steps since the last update, or since the beginning.
        last_update: the last step that applied an update; 0 if there was none.
        optimizer_steps: the optimizer's own step count; 0 if it is not known.
        counted: whether that count was recorded.
        moves_known: whether it was recorded how far weights moved.
        exact: whether the pause is too long for accumulation by hand.
        nonzero_gradients: whether it was recorded that gradients are non-zero.
        custom_loop: whether the training loop is hand-written.
        reason: why; "" if the optimizer makes no step, or if its list lacks these variables.
        others: names of the first of the variables that the optimizer was given instead.
        other_count: number of those variables.
        optimizer: class of the optimizer.
        model_called: how the watched model was called; "" if that is not known.
        falling: whether the loss falls, so that something is trained.
    """

    halted: bool
    names: tuple[str, ...]
    trainable: int
    step: int
    pause: int
    last_update: int
    optimizer_steps: int
    exact: bool
    nonzero_gradients: bool
    custom_loop: bool
    reason: str = ""
    others: tuple[str, ...] = ()
    other_count: int = 0
    optimizer: str = "Adam"
    model_called: str = ""
    falling: bool = False
    counted: bool = True
    moves_known: bool = True


def measure(
    history: History, reasons: dict[str, signals.Bool], sure: int, row: int, variables: NDArray[np.intp]
) -> Details:
    """Returns the numbers and names of one row."""
    # The last reason is the most specific one.
    reason = next((name for name, firing in reversed(reasons.items()) if firing[row]), None)
    # Updates that an optimizer has counted did not reach the weights, if these are not what it trains.
    last_update = int((_last_movement if reason else _last_update)(history)[row])
    given = signals.at_row(history, signals.updated_variables(history), row)
    called = signals.at_row(history, signals.called(history), row)
    trend = signals.loss_trend(history)
    step = int(history.steps[row])
    count = float(signals.latest_known(signals.run_column(history, "iterations"))[row])
    return Details(
        halted=reason not in (None, "swapped"),
        reason=reason or "",
        names=tuple(signals.variables(history)[i].name for i in variables),
        trainable=int(signals.trainable(history).sum()),
        step=step,
        pause=step - last_update,
        last_update=last_update,
        optimizer_steps=int(count) if np.isfinite(count) else 0,
        exact=step - last_update >= sure or history.ended is not None,
        nonzero_gradients=signals.any_nonzero_gradient(history) is not None,
        custom_loop=is_custom_loop(history),
        others=given.names if given else (),
        other_count=given.other if given else 0,
        optimizer=signals.optimizer_class(history) or "Adam",
        model_called=(called.model or "") if called else "",
        falling=bool((trend.enough_rows & (trend.decreased | trend.low()))[row]),
        counted=bool(np.isfinite(count)),
        moves_known=signals.is_recorded(history, "update_norm"),
    )


def text(details: Details) -> VerdictText:
    """Words the verdict."""
    if details.reason:
        message, fix = _text_of_elsewhere(details)
        sure = (details.exact and details.reason != "not called") or details.reason == "released"
        # Something is trained that is not watched, and it learns: that is a remark.
        remark = details.falling and details.reason in ("not called", "released")
        return VerdictText(message, fix, "info" if remark else "error", "certain" if sure else "likely")
    return _text_of_halt(details) if details.halted else _text_of_missing(details)


def evidence(details: Details) -> tuple[Evidence, ...]:
    """Returns the numbers that the verdict rests on."""
    pause, concerned, trainable = float(details.pause), float(len(details.names)), f"of {details.trainable} trainable"
    variables = Evidence("variables without an update", concerned, trainable, quantity="update_norm")
    if not pause:  # the optimizer updates other variables in each step
        return (variables,)
    return Evidence("steps without an update", pause, "training steps", quantity="iterations"), variables


def claims(details: Details) -> tuple[Claim, ...]:
    """Returns that the optimizer's count stood still, or that these variables did in the recorded steps."""
    if details.halted:
        first = max(details.last_update, 1)
        return (Claim("is", "iterations", details.optimizer_steps, first, details.step),) if details.counted else ()
    return (Claim("is", "update_norm", 0, 1, details.step, details.names, recorded_only=True),) * details.moves_known


def _text_of_halt(details: Details) -> VerdictText:
    pause, gradients = plural(details.pause, "training step"), " with non-zero gradients"
    never = "has never made a step"
    halt = f"has made no step since step {details.last_update:,}" if details.last_update else never
    uncalled = "; the watched model was not called either, so the loop trains other objects"
    uncalled = uncalled if details.model_called == "never" else ""
    return VerdictText(
        message=f"Updates are not applied: in {pause}{gradients if details.nonzero_gradients else ''} the optimizer "
        f"{halt} (its step count is {details.optimizer_steps}), so no weight changes{uncalled}",
        fix="Apply the gradients in each step:\n"
        "    gradients = tape.gradient(loss, model.trainable_variables)\n"
        "    optimizer.apply_gradients(zip(gradients, model.trainable_variables))",
        certainty="certain" if details.exact else "likely",
    )


def _text_of_elsewhere(details: Details) -> tuple[str, str]:
    """Returns message and fix where updates do not reach the watched variables."""
    pause, name = plural(details.pause, "training step"), details.optimizer
    if details.reason in ("not called", "released"):
        return _text_of_unwatched(details, pause)
    if details.reason == "own rule":
        return (
            f"The optimizer {name} assigns nothing: its step count is {details.optimizer_steps:,}, gradients are "
            f"non-zero and the learning rate is large enough, but no weight has changed in {pause}",
            f"Store the new value in {name}.update_step:\n    self.assign_sub(variable, learning_rate * gradient)",
        )
    apply = (
        "    gradients = tape.gradient(loss, model.trainable_variables)\n"
        "    optimizer.apply_gradients(zip(gradients, model.trainable_variables))"
    )
    if details.reason == "elsewhere":
        return (
            f"Updates go to other variables: the optimizer was given {plural(details.other_count, 'variable')} "
            f"({quote_list(details.others)}), none of which is watched, so in {pause} no watched weight changed",
            f"Take the gradients and the variables from the same model, that of the loss:\n{apply}",
        )
    are, change = ("are", "change") if len(details.names) > 1 else ("is", "changes")
    return (
        f"Gradients and updates belong to different variables: {quote_list(details.names)} {are} given gradients and "
        f"never {change}, while the variables that change are given none",
        f"After building a model again, take its variables anew, in each step:\n{apply}",
    )


def _text_of_unwatched(details: Details, pause: str) -> tuple[str, str]:
    """Returns message and fix where the loop trains other objects than those that are watched."""
    fix = (
        "Make model, variables and optimizer once, before the loop, and watch these:\n"
        "    watch = ww.Watch(logs, model=model, optimizer=optimizer)\n"
        "    for x, y in batches:   # nothing is made anew in here"
    )
    if details.reason == "not called":
        message = "The watched model is not the one that is trained: it was not called in any recorded step"
        return f"{message}, and none of its weights has changed in {pause}", fix
    several = len(details.names) > 1
    all_of = f"any of the {len(details.names)} watched variables" if several else "the watched variable"
    return (
        f"The program no longer holds {all_of}, so nothing can change {'them' if several else 'it'}: what the loop "
        "trains are objects that it made later",
        f"{fix}\nUpdate variables in place, variable.assign_sub(rate * gradient), instead of making new ones.",
    )


def _text_of_missing(details: Details) -> VerdictText:
    are, they, change = ("are", "they", "change") if len(details.names) > 1 else ("is", "it", "changes")
    return VerdictText(
        message=f"{len(details.names)} of {details.trainable} trainable variables {are} not in the optimizer's list: "
        f"{quote_list(details.names)}, so {they} {change} in no recorded step although trainable",
        fix="Pass these variables to the optimizer too:\n"
        "    optimizer.apply_gradients(zip(gradients, model.trainable_variables))"
        if details.custom_loop
        else "Compile again after changing `trainable` (with a new optimizer object):\n"
        f"    model.compile(optimizer=keras.optimizers.{details.optimizer}(...), loss=...)",
        certainty="certain",
    )


def _elsewhere(history: History, rows: int, steps: int, sure: int) -> dict[str, signals.Bool]:
    """Returns, by reason, `[T]` whether what is watched is not what is trained, the most specific reason last."""
    return {
        "not called": signals.model_never_called(history, rows, steps),
        "released": signals.all_released(history),
        "own rule": signals.own_rule_without_effect(history, steps),
        "elsewhere": signals.updates_given_elsewhere(history, rows, steps, sure),
    }


def _cannot_tell(history: History) -> CannotTell | None:
    """Returns what is missing where nothing fires; None if nothing is, so that the check has passed."""
    if is_preflight(history):
        built = any(variable.optimized is not None for variable in signals.variables(history))
        return None if built else CannotTell("the optimizer has not been built yet, which needs training steps")
    if signals.column(history, "iterations") is None and not signals.any_moved(history).any():
        return CannotTell("the optimizer's count of steps was not recorded (pass optimizer= to ww.Watch)")
    return None


def _halted(history: History, rows: int, steps: int, sure: int) -> signals.Bool:
    """Returns `[T]` whether the optimizer has made no step for so long that updates are not applied."""
    if signals.column(history, "iterations") is None or history.has("loss_scale"):
        return np.zeros(len(history), bool)
    last_update = _last_update(history)
    pause = history.steps - last_update
    previous = np.r_[0, pause[:-1]]
    longest_pause = np.maximum.accumulate(np.where(pause < previous, previous, 0))
    # A program that has ended makes no further step: fewer rows are enough.
    ended = (np.arange(len(history)) == len(history) - 1) & (history.ended is not None)
    accumulation = 2 * signals.accumulation_steps(history) if signals.accumulation_steps(history) > 1 else 0
    wait_for_first = np.where(ended, max(rows, accumulation), max(steps, accumulation))
    wait = np.where(last_update == 0, wait_for_first, np.maximum(sure, 4 * longest_pause))
    # The count alone is enough. Gradients that are known must be non-zero: otherwise they are what is missing.
    nonzero = signals.any_nonzero_gradient(history)
    expected = ~signals.any_moved(history) & (signals.trainable(history).any() if nonzero is None else nonzero)
    learning_rate = signals.latest_known(signals.run_column(history, "learning_rate"))
    return np.asarray((signals.streak(expected) >= rows) & (pause >= wait) & ~(learning_rate == 0))


def _last_movement(history: History) -> NDArray[np.int64]:
    """Returns `[T]` the last recorded step that moved a weight; 0: none."""
    return np.maximum.accumulate(np.where(signals.any_moved(history), history.steps, 0))


def _last_update(history: History) -> NDArray[np.int64]:
    """Returns `[T]` the last recorded step with an update, by the weights or the optimizer's count; 0: none."""
    count, updated = signals.column(history, "iterations"), signals.any_moved(history)
    if count is not None and len(count):
        count = signals.latest_known(count)
        updated = updated | (count > np.r_[count[:1], count[:-1]])
        # A count that is still 0 after the first step did not count that step.
        updated[0] |= bool(count[0] >= history.steps[0] and count[0] > 0)
    return np.maximum.accumulate(np.where(updated, history.steps, 0))
