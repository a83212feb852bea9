"""The models of the benchmark, on data of their shapes (values do not matter for time, so they are drawn at random)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

layers = keras.layers


class Subject(NamedTuple):
    """A model to be measured, and a batch for it."""

    build: Callable[[], keras.Model]
    batch: int
    inputs: Callable[[np.random.Generator, int], Any]
    classes: int
    optimizer: Callable[[], Any]


def pictures(*shape: int) -> Callable[[np.random.Generator, int], Any]:
    return lambda rng, n: rng.normal(0, 1, (n, *shape)).astype("float32")


def tokens(length: int, words: int) -> Callable[[np.random.Generator, int], Any]:
    return lambda rng, n: rng.integers(0, words, (n, length)).astype("int32")


def mlp() -> keras.Model:
    """784-512-512-10, 670 k parameters: heavy in weights, light in arithmetic."""
    stack = [layers.Dense(512, activation="relu"), layers.Dense(512, activation="relu"), layers.Dense(10)]
    return keras.Sequential([keras.Input((784,)), *stack])


def cnn() -> keras.Model:
    """The 3c3d network of DeepOBS (which Cockpit is measured on): CIFAR-10's shape, 895 k parameters."""
    found: list[Any] = [keras.Input((32, 32, 3))]
    for filters, size, padding in ((64, 5, "valid"), (96, 3, "valid"), (128, 3, "same")):
        found += [layers.Conv2D(filters, size, padding=padding, activation="relu"), layers.MaxPooling2D(3, 2, "same")]
    dense = [layers.Dense(512, activation="relu"), layers.Dense(256, activation="relu"), layers.Dense(10)]
    return keras.Sequential([*found, layers.Flatten(), *dense])


def resnet() -> keras.Model:
    """ResNet-50 at small pictures, 23.6 M parameters in 161 trained variables."""
    inner = keras.applications.ResNet50(weights=None, include_top=False, pooling="avg", input_shape=(32, 32, 3))
    return keras.Sequential([inner, layers.Dense(10)])


def lstm() -> keras.Model:
    """Two LSTM layers over 40 tokens."""
    stack = [layers.Embedding(5000, 64), layers.LSTM(64, return_sequences=True), layers.LSTM(64), layers.Dense(10)]
    return keras.Sequential([keras.Input((40,), dtype="int32"), *stack])


def transformer() -> keras.Model:
    """Two blocks of attention over 64 tokens, width 128."""
    tokens_in = keras.Input((64,), dtype="int32")
    x = layers.Embedding(5000, 128)(tokens_in)
    for _ in range(2):
        attended = layers.MultiHeadAttention(4, 32)(x, x)
        x = layers.LayerNormalization()(x + attended)
        inner = layers.Dense(128)(layers.Dense(512, activation="gelu")(x))
        x = layers.LayerNormalization()(x + inner)
    return keras.Model(tokens_in, layers.Dense(10)(layers.GlobalAveragePooling1D()(x)))


def tiny() -> keras.Model:
    """1,000 variables of a few elements each: 500 layers of four units."""
    stack = [layers.Dense(4, activation="tanh") for _ in range(499)]
    return keras.Sequential([keras.Input((4,)), *stack, layers.Dense(10)])


def adam() -> Any:
    return keras.optimizers.Adam(1e-4)


SUBJECTS: dict[str, Subject] = {
    "mlp": Subject(mlp, 128, pictures(784), 10, adam),
    "cnn": Subject(cnn, 128, pictures(32, 32, 3), 10, lambda: keras.optimizers.SGD(1e-3, momentum=0.9)),
    "resnet": Subject(resnet, 32, pictures(32, 32, 3), 10, lambda: keras.optimizers.SGD(1e-3, momentum=0.9)),
    "lstm": Subject(lstm, 64, tokens(40, 5000), 10, adam),
    "transformer": Subject(transformer, 32, tokens(64, 5000), 10, adam),
    "tiny": Subject(tiny, 32, pictures(4), 10, adam),
}
