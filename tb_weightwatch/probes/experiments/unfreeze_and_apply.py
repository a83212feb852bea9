"""Everything trainable, and a new optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from ...capture.observe import total_iterations
from ...verdict import TestedCause
from ..comparison import compared
from ..experiment import Lab, Result, experiment
from ..program import CannotRun, layers_of, values
from ..updates import Substitute


@experiment(
    name="unfreeze-and-apply",
    tests=("frozen-weights", "updates-not-applied", "update-undone"),
    steps=30,
    traces=3,
)
def unfreeze_and_apply(lab: Lab) -> Result:
    """Makes a step as the program does, and steps of a new Adam with all layers trainable.

    What it does:
        It looks whether the program's own step moves a weight, and whether the optimizer counts it. Then it trains a
        few steps with Adam(1e-3), once as the layers are and once with all of them trainable.

    What it confirms:
        Frozen weights, if the loss falls only with all layers trainable. Updates that are not applied, if the gradient
        is not 0 and the step moves nothing and is not counted; updates that are undone, if it is counted.

    What it refutes:
        Each of these, if there is nothing frozen or it makes no difference, or if the step moves the weights.

    What it cannot tell:
        What happens between two steps of your own program, outside the step.

    Confirming example:
        model = net(1)
        for layer in model.layers[:2]:
            layer.trainable = False
        model.layers[2].trainable = False
        model.compile("adam", "mse")
        report = ww.probe(model, x, number, experiments=["unfreeze-and-apply"])

    Refuting example:
        model = net(1)
        model.compile("adam", "mse")
        report = ww.probe(model, x, number, experiments=["unfreeze-and-apply"])
    """
    causes = [*_about_the_step(lab), _about_frozen_layers(lab)]
    confirmed = next((cause for cause in causes if cause.outcome == "confirmed"), causes[0])
    return Result(confirmed.message, tuple(causes))


def _about_the_step(lab: Lab) -> list[TestedCause]:
    """Returns whether the program's own step moves what it has a gradient for."""
    program, batch, names = lab.program, lab.batches[0], ("updates-not-applied", "update-undone")
    if program.kind == "by hand":
        return [TestedCause(name, "open", "your own step was not run; pass step_fn= to test it") for name in names]
    with lab.state.restored():
        before = values(program.variables)
        counted = total_iterations(program.optimizers)
        lab.trials.spending.add_step()
        program.step(batch)
        counted = total_iterations(program.optimizers) - counted
        moved = any(np.any(new != old) for new, old in zip(values(program.variables), before, strict=True))
    if moved:
        return [TestedCause(name, "refuted", "one step of the program moves the weights") for name in names]
    if not _moves_by_adam(lab):
        return [TestedCause(name, "refuted", "there is no gradient that could move a weight") for name in names]
    message = "one step of the program moves no weight; a step of Adam with the same gradients does"
    detail = "the optimizer counts the step" if counted else "the optimizer does not count the step"
    outcomes = ("refuted", "confirmed") if counted else ("confirmed", "refuted")
    return [TestedCause(n, o, f"{message}; {detail}") for n, o in zip(names, outcomes, strict=True)]  # type: ignore[arg-type]


def _moves_by_adam(lab: Lab) -> bool:
    try:
        with lab.state.restored():
            lab.trials.spending.add_step()
            gradients = lab.program.gradients(lab.batches[0]).gradients
    except CannotRun:
        return False
    return any(g is not None and np.any(np.asarray(keras.ops.convert_to_numpy(g))) for g in gradients)


def _about_frozen_layers(lab: Lab) -> TestedCause:
    name = "frozen-weights"
    frozen = [layer for layer in layers_of(lab.program) if _is_frozen(layer)]
    if not frozen:
        return TestedCause(name, "refuted", "no layer with weights is frozen")
    try:
        control = lab.trials.run(Substitute(lab.program, keras.optimizers.Adam(1e-3)))
    except CannotRun:
        control = None
    with _all_trainable(lab):
        trial = lab.trials.run(Substitute(lab.program, keras.optimizers.Adam(1e-3)))
    change = f"all layers trainable ({len(frozen)} are frozen)"
    if control is None:
        outcome = "confirmed" if trial.learns else "open"
        message = f"nothing is trainable; with all layers trainable the loss falls by {100 * trial.fall:.2g} %"
        return TestedCause(name, outcome, message)  # type: ignore[arg-type]
    return compared(name, control, trial, change)


def _is_frozen(layer: Any) -> bool:
    return bool(layer.weights) and not layer.trainable_variables and not _keeps_statistics_only(layer)


def _keeps_statistics_only(layer: Any) -> bool:
    return type(layer).__name__ in ("Normalization", "BatchNormalization")


@contextmanager
def _all_trainable(lab: Lab) -> Iterator[None]:
    """Makes all layers trainable inside the block; afterwards the flags are restored."""
    program, earlier = lab.program, lab.trials.state
    flags = program.saved_state()
    try:
        program.forget_traces()
        for layer in program.model._flatten_layers():
            layer.trainable = True
        lab.trials.state = program.saved_state()
        yield
    finally:
        lab.trials.state = earlier
        flags.restore()
        program.forget_traces()
