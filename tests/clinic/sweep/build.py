"""What a drawn run becomes: data, model, loss, optimizer."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np
from sklearn import datasets

from ..lab import L, O
from ..lab import data as bundled
from .draw import PICTURES, Run


@cache
def table(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns standardised features `[N, F]` and targets: class ids `[N]`, or numbers `[N, 1]`."""
    rng = np.random.default_rng(5)
    if name == "patches":  # of a Chinese temple or of a flower?
        patches = []
        for picture in datasets.load_sample_images().images:
            rows, columns = rng.integers(0, 419, 500), rng.integers(0, 632, 500)
            patches.append(np.stack([picture[r : r + 8, c : c + 8] for r, c in zip(rows, columns, strict=True)]))
        x, y = np.concatenate(patches).reshape(1000, -1), np.repeat([0, 1], 500)
    elif name == "friedman":
        x, y = datasets.make_friedman1(600, n_features=8, noise=0.5, random_state=0)
        y = ((y - y.mean()) / y.std()).reshape(-1, 1)
    else:
        x, y = bundled(name)
        y = y if name in ("diabetes", "friedman") else y.reshape(-1)
    order = rng.permutation(len(x))
    x, y = x[order].astype("float32"), y[order]
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-2)
    return x.astype("float32"), y.astype("float32") if y.ndim > 1 else y.astype("int32")


