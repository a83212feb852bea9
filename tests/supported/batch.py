"""Cases of layers' outputs and of batches: numbers that need no second forward pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from scipy.special import expit, log_expit, softmax

from .case import Array, Seen, case
from .fit import compiled
from .observe import BATCH, diabetes, digits, observed, part

layers = keras.layers
Function = Callable[[Array], Array]

# activation -> its value and its derivative, in float64; the largest derivative is 1 where `TOP` does not say
ACTIVATIONS: dict[str, tuple[Function, Function]] = {
    "sigmoid": (expit, lambda z: expit(z) * expit(-z)),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(np.clip(z, -300, 300)) ** 2),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2),
    "softplus": (lambda z: np.logaddexp(z, 0), expit),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), lambda z: np.exp(np.minimum(z, 0))),
    "log_sigmoid": (log_expit, lambda z: expit(-z)),
    "hard_sigmoid": (lambda z: np.clip(z / 6 + 0.5, 0, 1), lambda z: (np.abs(z) < 3) / 6),
    "softmax": (lambda z: softmax(z, axis=-1), lambda z: softmax(z, axis=-1) * (1 - softmax(z, axis=-1))),
    "relu6": (lambda z: np.clip(z, 0, 6), lambda z: ((z > 0) & (z < 6)).astype(float)),
}
TOP = {"sigmoid": 0.25, "softmax": 0.25, "hard_sigmoid": 1 / 6}
SCALE = 12  # spreads the sums so that part of the outputs is saturated


def before_activation(x: Array, kernel: Array, bias: Array) -> Array:
    """Returns a dense layer's sums in float64."""
    return x.reshape(len(x), -1).astype("float64") @ kernel + bias


def branches() -> keras.Model:
    x = keras.Input((10,))
    found = [layers.Dense(16, activation=name, name=name)(x) for name in ACTIVATIONS]
    return keras.Model(x, layers.Dense(1)(layers.Concatenate()(found)))


@case(
    "batch", f"saturation ({', '.join(ACTIVATIONS)})", "derivative below 1 % of its maximum, computed from the output"
)
def saturation(logs: Path) -> Seen:
    x, y = diabetes()
    x = SCALE * x
    history, steps = observed(logs, compiled(branches, optimizer=keras.optimizers.SGD(1e-4)), (x, y), epochs=1)
    for i, step in enumerate(steps):
        values = list(step.before.values())
        for place, (name, (value, slope)) in enumerate(ACTIVATIONS.items()):
            sums = before_activation(part(x, i, len(x)), values[2 * place], values[2 * place + 1])
            output, derivative = value(sums), slope(sums)
            share = float((derivative < 0.01 * TOP.get(name, 1)).mean())
            assert 0 < share < 1
            step.layers[name] = {
                "blocked_share" if name == "relu6" else "saturated_share": share,
                "output_mean": output.mean(),
                "output_std": output.std(),
                "output_max": np.abs(output).max(),
                "output_nonfinite": 0.0,
            }
    return history, steps


@case("batch", "zeros, dead units of `relu`", "from the layer's output; a mask accumulates over all recorded batches")
def dead_units(logs: Path) -> Seen:
    build = lambda: keras.Sequential(  # noqa: E731
        [keras.Input((10,)), layers.Dense(32, activation="relu", name="rectified"), layers.Dense(1)]
    )

    def shifted() -> keras.Model:
        model = compiled(build)()
        bias = np.where(np.arange(32) % 4 == 0, -30, np.where(np.arange(32) % 4 == 1, -1.5, 0))
        model.layers[0].bias.assign(bias)  # some never answer, some seldom
        return model

    x, y = diabetes()
    history, steps = observed(logs, shifted, (x, y))
    ever = np.zeros(32, bool)
    for i, step in enumerate(steps):
        answers = before_activation(part(x, i, len(x)), *list(step.before.values())[:2]) > 0
        ever |= answers.any(axis=0)
        step.layers["rectified"] = {
            "zero_share": float((~answers).mean()),
            "blocked_share": float((~answers).mean()),
            "dead_share": float((~answers.any(axis=0)).mean()),
            "always_dead_share": float((~ever).mean()),
        }
    assert 0.25 <= steps[-1].layers["rectified"]["always_dead_share"] < steps[0].layers["rectified"]["dead_share"]
    return history, steps


