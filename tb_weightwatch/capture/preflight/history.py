"""The History of a training that has not begun: facts of the program, and one row for each batch of a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import keras
import numpy as np

from ...history import History, Record
from ...schema import as_stored, record_as_stored
from ...statistics import NOT_OBSERVED, VariableStep
from ..fit.step_outputs import listed_variables
from ..legacy.objects import is_legacy
from ..legacy.optimizers import next_rate
from ..measure.row_buffer import RowBuffer, RowLayout
from ..measure.step_data import StepData
from ..measure.step_measurer import StepMeasurer
from ..observe import model_facts as facts
from ..observe.batch_features import feature_records
from ..observe.dry_run import DryRun
from ..observe.observation import base_optimizers, current_value, variable_id
from ..observe.optimizer_facts import optimizer_facts


class Program(NamedTuple):
    """The training program that is examined; `by_hand`: a hand-written loop, not `model.fit`."""

    model: Any
    optimizer: Any
    loss: Any
    by_hand: bool


class Batch(NamedTuple):
    """Inputs and targets of one batch; `y` is None if there are no targets."""

    x: Any
    y: Any


def preflight_history(program: Program, batches: list[Batch], runs: list[DryRun]) -> History:
    """Returns the History of a program's dry runs: its facts, and one row for each batch.

    Args:
        program: a model with its loss and optimizer.
        batches: at least one.
        runs: the dry run of each batch.
    """
    model, optimizer = program.model, program.optimizer
    variables = listed_variables(model)
    items = facts.variable_items(variables, model, [] if optimizer is None else [optimizer])
    layers = [item for _, item in facts.layer_uses(model)]
    history = History("preflight")
    for kind, data in (
        ("facts", _facts(program, batches, runs[0].predictions)),
        ("variables", {"items": items}),
        ("layers", {"items": layers}),
        *(("features", features) for features in feature_records(*batches[0])),
    ):
        history.add(record_as_stored(Record(0, kind, data)))
    names = {variable_id(v): item["name"] for v, item in zip(variables, items, strict=True)}
    learning_rates = _learning_rates(optimizer, len(runs))
    measurer, buffer = StepMeasurer(), RowBuffer()
    for i, (batch, run, learning_rate) in enumerate(zip(batches, runs, learning_rates, strict=True)):
        numbers = {"loss": run.loss, "learning_rate": learning_rate}
        step = StepData(
            variables=tuple(names.values()),
            layers={item["name"]: item["activation"] for item in layers},
            changes=_variable_steps(model, names, run),
            none={},
            outputs=run.outputs,
            data={"x": batch.x, "y": batch.y, "y_pred": run.predictions},
            run={name: value for name, value in numbers.items() if value is not None},
        )
        buffer.add(i + 1, RowLayout(step.variables, tuple(step.layers)), measurer.measure(step))
    for rows in buffer.drain():
        history.append(as_stored(rows))
    return history


def _facts(program: Program, batches: list[Batch], predictions: Any) -> dict[str, Any]:
    optimizers = [] if program.optimizer is None else [program.optimizer]
    return {
        "recorder": {"kind": "loop" if program.by_hand else "fit"},
        "preflight": {"batches": len(batches)},
        **facts.model_facts(program.model),
        **optimizer_facts(optimizers),
        **facts.loss_facts(SimpleNamespace(loss=program.loss)),
        **facts.shape_facts(*batches[0], predictions),
    }


def _variable_steps(model: Any, names: Mapping[int, str], run: DryRun) -> dict[str, VariableStep]:
    """Returns the gradient and the value of each trainable variable. There is no value before: no step was made."""
    trained = model.trainable_variables
    gradients = [NOT_OBSERVED] * len(trained) if run.gradients is None else run.gradients
    pairs = zip(trained, gradients, strict=True)
    return {
        names[variable_id(v)]: VariableStep(gradient=gradient, before=None, after=current_value(v))
        for v, gradient in pairs
        if variable_id(v) in names
    }


def _learning_rates(optimizer: Any, steps: int) -> list[float | None]:
    """Returns the learning rate of each of the first steps, by its schedule; None if it is not known."""
    base = next(iter(base_optimizers(optimizer)), None)
    if base is None or not hasattr(base, "learning_rate"):
        return [None] * steps
    if is_legacy(base):
        rate = next_rate(base)  # a schedule's later rates are not read
        return [None if rate is None else float(np.asarray(rate)), *[None] * (steps - 1)][:steps]
    schedule = getattr(base, "_learning_rate", None)
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return [float(schedule(base.iterations + i)) for i in range(steps)]
    return [float(np.asarray(base.learning_rate))] * steps
