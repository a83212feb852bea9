"""The sick and the healthy example of each rule, from its docstring, and the preamble that both need."""

from __future__ import annotations

import inspect
from itertools import takewhile

from ..rule import Rule

KINDS = ("Sick example", "Healthy example")
PREAMBLE = """\
import keras, numpy as np, tensorflow as tf, tb_weightwatch as ww
from keras import layers, optimizers

keras.utils.set_random_seed(1)
x = np.random.normal(size=(256, 8)).astype("float32")
number = x[:, :1] - x[:, 1:2]                   # targets: a number,
label = (number > 0).astype("float32")          # two classes,
kind = np.digitize(number[:, 0], (-0.8, 0.8))   # or three classes

def net(units, last=None, hidden="relu", **options):
    stack = [layers.Dense(16, hidden, **options), layers.Dense(16, hidden, **options), layers.Dense(units, last)]
    return keras.Sequential([keras.Input((8,)), *stack])

def mse(y, p):
    return tf.reduce_mean(tf.square(p - y))

def fit(model, x, y, loss, optimizer="adam", epochs=3):
    watch = ww.WeightWatch("logs", verbose=False)
    model.compile(optimizer, loss, run_eagerly=True)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, callbacks=[watch])
    return watch

def loop(model, x, y, loss, optimizer, steps=24, apply=True, begin=lambda step: None):
    with ww.Watch("logs", model=model, optimizer=optimizer, verbose=False) as watch:
        for step in range(steps):
            begin(step)
            batch = np.arange(32 * step, 32 * step + 32) % len(x)
            with tf.GradientTape() as tape:
                value = loss(y[batch], model(x[batch], training=True))
            gradients = tape.gradient(value, model.trainable_variables)
            if apply:
                optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            watch.step(value, inputs=x[batch], targets=y[batch])
    return watch
"""


def example(rule: Rule, kind: str) -> str:
    """Returns the code of a rule's example, which defines `watch`; "" if there is none.

    Args:
        rule: the rule.
        kind: one of `KINDS`.
    """
    return section(rule.doc, kind)


def section(doc: str, heading: str) -> str:
    """Returns what stands below a heading of an explanation; "" if there is no such heading."""
    _, _, after_heading = doc.partition(f"\n{heading}:\n")
    if not after_heading:
        return ""
    lines = takewhile(lambda line: not line or line.startswith(" "), after_heading.split("\n"))
    return inspect.cleandoc("\n" + "\n".join(lines)) + "\n"
