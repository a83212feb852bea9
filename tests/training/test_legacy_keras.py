"""Legacy Keras beyond the cases of tests/supported/legacy.py: identical bits, each optimizer, errors, `tf.keras`."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tb_weightwatch as ww
from tests.supported.legacy_training import fitted, legacy, model
from tests.supported.observe import BATCH, diabetes

NEW = ("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD")
OLD = ("Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "RMSprop", "SGD")


def final_bits(recorders: list[Any], **compiled: Any) -> list[bytes]:
    """Returns the variables of model and optimizer after ten steps, of which the last ones carry NaN."""
    keras = legacy()
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    layers = keras.layers
    # XLA draws the masks of a Dropout of legacy Keras from another seed in each process and step.
    dropout = [] if compiled.get("jit_compile") else [layers.Dropout(0.3)]
    parts = [layers.Dense(16), layers.BatchNormalization(), layers.ReLU(), *dropout, layers.Dense(1)]
    trained = model(*parts, **compiled)
    x, y = diabetes(10 * BATCH)
    x[8 * BATCH, 0] = np.inf
    trained.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=recorders)
    return [v.numpy().tobytes() for v in (*trained.variables, *trained.optimizer.variables())]


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}, {"steps_per_execution": 2}], ids=str)
def test_recording_changes_no_bit(options: dict[str, Any], tmp_path: Path) -> None:
    """Weights, statistics and slots are equal to the last bit with the callback, in recorded steps and between them."""
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)
    watch._gate.schedule.due = lambda step: (step - 1) % 4 < 2  # type: ignore[method-assign]
    momentum = lambda: legacy().optimizers.SGD(0.05, momentum=0.9)  # noqa: E731
    alone = final_bits([], optimizer=momentum(), **options)
    assert final_bits([watch], optimizer=momentum(), **options) == alone
    assert 4 <= len(watch.history) < 10
    assert watch.history.known("gradient_norm")[:, [v.trainable for v in watch.history.variables]].all()


@pytest.mark.parametrize("name", [*NEW, *(f"legacy.{name}" for name in OLD)])
def test_each_optimizer(name: str, tmp_path: Path) -> None:
    """Gradients, updates, learning rate and the optimizer's settings are recorded of each optimizer."""
    place = legacy().optimizers.legacy if name.startswith("legacy.") else legacy().optimizers
    kind = getattr(place, name.removeprefix("legacy."))
    history, steps = fitted(
        tmp_path, lambda: model(optimizer=kind(0.01), run_eagerly=True), data=diabetes(2 * BATCH), gradients=False
    )
    assert len(steps) == len(history) == 2
    assert history.known("gradient_norm").all()
    decays = name == "legacy.Nadam"  # by default
    np.testing.assert_allclose(history.column("learning_rate"), [0.01, 0.01 / 1.004 if decays else 0.01], rtol=1e-6)
    for row, step in enumerate(steps):
        moved = [np.linalg.norm(step.after[n] - step.before[n]) for n in step.after]
        np.testing.assert_allclose(history.column("update_norm")[row], moved, rtol=6e-3)
    assert history.facts["optimizers"][0]["class"] == kind.__name__
    assert not history.facts["optimizers"][0]["own"]


def test_an_exception_of_fit_is_recorded(tmp_path: Path) -> None:
    """An exception in a step ends the launch with its type."""
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)

    x, y = diabetes()
    with pytest.raises(ValueError, match="incompatible with the layer"):
        model().fit(x[:, :3], y, verbose=0, callbacks=[watch])
    end = watch.history.of_kind("end")[-1].data
    assert (end["detail"], end["meaning"]) == ("ValueError", "shape-mismatch")


def test_preflight_takes_both_generations() -> None:
    """`ww.preflight` judges a model of legacy Keras, and leaves its weights as they are."""
    made = model(loss="binary_crossentropy")
    before = made.get_weights()
    diagnosis = ww.preflight(made, *diabetes())
    assert [v.name for v in diagnosis.verdicts]
    assert all((a == b).all() for a, b in zip(before, made.get_weights(), strict=True))


def test_experiments_say_that_they_need_keras_3() -> None:
    """`ww.probe` refuses a model of legacy Keras, and says what works instead."""
    with pytest.raises(TypeError, match="legacy Keras"):
        ww.probe(model(), *diabetes())


TF_KERAS = """
import sys
import numpy as np
import tensorflow as tf
import tb_weightwatch as ww

assert tf.keras.__name__.startswith("tf_keras") or "tf_keras" in tf.keras.Model.__module__, tf.keras
model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
watch = ww.WeightWatch(sys.argv[1], verbose=False)
x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
model.fit(x, x[:, :1], verbose=0, callbacks=[watch])
assert watch.history.steps.tolist() == [1, 2]
assert watch.history.known("gradient_norm").all()
"""


def test_tf_keras_is_legacy_keras_by_the_environment(tmp_path: Path) -> None:
    """With TF_USE_LEGACY_KERAS=1 a program that uses `tf.keras` is recorded."""
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    program = [sys.executable, "-c", TF_KERAS, str(tmp_path)]
    process = subprocess.run(program, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert ww.read(tmp_path)[0].ended


def test_a_watched_model_is_saved_and_copied(tmp_path: Path) -> None:
    """In all of its formats, while a Watch observes its layers; afterwards no hook is left."""
    made, optimizer = model(), legacy().optimizers.Adam()
    with ww.Watch(tmp_path, made, optimizer, verbose=False):
        made.save(tmp_path / "model.keras")
        made.save(tmp_path / "folder", save_format="tf")
        copy.deepcopy(made)
    parts = (made, optimizer, *made.layers)
    assert not [value for part in parts for value in vars(part).values() if hasattr(value, "_weightwatch")]
    loaded = legacy().models.load_model(tmp_path / "folder")
    assert all((a == b).all() for a, b in zip(made.get_weights(), loaded.get_weights(), strict=True))
