"""Healthy programs: look-ahead, sharpness-aware steps, weights averaged by callbacks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import Lab, O, data, mlp
from .proof import assert_accurate, assert_explained, callback, healthy

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@healthy("look-ahead")
def slow_weights_in_an_optimizer(lab: Lab, seed: int) -> None:
    """Every fifth step the fast weights are pulled half the way back, within the optimizer itself."""

    class LookAhead(keras.optimizers.SGD):
        def build(self, variables: Any) -> None:
            if not self.built:
                super().build(variables)
                self.slow = [self.add_variable_from_reference(v, "slow", initializer="zeros") for v in variables]
                for s, v in zip(self.slow, variables, strict=True):
                    s.assign(v)

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient, variable, learning_rate)
            slow = self.slow[self._get_variable_index(variable)]
            due = keras.ops.cast((self.iterations + 1) % 5 == 0, variable.dtype)
            self.assign_add(slow, due * 0.5 * (variable - slow))
            self.assign(variable, due * slow + (1 - due) * variable)

    x, y = data("digits")
    model = mlp(64, 32, 10, seed=seed)
    lab.fit(model, x, y, optimizer=LookAhead(0.1, momentum=0.9), loss=SPARSE, epochs=4)
    assert_accurate(model(x), y, 0.85)


class Sharpness(keras.Model):
    """Weights are moved uphill, a gradient is taken there, and they are moved back before the step."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def call(self, x: Any) -> Any:
        return self.network(x)

    def train_step(self, batch: Any) -> dict[str, Any]:
        x, y = batch
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        found = tape.gradient(loss, self.trainable_variables)
        climbs = [0.05 * g / (tf.linalg.global_norm(found) + 1e-9) for g in found]
        for v, climb in zip(self.trainable_variables, climbs, strict=True):
            v.assign_add(climb)
        with tf.GradientTape() as tape:
            above = self.compute_loss(x, y, self(x, training=True))
        found = tape.gradient(above, self.trainable_variables)
        for v, climb in zip(self.trainable_variables, climbs, strict=True):
            v.assign_sub(climb)
        self.optimizer.apply(found, self.trainable_variables)
        return {"loss": loss}


@healthy("sharpness-aware")
def sharpness_aware_train_step(lab: Lab, seed: int) -> None:
    x, y = data("digits")
    model = Sharpness(mlp(64, 32, 10, seed=seed))
    model(x[:2])
    lab.fit(model, x, y, optimizer=O.SGD(0.1, momentum=0.9), loss=SPARSE, epochs=3)
    assert_accurate(model(x), y, 0.85)


@healthy("averaged-weights")
def average_of_late_epochs(lab: Lab, seed: int) -> None:
    """Stochastic weight averaging: at the end of training the mean of the last epochs' weights is put in."""
    x, y = data("diabetes")
    kept: list[Any] = []

    class Average(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch >= 6:
                kept.append(self.model.get_weights())

        def on_train_end(self, logs: Any = None) -> None:
            self.model.set_weights([np.mean(values, axis=0) for values in zip(*kept, strict=True)])

    model = mlp(10, 32, 1, seed=seed)
    lab.fit(model, x, y, optimizer=O.SGD(0.02, momentum=0.9), epochs=12, callbacks=[Average()])
    assert_explained(model(x), y, 0.4)


@healthy("averaged-weights")
def average_swapped_in_between_epochs(lab: Lab, seed: int) -> None:
    """A shadow copy is put in for evaluation after each epoch, and taken out again before the next."""
    x, y = data("digits")
    model, watch = mlp(64, 32, 10, seed=seed), callback(lab)
    shadow: list[Any] = []

    class Shadow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            now = self.model.get_weights()
            shadow[:] = [0.95 * s + 0.05 * w for s, w in zip(shadow or now, now, strict=True)]

    model.compile(O.Adam(5e-3), SPARSE)
    for _ in range(4):
        model.fit(x, y, epochs=1, batch_size=64, verbose=0, callbacks=[Shadow(), watch])
        fast = model.get_weights()
        model.set_weights(shadow)
        found = np.asarray(model(x))
        model.set_weights(fast)
    assert_accurate(found, y, 0.85)
