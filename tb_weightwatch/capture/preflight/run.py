"""`ww.preflight(model, x, y)`: diagnoses a model by its structure, its settings and a few batches, before training.

It makes a small History of its own (facts, and one row for each batch, without any update) and passes it to the same
rules as any other. Rules about updates cannot judge such a History, and report that.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from ...diagnosis import checked_rules, diagnose
from ...verdict import Diagnosis, Verdict
from ..arguments import check_training, received
from ..legacy.objects import is_legacy_model
from ..observe.dry_run import dry_run, loss_function, restoring
from ..observe.samples import sample_count, selected_samples
from ..preflight_results import remember
from .history import Batch, Program, preflight_history

if TYPE_CHECKING:
    from ...diagnosis import RuleSettings
    from ..arguments import types

MAX_BATCHES, MAX_SAMPLES = 8, 256


def preflight(  # noqa: PLR0913
    model: keras.Model,
    x: types.Data,
    y: types.Batch | None = None,
    *,
    loss: types.Loss | None = None,
    optimizer: types.Optimizer | None = None,
    rules: RuleSettings | None = None,
) -> Diagnosis:
    """Diagnoses a training before its first step.

    The model is called as in training on up to 256 samples, in up to eight batches, and the gradient of the loss is
    computed; nothing is updated. Weights, statistics, the optimizer and the random generators of Keras, numpy and
    Python are restored afterwards (operations of `tf.random` in your own layers advance their generator). A recording
    of the same model includes the result (`History.of_kind("preflight")`).

    Args:
        model: a built Keras model.
        x: inputs as `model.fit` takes them: arrays or tensors, lists or dicts of them, or a `tf.data.Dataset` of
            (x, y) batches, of which a new iterator is read.
        y: targets; None if `x` is a dataset.
        loss: as in `model.compile`, for a model that is trained by hand; None: as compiled.
        optimizer: the optimizer of the hand-written loop; None: as compiled.
        rules: name or code of a rule -> thresholds by name, or False to mute it.

    Raises:
        TypeError: `model` is no Keras model, or `loss` or `optimizer` is a class.
        ValueError: the model has not been built or cannot be called on a batch, or x and y differ in length; or the
            loss cannot be computed and no rule explains why; or `rules` is not valid.
    """
    _check_model(model)
    check_training(loss, optimizer)
    rule_settings = checked_rules(rules)
    program = Program(
        model=model,
        optimizer=getattr(model, "optimizer", None) if optimizer is None else optimizer,
        loss=getattr(model, "loss", None) if loss is None else loss,
        by_hand=loss is not None or optimizer is not None or getattr(model, "optimizer", None) is None,
    )
    batches = _batches(x, y)
    with restoring(model):
        function = loss_function(program.loss, list(getattr(model, "output_names", None) or []))
        runs = [dry_run(model, *batch, None if batch.y is None else function) for batch in batches]
        history = preflight_history(program, batches, runs)
    diagnosis = _before_step_1(diagnose(history, rule_settings))
    fault = next((run.fault for run in runs if run.fault is not None), None)
    if fault is not None and diagnosis.status != "sick":
        raise ValueError(f"the loss must take the targets and predictions of a batch; it failed: {fault}") from fault
    remember(model, _result(diagnosis))
    return diagnosis


def _check_model(model: Any) -> None:
    if not isinstance(model, keras.Model) and not is_legacy_model(model):
        raise TypeError(f"model must be a keras.Model, got {received(model)}")
    if not model.built or not all(layer.built for layer in model.layers):
        raise ValueError(
            "the model must be built, since building it would initialize its weights; got a model that is not: give it "
            "a keras.Input, or call model.build(input_shape) or model(x[:1]) first"
        )


def _batches(x: Any, y: Any) -> list[Batch]:
    """Returns up to eight batches of tensors; of long arrays, samples at even distances."""
    if isinstance(x, tf.data.Dataset):
        items = [item if isinstance(item, tuple) else (item,) for item in x.take(MAX_BATCHES)]
        if not items:
            raise ValueError("x must hold at least one batch, got an empty dataset")
        return [Batch(item[0], item[1] if len(item) > 1 else None) for item in items]
    if x is None or isinstance(x, str) or inspect.isgenerator(x):
        raise TypeError(f"x must be arrays, tensors or a tf.data.Dataset, got {received(x)}; pass the inputs of `fit`")
    count = sample_count(x, y)
    samples = np.unique(np.linspace(0, count - 1, min(MAX_SAMPLES, count)).astype(np.int64))
    groups = np.array_split(samples, min(MAX_BATCHES, max(1, len(samples) // 2)))
    return [Batch(selected_samples(x, group), selected_samples(y, group)) for group in groups]


def _before_step_1(diagnosis: Diagnosis) -> Diagnosis:
    """Returns the diagnosis with all steps set to 0, before the first one."""

    def dated(verdict: Verdict) -> Verdict:
        evidence = tuple(replace(item, step=None) for item in verdict.evidence)
        explains = tuple(map(dated, verdict.explains))
        return replace(verdict, first_step=0, last_step=0, evidence=evidence, explains=explains)

    verdicts, resolved = (tuple(map(dated, group)) for group in (diagnosis.verdicts, diagnosis.resolved))
    return replace(diagnosis, verdicts=verdicts, resolved=resolved, step=0)


def _result(diagnosis: Diagnosis) -> dict[str, Any]:
    """Returns the diagnosis as a recording of the same model includes it beside its rows."""
    verdicts = [
        {"code": v.code, "name": v.name, "severity": v.severity, "message": v.message} for v in diagnosis.verdicts
    ]
    return {
        "status": diagnosis.status,
        "sentence": diagnosis.sentence,
        "verdicts": verdicts,
        "passed": list(diagnosis.passed),
    }
