"""What the faulty programs and their repaired twins share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, program

SPARSE = "sparse_categorical_crossentropy"
Step = Callable[[Any, Any], Any]


def faulty(*causes: str, kind: str, twin: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enters a faulty program by its causes (primary first), called with `bad=True`, and its repaired twin."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        def sick(lab: Lab) -> Any:
            return function(lab, True) if twin else function(lab)

        def repaired(lab: Lab) -> Any:
            return function(lab, False)

        sick.__name__, repaired.__name__ = function.__name__, f"{function.__name__}_repaired"
        program(causes[0], *causes[1:], kind=kind, source="kinds")(sick)
        if twin:
            program(None, kind=kind, source="kinds")(repaired)
        return function

    return enter


def batches(x: Any, y: Any, steps: int, size: int = 32, seed: int = 3) -> Iterator[tuple[Any, Any]]:
    """Yields random batches."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        chosen = rng.integers(0, len(x), size)
        yield tf.constant(x[chosen]), tf.constant(y[chosen])


def drive(  # noqa: PLR0917
    lab: Lab,
    model: Any,
    optimizer: Any,
    step: Step,
    x: Any,
    y: Any,
    *,
    steps: int = 100,
    size: int = 32,
    variables: Any = None,
    feed: Any = None,
) -> Any:
    """Calls `step` for each batch and tells the watch what it returns: the loss alone, or the loss and a dict."""
    with lab.watch(model, optimizer, variables=variables) as watch:
        for xb, yb in batches(x, y, steps, size) if feed is None else feed:
            out = step(xb, yb)
            loss, told = out if isinstance(out, tuple) else (out, {})
            watch.step(loss, **({} if lab.bare else told))
    return watch


def told(xb: Any, yb: Any, p: Any, gradients: Any, variables: Any) -> dict[str, Any]:
    """Returns what a careful loop tells the watch besides the loss."""
    pairs = list(zip(gradients, variables, strict=True))
    return {"inputs": xb, "targets": yb, "predictions": p, "gradients": pairs}


def mse(y: Any, p: Any) -> Any:
    return tf.reduce_mean(tf.square(p - tf.cast(y, p.dtype)))


def sparse(y: Any, p: Any) -> Any:
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, p))


def logits_loss(y: Any, p: Any) -> Any:
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, p))


def bce(y: Any, p: Any) -> Any:
    return tf.reduce_mean(keras.losses.binary_crossentropy(y, p))


def cnn(*, last: str | None = "softmax", seed: int = 2, **options: Any) -> Any:
    """Returns a small convolutional net for the digits as pictures."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            L.Input((8, 8, 1)),
            L.Conv2D(8, 3, activation="relu", **options),
            L.Conv2D(12, 3, strides=2, activation="relu", **options),
            L.Flatten(),
            L.Dense(10, activation=last),
        ]
    )


def pictures(x: Any) -> Any:
    return x.reshape(-1, 8, 8, 1)


def linear(n: int = 500, d: int = 6, seed: int = 0, noise: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Returns a linear regression problem."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)).astype("f")
    y = (x @ rng.normal(size=(d, 1)) / np.sqrt(d) + noise * rng.normal(size=(n, 1))).astype("f")
    return x, y


def two_layers(inputs: int = 6, hidden: int = 16, outputs: int = 1, seed: int = 0) -> list[Any]:
    """Returns the variables of a perceptron written by hand."""
    rng = np.random.default_rng(seed)
    shapes = {"w1": (inputs, hidden), "b1": (hidden,), "w2": (hidden, outputs), "b2": (outputs,)}
    return [
        tf.Variable((rng.normal(size=s) / np.sqrt(s[0]) * (name[0] == "w")).astype("f"), name=name)
        for name, s in shapes.items()
    ]


def perceptron(v: list[Any], x: Any) -> Any:
    return tf.tanh(x @ v[0] + v[1]) @ v[2] + v[3]


def trainer(
    model: Any,
    optimizer: Any,
    loss_of: Callable[[Any, Any], Any],
    *,
    forward: Callable[[Any], Any] | None = None,
    variables: Any = None,
    scaled: Callable[[Any], Any] = lambda loss: loss,
    change: Callable[[Any], Any] = lambda gradients: gradients,
    alone: bool = False,
    graph: bool = False,
) -> Step:
    """Returns a usual training step.

    Args:
        model: what is called, unless `forward` says otherwise.
        optimizer: gets the gradients, as `change` leaves them; gradients of None are left out, as many loops do.
        loss_of: of targets and predictions.
        forward: of the inputs.
        variables: what is trained; the model's trainable variables by default.
        scaled: what is differentiated, of the loss.
        change: done to the gradients.
        alone: the step returns the loss alone.
        graph: the step is a tf.function.
    """

    def train(xb: Any, yb: Any) -> Any:
        listed = model.trainable_variables if variables is None else variables
        with tf.GradientTape() as tape:
            p = model(xb, training=True) if forward is None else forward(xb)
            loss = loss_of(yb, p)
            differentiated = scaled(loss)
        gradients = change(tape.gradient(differentiated, listed))
        pairs = [(g, v) for g, v in zip(gradients, listed, strict=True) if g is not None]
        if pairs:
            optimizer.apply_gradients(pairs)
        return loss, p, gradients

    run = tf.function(train) if graph else train

    def step(xb: Any, yb: Any) -> Any:
        loss, p, gradients = run(xb, yb)
        listed = model.trainable_variables if variables is None else variables
        return loss if alone else (loss, told(xb, yb, p, gradients, listed))

    return step
