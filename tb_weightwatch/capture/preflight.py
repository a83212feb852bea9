"""`ww.preflight(model, x, y)`: what structure, settings and a few batches already tell, before the first step.

It makes a small History of its own (facts, and one row for each batch that it looked at, without any update) and hands
it to the same rules as any other. What an update does they can not tell from it, and say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..diagnosis import checked_rules, diagnose
from ..history import History, Record
from ..schema import as_stored, record_as_stored
from ..statistics import NOT_OBSERVED, VariableStep
from ..verdict import Diagnosis, Verdict
from .fit.step_outputs import measured_variables
from .measure.row_buffer import RowBuffer, RowLayout
from .measure.step_data import StepData
from .measure.step_measurer import StepMeasurer
from .observe import model_facts as facts
from .observe.batch_features import feature_records
from .observe.dry_run import DryRun, dry_run, loss_function, restoring
from .observe.observation import base_optimizers, variable_id
from .preflight_results import remember

BATCHES, SAMPLES = 8, 256  # looked at, at most


def preflight(  # noqa: PLR0913
    model: Any,
    x: Any,
    y: Any = None,
    *,
    loss: Any = None,
    optimizer: Any = None,
    rules: Mapping[str, Any] | None = None,
) -> Diagnosis:
    """Says what can be known of a training before its first step.

    The model is called as in training on up to 256 samples, in up to eight batches, and the gradient of the loss is
    taken; nothing is updated. Weights, statistics, the optimizer and the generators of Keras, numpy and Python are as
    they were afterwards (operations of `tf.random` in layers of your own draw on). A recording of the same model keeps
    what was found (`History.of_kind("preflight")`).

    Args:
        model: a built Keras model.
        x: inputs as `model.fit` takes them: arrays or tensors, lists or dicts of them, or a `tf.data.Dataset` of
            (x, y) batches, of which an iterator is then begun.
        y: targets; None where `x` is a dataset.
        loss: what `model.compile` takes, for a model that is trained by hand; None: as compiled.
        optimizer: that of the hand-written loop; None: as compiled.
        rules: rule name -> thresholds by name, or False to mute the rule.

    Raises:
        TypeError: `model` is no Keras model.
        ValueError: the model has not been built, does not take the batch, or x and y differ in length; or the loss
            can not be computed and no rule tells why; or `rules` is not valid.
    """
    _check(model)
    chosen = checked_rules(rules)
    by_hand = loss is not None or optimizer is not None or getattr(model, "optimizer", None) is None
    loss = getattr(model, "loss", None) if loss is None else loss
    optimizer = getattr(model, "optimizer", None) if optimizer is None else optimizer
    batches = _batches(x, y)
    with restoring(model):
        function = loss_function(loss, list(getattr(model, "output_names", None) or []))
        trials = [dry_run(model, *batch, None if batch[1] is None else function) for batch in batches]
        history = _history(model, optimizer, loss, batches, trials, by_hand)
    found = _dated(diagnose(history, chosen))
    fault = next((trial.fault for trial in trials if trial.fault is not None), None)
    if fault is not None and found.status != "sick":
        raise ValueError(f"the loss must take the targets and predictions of a batch; it failed: {fault}") from fault
    # A recording of the same model keeps this beside its rows.
    told = [{"code": v.code, "name": v.name, "severity": v.severity, "message": v.message} for v in found.verdicts]
    remember(
        model, {"status": found.status, "sentence": found.sentence, "verdicts": told, "passed": list(found.passed)}
    )
    return found


def _check(model: Any) -> None:
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    if not model.built or not all(layer.built for layer in model.layers):
        raise ValueError(
            "the model must be built, since building it would draw its weights; got one that is not: give it a "
            "keras.Input, or call model.build(input_shape) or model(x[:1]) first"
        )


# -- data


def _batches(x: Any, y: Any) -> list[tuple[Any, Any]]:
    """Returns up to eight (x, y), as tensors; of longer arrays samples that are spread evenly."""
    if isinstance(x, tf.data.Dataset):
        pairs = [item if isinstance(item, tuple) else (item, None) for item in x.take(BATCHES)]
        if not pairs:
            raise ValueError("x must hold at least one batch, got an empty dataset")
        return [(pair[0], pair[1] if len(pair) > 1 else None) for pair in pairs]
    lengths = [int(np.shape(part)[0]) for part in tf.nest.flatten((x, y)) if part is not None and np.ndim(part)]
    if not lengths or min(lengths) != max(lengths) or not lengths[0]:
        raise ValueError(f"x and y must be arrays of the same number of samples, got lengths {lengths}")
    places = np.unique(np.linspace(0, lengths[0] - 1, min(SAMPLES, lengths[0])).astype(np.int64))
    parts = np.array_split(places, min(BATCHES, max(1, len(places) // 2)))
    return [(_part(x, part), _part(y, part)) for part in parts]


def _part(data: Any, places: Any) -> Any:
    def chosen(array: Any) -> Any:
        if array is None:
            return None
        if tf.is_tensor(array):
            return tf.gather(array, places)
        found = np.asarray(array)[places]
        # As `fit` hands numbers over: in the precision of Keras.
        return tf.convert_to_tensor(found.astype(keras.config.floatx()) if found.dtype == np.float64 else found)

    return tf.nest.map_structure(chosen, data)


# -- the History


def _history(  # noqa: PLR0913, PLR0917
    model: Any, optimizer: Any, loss: Any, batches: list[Any], trials: list[DryRun], by_hand: bool
) -> History:
    optimizers = [] if optimizer is None else [optimizer]
    variables = measured_variables(model)
    items, uses = facts.variable_items(variables, model, optimizers), [use for _, use in facts.layer_uses(model)]
    predictions = trials[0].predictions
    known = {
        "recorder": {"kind": "loop" if by_hand else "fit"}, "preflight": {"batches": len(batches)},
        **facts.model_facts(model), **facts.optimizer_facts(optimizers), **facts.loss_facts(SimpleNamespace(loss=loss)),
        **facts.shape_facts(batches[0][0], batches[0][1], predictions),
    }  # fmt: skip
    history = History("preflight")
    records = [("facts", known), ("variables", {"items": items}), ("layers", {"items": uses})]
    records += [("features", one) for one in feature_records(*batches[0])]
    for kind, data in records:
        history.add(record_as_stored(Record(0, kind, data)))
    names = {variable_id(v): item["name"] for v, item in zip(variables, items, strict=True)}
    rates, meter, pending = _rates(optimizer, len(trials)), StepMeasurer(), RowBuffer()
    for i, (batch, trial) in enumerate(zip(batches, trials, strict=True)):
        run = {"loss": trial.loss, "learning_rate": rates[i]}
        reading = StepData(
            tuple(names.values()), {use["name"]: use["activation"] for use in uses}, _changes(model, names, trial), {},
            trial.outputs, {"x": batch[0], "y": batch[1], "y_pred": trial.predictions},
            {name: value for name, value in run.items() if value is not None},
        )  # fmt: skip
        pending.add(i + 1, RowLayout(reading.variables, tuple(reading.layers)), meter.measure(reading))
    for rows in pending.drain():
        history.append(as_stored(rows))
    return history


def _changes(model: Any, names: Mapping[int, str], trial: DryRun) -> dict[str, VariableStep]:
    """Returns of each trainable variable its gradient and what it is; no step has been made."""
    trained = model.trainable_variables
    gradients = [NOT_OBSERVED] * len(trained) if trial.gradients is None else trial.gradients
    pairs = zip(trained, gradients, strict=True)
    return {names[variable_id(v)]: VariableStep(g, None, v.value) for v, g in pairs if variable_id(v) in names}


def _rates(optimizer: Any, rows: int) -> list[float | None]:
    """Returns the learning rate of each of the first steps, as a schedule has it; None where it is not known."""
    leaf = next(iter(base_optimizers(optimizer)), None)
    if leaf is None or not hasattr(leaf, "learning_rate"):
        return [None] * rows
    schedule = getattr(leaf, "_learning_rate", None)
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return [float(schedule(leaf.iterations + i)) for i in range(rows)]
    return [float(np.asarray(leaf.learning_rate))] * rows


def _dated(found: Diagnosis) -> Diagnosis:
    """Returns the diagnosis as of step 0, before the first one."""

    def early(verdict: Verdict) -> Verdict:
        shown = tuple(replace(one, step=None) for one in verdict.evidence)
        return replace(verdict, first_step=0, last_step=0, evidence=shown, explains=tuple(map(early, verdict.explains)))

    return replace(
        found, verdicts=tuple(map(early, found.verdicts)), resolved=tuple(map(early, found.resolved)), step=0
    )