@case("batch", "convolutions", "a unit is a filter: dead if it is zero at every position of every sample")
def filters(logs: Path) -> Seen:
    build = lambda: keras.Sequential(  # noqa: E731
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(6, 1, activation="relu", name="filters"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    x, y = digits()
    history, steps = observed(logs, compiled(build, loss="sparse_categorical_crossentropy"), (x, y), epochs=1)
    for i, step in enumerate(steps):
        kernel, bias = (step.before[n] for n in list(step.before)[:2])
        output = np.maximum(part(x, i, len(x)).astype("float64") * kernel[0, 0, 0] + bias, 0)
        step.layers["filters"] = {
            "zero_share": float((output == 0).mean()),
            "dead_share": float((output == 0).all(axis=(0, 1, 2)).mean()),
            "output_mean": output.mean(),
            "output_max": output.max(),
        }
    return history, steps


@case(
    "batch",
    "inputs, targets, predictions, batch loss",
    "of the batch of this step: no running mean, no second forward pass",
)
def data_numbers(logs: Path) -> Seen:
    x, y = diabetes(3 * BATCH)
    x = x * np.logspace(-2, 2, 10).astype("float32")  # features of different sizes
    x[:, 3] = 1
    x[:, 9] = x[:, 9] / 100
    build = lambda: keras.Sequential([keras.Input((10,)), layers.Dense(2)])  # noqa: E731
    y = np.concatenate([y, 2 * y + 1], axis=1)
    make = compiled(build, optimizer=keras.optimizers.SGD(1e-5))
    history, steps = observed(logs, make, (x, y), epochs=1)
    for i, step in enumerate(steps):
        inputs, targets = (a.astype("float64") for a in part((x, y), i, len(x)))
        predictions = before_activation(inputs, *step.before.values())
        spread = inputs.std(axis=0)
        step.run |= {
            "batch_size": BATCH,
            "input_mean": inputs.mean(),
            "input_std": inputs.std(),
            "input_max": np.abs(inputs).max(),
            "input_scale_ratio": spread.max() / spread[spread > 0].min(),
            "input_constant_share": 0.1,
            "input_nonfinite": 0.0,
            "target_mean": targets.mean(),
            "target_std": targets.std(),
            "target_low": targets.min(),
            "target_high": targets.max(),
            "target_fraction_share": 1.0,
            "target_nonfinite": 0.0,
            "prediction_mean": predictions.mean(),
            "prediction_std": predictions.std(axis=0).max(),
            "loss": np.square(predictions - targets).mean(),
            "learning_rate": 1e-5,
        }
    return history, steps


@case(
    "batch",
    "values of common losses for the batch",
    "cross-entropy of probabilities and of logits, squared error, also of all pairs; up to 262,144 predictions",
)
def readings(logs: Path) -> Seen:
    x, y = diabetes(3 * BATCH)
    y = (y[:, 0] > 0).astype("float32")
    build = lambda: keras.Sequential([keras.Input((10,)), layers.Dense(1, activation="sigmoid")])  # noqa: E731
    history, steps = observed(logs, compiled(build, loss="binary_crossentropy"), (x, y), epochs=1)
    for i, step in enumerate(steps):
        inputs, targets = (a.astype("float64") for a in part((x, y), i, len(x)))
        p = 1 / (1 + np.exp(-before_activation(inputs, *step.before.values())[:, 0]))
        honest = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
        pairs = np.mean((targets[None] - p[:, None]) ** 2)
        step.run |= {
            "loss": honest,
            "cross_entropy": honest,
            "logit_cross_entropy": np.mean(np.log1p(np.exp(p)) - targets * p),
            "squared_error": np.mean((targets - p) ** 2),
            "pair_squared_error": pairs,
        }
    return history, steps
