"""Only a part trains, and what the loss needs lies before it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O, data, mlp
from .faulty_tools import SPARSE, bce, cnn, drive, faulty, logits_loss, mse, pictures, sparse, trainer

KIND = "part-trains"
PART = ("updates-not-applied", "frozen-weights", "no-gradient")


@faulty(*PART, kind=KIND)
def last_bias_handed_to_the_optimizer(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(64, 24, 10, last="softmax"), O.Adam(0.01)
    variables = model.trainable_variables[-1:] if bad else None
    step = trainer(model, optimizer, sparse, variables=variables)
    return drive(lab, model, optimizer, step, *data("digits"))


@faulty(*PART, kind=KIND)
def calibration_alone_is_trained(lab: Lab, bad: bool) -> Any:
    keras.utils.set_random_seed(3)
    inputs = L.Input((30,))
    hidden = L.Dense(1, name="score")(L.Dense(16, activation="tanh")(inputs))
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid", name="calibration")(hidden))
    optimizer = O.Adam(0.01)
    variables = model.get_layer("calibration").trainable_variables if bad else model.trainable_variables
    x, _ = data("breast_cancer")
    y = (tf.abs(x[:, :1]).numpy() > 0.6).astype("f")  # of which a random score says nothing
    step = trainer(model, optimizer, bce, variables=variables, alone=True, graph=True)
    return drive(lab, model, optimizer, step, x, y, steps=300)


@faulty("frozen-weights", *PART[::2], kind=KIND)
def frozen_base_ends_in_one_unit(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    base = mlp(64, 24, 1, last="tanh")
    base.trainable = not bad
    model = keras.Sequential([L.Input((64,)), base, L.Dense(16, activation="relu"), L.Dense(10, activation="softmax")])
    model.layers[1].trainable = not bad
    return lab.fit(model, x, y, optimizer=O.Adam(0.01), loss=SPARSE, epochs=5)


@faulty("frozen-weights", "updates-not-applied", kind=KIND)
def discriminator_frozen_for_its_own_optimizer(lab: Lab, bad: bool) -> Any:
    x = np.random.default_rng(0).normal(3.0, 0.5, size=(1000, 2)).astype("f")
    maker, judge = mlp(4, 16, 2), mlp(2, 16, 1, seed=2)
    of_maker, of_judge = O.Adam(0.01), O.Adam(0.01)
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)
    of_judge.build(judge.trainable_variables)
    of_maker.build(maker.trainable_variables)
    judge.trainable = not bad  # meant for the generator's turn only

    @tf.function
    def step(xb: Any, unused: Any) -> Any:
        noise = tf.random.normal((32, 4))
        with tf.GradientTape() as tape:
            real, fake = judge(xb, training=True), judge(maker(noise), training=True)
            loss = loss_of(tf.ones_like(real), real) + loss_of(tf.zeros_like(fake), fake)
        variables = judge.trainable_variables
        of_judge.apply(tape.gradient(loss, variables), variables)
        with tf.GradientTape() as tape:
            fooled = judge(maker(noise, training=True))
            loss = loss_of(tf.ones_like(fooled), fooled)
        variables = maker.trainable_variables
        of_maker.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return drive(lab, [maker, judge], [of_maker, of_judge], step, x, x, steps=150)


@faulty("no-gradient", "frozen-weights", "updates-not-applied", kind=KIND)
def stop_gradient_before_a_narrow_head(lab: Lab, bad: bool) -> Any:
    keras.utils.set_random_seed(3)
    encoder = keras.Sequential([L.Input((8, 8, 1)), L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(1)])
    head = mlp(1, 16, 10, seed=4)
    optimizer = O.Adam(0.01)

    def forward(xb: Any) -> Any:
        code = encoder(xb, training=True)
        return head(tf.stop_gradient(code) if bad else code, training=True)

    x, y = data("digits")
    variables = encoder.trainable_variables + head.trainable_variables
    step = trainer(None, optimizer, logits_loss, forward=forward, variables=variables, graph=True)
    return drive(lab, [encoder, head], optimizer, step, pictures(x), y, steps=150)


@faulty("updates-not-applied", "frozen-weights", kind=KIND)
def second_phase_never_comes(lab: Lab, bad: bool) -> Any:
    model, optimizer = mlp(13, 16, 2, 3, activation="tanh", last="softmax"), O.SGD(0.2)
    optimizer.build(model.trainable_variables)
    begins = 100_000 if bad else 20
    count = [0]

    def step(xb: Any, yb: Any) -> Any:
        count[0] += 1
        variables = model.trainable_variables if count[0] > begins else model.trainable_variables[-1:]
        with tf.GradientTape() as tape:
            loss = sparse(yb, model(xb, training=True))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    return drive(lab, model, optimizer, step, *data("wine"), steps=150)


@faulty("updates-not-applied", "frozen-weights", kind=KIND)
def unfrozen_but_not_compiled_again(lab: Lab, bad: bool) -> Any:
    x, y = data("digits")
    model = cnn()
    for layer in model.layers[:-1]:
        layer.trainable = False
    model.layers[-1].kernel.assign(np.zeros(model.layers[-1].kernel.shape, "f"))
    model.layers[-1].kernel.trainable = False
    model.compile(optimizer=O.Adam(0.005), loss=SPARSE)
    model.fit(pictures(x), y, verbose=0)
    for v in model.variables:
        v.trainable = True
    for layer in model.layers:
        layer.trainable = True
    model.layers[-1].kernel.assign(0.1 * np.random.default_rng(0).normal(size=model.layers[-1].kernel.shape))
    return lab.fit(model, pictures(x), y, optimizer=O.Adam(0.005), loss=SPARSE, epochs=3, compiled=not bad)


class ByName(keras.Model):
    """Trains the variables whose name it looks for."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self.net, self.wanted = mlp(13, 16, 2, 3, activation="tanh", last="softmax"), wanted

    def call(self, x: Any) -> Any:
        return self.net(x)

    def train_step(self, batch: Any) -> Any:
        x, y = batch
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self.net(x, training=True))
        variables = [v for v in self.trainable_variables if v.name == self.wanted or not self.wanted]
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


@faulty("updates-not-applied", "frozen-weights", kind=KIND)
def train_step_picks_the_biases(lab: Lab, bad: bool) -> Any:
    model = ByName("bias" if bad else "")
    return lab.fit(model, *data("wine"), optimizer=O.SGD(0.1), loss=SPARSE, epochs=20)


@faulty("no-gradient", "frozen-weights", "updates-not-applied", kind=KIND)
def encoder_called_by_predict(lab: Lab, bad: bool) -> Any:
    encoder, head = mlp(10, 16, 2, last="tanh"), mlp(2, 1, seed=3)
    encoder.layers[-1].kernel.assign(0.001 * encoder.layers[-1].kernel)
    optimizer = O.SGD(0.05)

    def forward(xb: Any) -> Any:
        return head(encoder.predict_on_batch(xb) if bad else encoder(xb, training=True), training=True)

    variables = encoder.trainable_variables + head.trainable_variables
    step = trainer(None, optimizer, mse, forward=forward, variables=variables)
    return drive(lab, [encoder, head], optimizer, step, *data("diabetes"))