def inputs_of(run: Run) -> np.ndarray:
    """Returns the inputs in the shape that the architecture takes."""
    x, _ = table(run.data)
    if run.architecture == "embedding":  # eight bins for each feature
        x = x[:, :: max(1, x.shape[1] // 16)][:, :16]
        edges = np.quantile(x, np.arange(1, 8) / 8, axis=0)
        return ((x[None] > edges[:, None]).sum(axis=0) + 8 * np.arange(x.shape[1])).astype("int32")
    x = (run.scale * x).astype("float32")
    if run.architecture == "cnn":
        return x.reshape(len(x), 8, 8, -1) if run.data in PICTURES else x[..., None]
    if run.architecture in ("lstm", "gru", "attention"):
        return x.reshape(len(x), 8, -1) if run.data in PICTURES else x[:, :10, None]
    return x


def targets_of(run: Run) -> np.ndarray:
    """Returns the targets as the loss takes them."""
    x, y = table(run.data)
    if run.task == "picture":
        return (run.scale * x).astype("float32")
    if run.task == "numbers":
        return (run.target_scale * y).astype("float32")
    if run.task == "two" and run.head != "other":
        return y.astype("float32").reshape(-1, 1)
    return keras.utils.to_categorical(y).astype("float32") if run.task == "classes" and run.head == "other" else y


def head_of(run: Run) -> tuple[int, str | None, Any]:
    """Returns the output's units and activation, and the loss object."""
    losses, logits = keras.losses, run.head == "logits"
    if run.task == "picture":
        return table(run.data)[0].shape[1], None, losses.MeanSquaredError()
    if run.task == "numbers":
        kinds = {"logits": losses.Huber, "other": losses.MeanAbsoluteError}
        return 1, None, kinds.get(run.head, losses.MeanSquaredError)()
    if run.task == "two" and run.head != "other":
        return 1, None if logits else "sigmoid", losses.BinaryCrossentropy(from_logits=logits)
    classes = int(table(run.data)[1].max()) + 1
    if run.task == "classes" and run.head == "other":
        return classes, "softmax", losses.CategoricalCrossentropy(label_smoothing=0.1 * (run.index % 4 == 0))
    return classes, None if logits else "softmax", losses.SparseCategoricalCrossentropy(from_logits=logits)


def model_of(run: Run, shape: tuple[int, ...], vocabulary: int = 0, **dense: Any) -> Any:
    """Returns the model; `dense` overrides what hidden layers are made with."""
    keras.utils.set_random_seed(1000 + run.index + 7919 * run.repeat)
    units, last, _ = head_of(run)
    options = {"activation": run.activation, "kernel_initializer": run.initializer} | dense
    start = L.Input(shape, dtype="int32" if vocabulary else "float32")
    hidden = _body(run, start, vocabulary, options)
    return keras.Model(start, L.Dense(units, activation=last, dtype="float32")(hidden))


def _body(run: Run, x: Any, vocabulary: int, options: dict[str, Any]) -> Any:
    width, plain = run.width, {k: v for k, v in options.items() if k != "activation"}
    if run.architecture == "cnn":
        convolution = L.Conv2D if run.data in PICTURES else L.Conv1D
        for _ in range(run.depth):
            x = convolution(min(width, 16), 3, padding="same", **options)(x)
        return L.Flatten()(x)
    if run.architecture == "lstm":
        return L.LSTM(min(width, 16))(x)
    if run.architecture == "gru":
        return L.GRU(min(width, 16))(x)
    if run.architecture == "attention":
        x = L.Dense(16)(x)
        x = L.LayerNormalization()(L.Add()([x, L.MultiHeadAttention(2, 8)(x, x)]))
        forward = L.Dense(16)(L.Dense(32, activation="gelu")(x))
        return L.GlobalAveragePooling1D()(L.LayerNormalization()(L.Add()([x, forward])))
    if run.architecture == "embedding":
        x = L.Embedding(vocabulary, min(width, 32))(x)
        x = L.Flatten()(x) if run.index % 3 else L.GlobalAveragePooling1D()(x)
        return L.Dense(width, **options)(x)
    if run.architecture == "residual":
        x = L.Dense(width, **plain)(x)
        for _ in range(run.depth):
            block = L.Dense(width, **options)(L.LayerNormalization()(x) if run.index % 3 == 0 else x)
            gate = {"kernel_initializer": "zeros"} if run.index % 4 == 0 and not run.fault else {}
            x = L.Add()([x, L.Dense(width, **(plain | gate))(block)])
        return x
    for _ in range(run.depth):
        if run.architecture == "batchnorm":
            x = L.Activation(options["activation"])(L.BatchNormalization(momentum=0.9)(L.Dense(width, **plain)(x)))
        else:
            x = L.Dense(width, **options)(x)
        if run.architecture == "dropout":
            x = L.Dropout((0.1, 0.3, 0.5)[run.index % 3])(x)
    return x


def optimizer_of(run: Run, **options: Any) -> Any:
    """Returns the optimizer; `options` overrides its settings."""
    clip = {"clipnorm": {"clipnorm": 1.0}, "global_clipnorm": {"global_clipnorm": 1.0}}.get(run.clip, {})
    rate: Any = run.rate
    if run.schedule == "cosine":
        rate = O.schedules.CosineDecay(run.rate, run.steps)
    elif run.schedule == "warm-up":
        rate = O.schedules.CosineDecay(0.0, run.steps, warmup_target=run.rate, warmup_steps=run.steps // 5)
    elif run.schedule == "runs out":
        rate = O.schedules.ExponentialDecay(run.rate, 4, 0.1)
    elif run.schedule == "steps":
        rate = O.schedules.PiecewiseConstantDecay([run.steps // 2], [run.rate, run.rate / 10])
    kinds = {
        "momentum": lambda **k: O.SGD(**{"momentum": 0.9, **k}),
        "nesterov": lambda **k: O.SGD(**{"momentum": 0.9, "nesterov": True, **k}),
    }
    made = kinds.get(run.optimizer) or getattr(O, run.optimizer)
    return made(**{"learning_rate": rate, **clip, **options})


def constant_loss(run: Run) -> float:
    """Returns the loss of the best answer that does not look at its input."""
    units, activation, loss = head_of(run)
    y = targets_of(run)
    if run.task in ("picture", "numbers"):
        middle = np.mean if isinstance(loss, keras.losses.MeanSquaredError) else np.median
        answer = middle(y, axis=0)
    else:
        truth = table(run.data)[1]
        share = np.bincount(truth) / len(truth) if units > 1 else np.array([truth.mean()])
        inverse = np.log(share) if units > 1 else np.log(share / (1 - share))
        answer = inverse if activation is None else share
    return float(loss(y, np.broadcast_to(answer, (len(y), units)).astype("float32")))


def final_loss(run: Run, model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """Returns the loss that the model ends with, over all of its data: no batch of a few samples, nothing recorded."""
    return float(head_of(run)[2](y, model(x, training=False)))


def skill(run: Run, model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """Returns how much of what takes no skill is gained, by the model's predictions: 0 none, 1 all.

    Accuracy above the commonest class's for classes, explained variance for numbers.
    """
    p = np.asarray(model(x, training=False), "float64")
    if not np.isfinite(p).all():
        return float("-inf")
    if run.task in ("picture", "numbers"):
        y = y.reshape(p.shape).astype("float64")
        return float(1 - np.mean((p - y) ** 2) / np.mean((y - y.mean(axis=0)) ** 2))
    _, truth = table(run.data)
    found = p.argmax(axis=1) if p.shape[1] > 1 else (p[:, 0] > (0 if run.head == "logits" else 0.5)).astype(int)
    usual = np.bincount(truth).max() / len(truth)
    return float((np.mean(found == truth) - usual) / (1 - usual))
