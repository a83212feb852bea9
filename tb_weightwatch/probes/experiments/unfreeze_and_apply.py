"""Everything trainable, and a new optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from ...capture.observe import base_optimizers, total_iterations
from ...verdict import Outcome, TestedCause, number
from ..comparison import compared
from ..exact_updates import dense_pairs, exact_updates
from ..experiment import Lab, Result, experiment, telling
from ..program import CannotRun, Program, layers_of, values
from ..slopes import along_random
from ..state import tensor_variable
from ..trials import Trial, Trials
from ..updates import Substitute

RATE = 1e-2  # of Adam


@experiment(
    name="unfreeze-and-apply",
    tests=("frozen-weights", "updates-not-applied", "update-undone"),
    steps=60,
    traces=3,
)
def unfreeze_and_apply(lab: Lab) -> Result:
    """Makes a step as the program does, and steps of a new Adam with all layers trainable.

    What it does:
        It looks whether the program's own step moves a weight, and whether the optimizer counts it. Then it trains a
        few steps with Adam(1e-2), once as the layers are and once with all of them trainable.

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
    return telling(causes, causes[0].message)


def _about_the_step(lab: Lab) -> list[TestedCause]:
    """Returns whether the program's own step moves what it has a gradient for."""
    program, batch, names = lab.program, lab.batches[0], ("updates-not-applied", "update-undone")
    if program.kind == "by hand":
        return [TestedCause(name, "open", "your own step was not run; pass step_fn= to test it") for name in names]
    with lab.state.restored():
        before = values(program.variables)
        counted = total_iterations(program.optimizers)
        for _ in range(_steps_of_an_update(program)):
            lab.trials.spending.add_step()
            program.step(batch)
        counted = total_iterations(program.optimizers) - counted
        moved = any(np.any(new != old) for new, old in zip(values(program.variables), before, strict=True))
    if moved:
        return [TestedCause(name, "refuted", "one step of the program moves the weights") for name in names]
    message = "one step of the program moves no weight"
    if counted:
        outcome, reason = _about_a_counted_step(lab)
        return [
            TestedCause("updates-not-applied", "refuted", f"{message}, but the optimizer counts it"),
            TestedCause("update-undone", outcome, f"{message}, although the optimizer counts it; {reason}"),
        ]
    if any(getattr(optimizer, "inner_optimizer", None) is not None for optimizer in program.optimizers):
        reason = "loss scaling may have skipped it"
        return [TestedCause(name, "open", f"{message}, and no optimizer counts it; {reason}") for name in names]
    outcome, reason = _about_an_uncounted_step(lab)
    return [
        TestedCause("updates-not-applied", outcome, f"{message}, and no optimizer counts it; {reason}"),
        TestedCause("update-undone", "refuted", f"{message}, and no optimizer counts it"),
    ]


def _steps_of_an_update(program: Program) -> int:
    """Returns after how many steps all optimizers must have updated: one, or as many as they accumulate."""
    bases = (base for optimizer in program.optimizers for base in base_optimizers(optimizer))
    return max((getattr(base, "gradient_accumulation_steps", None) or 1 for base in bases), default=1)


def _about_a_counted_step(lab: Lab) -> tuple[Outcome, str]:
    """Returns whether the optimizer's own rule, in float64, would move the weights by more than rounding."""
    try:
        with lab.state.restored():
            lab.trials.spending.add_step()
            step = lab.program.gradients(lab.batches[0])
        pairs = dense_pairs(step.gradients, step.variables)
        exact = exact_updates(lab.program.optimizers, pairs)
    except CannotRun as reason:
        return "open", str(reason)
    for update, (_, variable) in zip(exact, pairs, strict=True):
        before = tensor_variable(variable).numpy()
        if np.any((before.astype(np.float64) + update).astype(before.dtype) != before):
            return "confirmed", "by its rule the update would move them"
    return "refuted", "by its rule the update is too small to move them"


def _about_an_uncounted_step(lab: Lab) -> tuple[Outcome, str]:
    """Returns whether there is anything to apply: a gradient, or a loss that depends on the weights."""
    try:
        with lab.state.restored():
            lab.trials.spending.add_step()
            step = lab.program.gradients(lab.batches[0])
    except CannotRun:
        batch = lab.batches[0]
        loss = lab.trials.losses([batch])[0]
        slope = along_random(lab, batch, loss, lab.program.variables, 1e-2)
        if slope.is_seen:
            return "confirmed", "the loss depends on the weights, but the step hands no gradient to an optimizer"
        return "open", "the step hands no gradient to an optimizer"
    if any(np.any(gradient) for gradient, _ in dense_pairs(step.gradients, step.variables)):
        return "confirmed", "but the gradient is not 0"
    return "refuted", "there is no gradient that could move them"


def _about_frozen_layers(lab: Lab) -> TestedCause:
    name = "frozen-weights"
    if lab.program.model is None:
        return TestedCause(name, "open", "the layers are not known; pass model=")
    frozen = [layer for layer in layers_of(lab.program) if _is_frozen(layer)]
    if not frozen:
        return TestedCause(name, "refuted", "no layer with weights is frozen")
    try:
        control = _train(lab.trials)
    except CannotRun:
        control = None
    with _all_trainable(lab) as trials:
        trial = _train(trials)
    change = f"all layers trainable ({len(frozen)} frozen now)"
    if control is None:
        outcome = "confirmed" if trial.learns else "open"
        message = f"nothing is trainable; with all layers trainable the loss falls by {number(100 * trial.fall, 2)} %"
        return TestedCause(name, outcome, message)  # type: ignore[arg-type]
    return compared(name, control, trial, change)


def _train(trials: Trials) -> Trial:
    return trials.run(Substitute(trials.program, keras.optimizers.Adam(RATE, name="probe_adam")), passes=5)


def _is_frozen(layer: Any) -> bool:
    return bool(layer.weights) and not layer.trainable_variables and not _keeps_statistics_only(layer)


def _keeps_statistics_only(layer: Any) -> bool:
    return type(layer).__name__ in ("Normalization", "BatchNormalization")


@contextmanager
def _all_trainable(lab: Lab) -> Iterator[Trials]:
    """Makes all layers trainable inside the block, and yields trials of that; afterwards the flags are restored."""
    program = lab.program
    flags = program.saved_state()
    try:
        program.forget_traces()
        for layer in program.model._flatten_layers():
            layer.trainable = True
        yield Trials(program, lab.batches, program.saved_state(), lab.trials.spending)
    finally:
        flags.restore()
        program.forget_traces()
