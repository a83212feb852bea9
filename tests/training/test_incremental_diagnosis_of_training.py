"""The incremental diagnosis of a real training."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.history import History
from tests.support.growing_history import check_growing


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> History:
    """A small model trained in a loop with too large a learning rate: losses jump and units die."""
    keras.utils.set_random_seed(3)
    x = np.random.default_rng(3).normal(size=(32, 5)).astype("float32")
    y = x[:, :1] * 3
    layers = [keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)]
    model, optimizer = keras.Sequential(layers), keras.optimizers.SGD(0.8)
    with ww.Watch(tmp_path_factory.mktemp("real"), model=model, optimizer=optimizer, overhead=None) as watch:
        for _ in range(70):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            watch.step(loss, inputs=x, targets=y)
    return watch.history


def test_a_real_recording_gets_the_same_answers(real: History) -> None:
    """Also for rows that were recorded from a real training."""
    check_growing(real, list(range(1, len(real), 7)))
    assert len(real) > 60
