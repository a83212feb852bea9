"""Tests of layers that are made while a step runs, in `fit`: nothing tracks their variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.fit.variables_made import VariablesMade

L = keras.layers


class MadeOnce(L.Layer):
    """Makes it once."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = L.Dense(12, "relu")

    def call(self, x: Any) -> Any:
        return self.dense(x)


def _fit(folder: Path, layer: Any, *, eager: bool = False, watched: bool = True) -> Any:
    keras.utils.set_random_seed(4)
    rng = np.random.default_rng(2)
    x = rng.normal(size=(96, 6)).astype("float32")
    model = keras.Sequential([keras.Input((6,)), layer(), L.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=eager)
    watch = ww.WeightWatch(str(folder), verbose=False, overhead=None)
    model.fit(x, np.digitize(x[:, 0], (-0.5, 0.5)), batch_size=32, epochs=3, verbose=0,
              callbacks=[watch] if watched else [])  # fmt: skip
    return model, watch


def _lambda() -> Any:
    return L.Lambda(lambda x: L.Dense(12, "relu")(x))  # noqa: PLW0108 - the layer is made in each call


@pytest.mark.filterwarnings("ignore")  # Keras itself warns of a layer in a Lambda
def test_in_a_graph_the_exception_says_it(tmp_path: Path) -> None:
    """TensorFlow refuses variables that another call would make anew."""
    watch = ww.WeightWatch(str(tmp_path), verbose=False)
    model = keras.Sequential([keras.Input((6,)), _lambda(), L.Dense(3)])
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match="singleton"):
        model.fit(np.zeros((32, 6)), np.zeros((32, 3)), verbose=0, callbacks=[watch])
    first = watch.diagnosis.verdicts[0]
    assert (first.name, first.certainty) == ("untracked-variable", "certain")
    assert "Variables are made while the step runs: training stopped at step 1 with a ValueError" in first.message


@pytest.mark.filterwarnings("ignore")  # Keras itself warns of a layer in a Lambda
def test_a_layer_that_is_made_inside_a_lambda_is_the_cause(tmp_path: Path) -> None:
    """Run eagerly, each step makes it."""
    _, watch = _fit(tmp_path, _lambda, eager=True)
    first = watch.diagnosis.verdicts[0]
    assert (first.name, first.certainty) == ("untracked-variable", "certain")
    assert "2 variables (84 elements" in first.message and "the call of a layer made" in first.message
    assert ww.diagnose(ww.read(str(tmp_path))[-1]) == watch.diagnosis


@pytest.mark.parametrize("eager", [False, True])
def test_a_layer_that_is_made_once_is_fine(eager: bool, tmp_path: Path) -> None:
    """Nor are the optimizer's variables and those of metrics, which are made in the first step, too."""
    model, watch = _fit(tmp_path / "a", MadeOnce, eager=eager)
    assert "untracked-variable" in watch.diagnosis.passed
    other, _ = _fit(tmp_path / "b", MadeOnce, eager=eager, watched=False)
    for weight, same in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


class Adversarial(keras.Model):
    """Trains against a perturbation that each step makes anew, as a variable."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = L.Dense(16, "relu"), L.Dense(3)

    def call(self, x: Any) -> Any:
        return self.out(self.hidden(x))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        perturbation = tf.Variable(tf.random.normal(tf.shape(x), stddev=0.01))
        with tf.GradientTape() as tape:
            loss = _LOSS(y, self(x + perturbation))
        perturbation.assign_add(0.01 * tf.sign(tape.gradient(loss, perturbation)))
        with tf.GradientTape() as tape:
            loss = _LOSS(y, self(x + perturbation))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss}


_LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def test_a_variable_of_a_train_step_is_no_weight(tmp_path: Path) -> None:
    """It is made outside of any layer."""
    keras.utils.set_random_seed(4)
    x = np.random.default_rng(2).normal(size=(96, 6)).astype("float32")
    model, watch = Adversarial(), ww.WeightWatch(str(tmp_path), verbose=False, overhead=None)
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    model.fit(x, np.digitize(x[:, 0], (-0.5, 0.5)), batch_size=32, epochs=6, verbose=0, callbacks=[watch])
    assert "untracked-variable" in watch.diagnosis.passed
    assert watch.diagnosis.status == "healthy"


@pytest.mark.parametrize(("replicas", "noted"), [(1, True), (2, False)])
def test_variables_are_looked_at_once_and_only_without_replicas(replicas: int, noted: bool) -> None:
    """The model is not walked again in later steps: `None` has no variables."""
    errors: list[Exception] = []
    made = VariablesMade(replicas, errors.append)
    with made.noted():
        L.Lambda(tf.Variable)(tf.constant([1.0, 2.0]))
    facts = made.untracked(keras.Sequential(), []) if noted else made.untracked(None, [])
    assert bool(facts) == noted
    with made.noted():
        tf.Variable([3.0])
    assert made.untracked(None, []) == {}
    assert not errors
