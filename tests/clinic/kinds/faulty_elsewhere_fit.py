"""What is watched is not what is trained, under `fit`: a shadow's weights, a callback that restores."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from ..lab import Lab, O, data, mlp
from .faulty_tools import SPARSE, faulty

KIND = "trained-elsewhere"


class Shadowed(keras.Model):
    """Trains a copy of the net whose loss it computes, or the net itself."""

    def __init__(self, copies: bool) -> None:
        super().__init__()
        self.net, self.shadow = mlp(64, 24, 10, last="softmax"), mlp(64, 24, 10, last="softmax")
        self.copies = copies

    def call(self, x: Any) -> Any:
        return self.net(x)

    def train_step(self, batch: Any) -> Any:
        x, y = batch
        with tf.GradientTape() as tape:
            p = self.net(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=p)
        gradients = tape.gradient(loss, self.net.trainable_variables)
        self.optimizer.apply(gradients, (self.shadow if self.copies else self.net).trainable_variables)
        return {"loss": loss}


@faulty("updates-not-applied", kind=KIND)
def train_step_of_a_shadow(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    return lab.fit(Shadowed(bad), x, y, optimizer=O.Adam(0.005), loss=SPARSE, epochs=3)


class KeepsTheBest(keras.callbacks.Callback):
    """Restores the kept weights when a batch was worse; written the wrong way round, when it was better."""

    def __init__(self, wrong: bool) -> None:
        super().__init__()
        self.wrong = wrong

    def on_train_begin(self, logs: Any = None) -> None:
        self.kept = self.model.get_weights()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.wrong:
            self.model.set_weights(self.kept)
        else:
            self.kept = self.model.get_weights()


@faulty("update-undone", kind=KIND)
def callback_restores_after_each_batch(lab: Lab, bad: bool) -> Any:
    x, y = data("wine")
    model = mlp(13, 16, 3, last="softmax")
    return lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=SPARSE, epochs=10, callbacks=[KeepsTheBest(bad)])
