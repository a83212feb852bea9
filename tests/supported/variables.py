"""Cases of variables: sparse and missing gradients, odd shapes and types, shared and many ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .case import Array, Row, Seen, case
from .fit import compiled
from .observe import BATCH, diabetes, observed, part

layers = keras.layers


def words(logs: Path, optimizer: Callable[[], Any], *, clipped: float | None = None, **options: Any) -> Seen:
    """Trains on token ids of which some repeat and most never occur."""

    def make() -> keras.Model:
        parts = [keras.Input((6,), dtype="int32"), layers.Embedding(40, 4), layers.Flatten(), layers.Dense(1)]
        return compiled(lambda: keras.Sequential(parts), optimizer=optimizer(), **options)()

    x, y = np.random.default_rng(0).integers(0, 12, (3 * BATCH, 6)).astype("int32"), diabetes(3 * BATCH)[1]
    history, steps = observed(logs, make, (x, y), epochs=1)
    share = history.column("gradient_zero_share")
    for i, step in enumerate(steps):
        table = next(iter(step.gradients))
        if clipped is None:  # shares are those of the rows that occur
            gradient, ids = step.gradients.pop(table), np.unique(part(x, i, len(x)))
            assert gradient is not None
            np.testing.assert_allclose(share[i, 0], (gradient[ids] == 0).mean(), atol=5e-3)
            norm = np.sqrt(np.square(gradient).sum())
            np.testing.assert_allclose(history.column("gradient_norm")[i, 0], norm, rtol=8e-3)
            step.gradients = {n: g for n, g in step.gradients.items() if n != table}
            del step.before[table], step.after[table]
        else:
            step.raw = {n: g for n, g in step.gradients.items() if g is not None}
            # Keras takes the norm before it adds up rows, so what it used is read off the weights.
            step.gradients = {n: (step.before[n] - step.after[n]) / 0.5 for n in step.raw}
            assert np.sqrt(sum(np.square(g).sum() for g in step.raw.values())) > 1.5 * clipped
    return history, steps


@case("variable", "`Embedding` (IndexedSlices)", "rows that occur, repeated ones summed; shares refer to these rows")
def sparse(logs: Path) -> Seen:
    return words(logs, lambda: keras.optimizers.SGD(0.5))


@case("variable", "IndexedSlices under `jit_compile=True`", "likewise")
def sparse_jit(logs: Path) -> Seen:
    return words(logs, lambda: keras.optimizers.Adam(0.05), jit_compile=True)


@case("variable", "IndexedSlices that are clipped", "before and after clipping, as Keras clips them")
def sparse_clipped(logs: Path) -> Seen:
    return words(logs, lambda: keras.optimizers.SGD(0.5, global_clipnorm=0.1), clipped=0.1)


class Idle(layers.Layer):
    """Weights of all odd shapes, of which some are used; a generator's state and numbers that are no floats."""

    def build(self, shape: Any) -> None:
        one = {"initializer": "ones"}
        self.scale = self.add_weight(shape=(), name="scale", **one)
        self.nothing = self.add_weight(shape=(0,), name="nothing", **one)
        self.no_columns = self.add_weight(shape=(3, 0), name="no_columns", **one)
        self.unused = self.add_weight(shape=(2, 3), name="unused", **one)
        self.whole = self.add_weight(shape=(2,), dtype="int32", trainable=False, name="whole", **one)
        self.dropout = layers.Dropout(0.0, seed=1)

    def call(self, x: Any) -> Any:
        empty = tf.reduce_sum(tf.convert_to_tensor(self.nothing)) + tf.reduce_sum(tf.convert_to_tensor(self.no_columns))
        return self.dropout(x) * self.scale + empty


def idle() -> keras.Model:
    return keras.Sequential([keras.Input((10,)), layers.Dense(4, activation="tanh"), Idle(), layers.Dense(1)])


@case(
    "variable",
    "scalars, empty variables, no gradient (None), integers",
    "integers are left out; None is recorded as None",
)
def odd(logs: Path) -> Seen:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Gradients do not exist")
        history, steps = observed(logs, compiled(idle), diabetes(), epochs=1)
    assert sum(g is None for g in steps[0].gradients.values()) == 1
    assert not any("whole" in v.name or "seed" in v.name for v in history.variables)
    return history, steps


def typed(dtype: str) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        hidden = layers.Dense(8, activation="tanh", dtype=dtype)
        return keras.Sequential([keras.Input((10,)), hidden, layers.Dense(1, dtype=dtype)])

    return build


@case("variable", "float64", "in float64")
def float64(logs: Path) -> Seen:
    return observed(logs, compiled(typed("float64")), diabetes(), epochs=1)


@case("variable", "float16", "computed exactly in float32", rounding=3e-2, fuzz=5e-3)
def float16(logs: Path) -> Seen:
    return observed(logs, compiled(typed("float16")), diabetes(), epochs=1)


@case("variable", "bfloat16", "likewise", rounding=8e-2, fuzz=5e-2)
def bfloat16(logs: Path) -> Seen:
    return observed(logs, compiled(typed("bfloat16")), diabetes(), epochs=1)


@case("variable", "shared layers", "one variable with the sum of its gradients; each use is a layer of its own")
def shared(logs: Path) -> Seen:
    def build() -> keras.Model:
        x, twice = keras.Input((10,)), layers.Dense(10, activation="tanh", name="twice")
        return keras.Model(x, layers.Dense(1)(twice(twice(x))))

    history, steps = observed(logs, compiled(build), diabetes(), epochs=1)
    assert len(history.variables) == 4
    return history, steps


class Pair(layers.Layer):
    """Two weights of one path."""

    def build(self, shape: Any) -> None:
        self.one = self.add_weight(shape=(4,), initializer="ones", name="same")
        self.other = self.add_weight(shape=(4,), initializer="ones", name="same")

    def call(self, x: Any) -> Any:
        return x * self.one + self.other


@case("variable", "duplicate names", 'the second is "name#2"')
def duplicates(logs: Path) -> Seen:
    def build() -> keras.Model:
        inner = [keras.Sequential([layers.Dense(4, name="dense")], name=f"part_{i}") for i in range(2)]
        return keras.Sequential([keras.Input((10,)), *inner, Pair(name="pair"), layers.Dense(1)])

    history, steps = observed(logs, compiled(build), diabetes(), epochs=1)
    assert any(v.name.endswith("#2") for v in history.variables)
    return history, steps


class MovingStatistics(keras.callbacks.Callback):
    """Copies the moving statistics of a BatchNormalization at both ends of each batch, as float64."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[dict[str, Array]] = []
        self.after: list[dict[str, Array]] = []

    def _copies(self) -> dict[str, Array]:
        variables = self.model.non_trainable_variables
        return {v.path: np.array(v.numpy(), np.float64) for v in variables if "moving" in v.path}

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.before.append(self._copies())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.after.append(self._copies())


@case("variable", "moving statistics of `BatchNormalization`", "their norm, and how far each step moves them")
def moving_statistics(logs: Path) -> Seen:
    build = lambda: keras.Sequential([keras.Input((10,)), layers.BatchNormalization(), layers.Dense(1)])  # noqa: E731
    spy = MovingStatistics()
    history, steps = observed(logs, compiled(build), diabetes(), epochs=1, callbacks=[spy])
    positions = {v.name: i for i, v in enumerate(history.variables) if not v.trainable}
    assert len(positions) == 2
    assert not history.known("weight_norm")[:, list(positions.values())].any()
    for row, (before, after) in enumerate(zip(spy.before, spy.after, strict=True)):
        for name, position in positions.items():
            recorded = Row(history, row)
            recorded.check("statistic_norm", float(np.linalg.norm(after[name])), position)
            recorded.check("statistic_change", float(np.linalg.norm(after[name] - before[name])), position)
    return history, steps


class Scalars(layers.Layer):
    """A thousand weights."""

    def build(self, shape: Any) -> None:
        self.parts = [self.add_weight(shape=(), initializer="ones", name=f"part_{i}") for i in range(1000)]

    def call(self, x: Any) -> Any:
        return x * tf.reduce_mean(tf.stack([tf.convert_to_tensor(one) for one in self.parts]))


@case("variable", "1,000 variables", "variables of equal shape are measured together")
def thousand(logs: Path) -> Seen:
    build = lambda: keras.Sequential([keras.Input((10,)), layers.Dense(1), Scalars()])  # noqa: E731
    make = compiled(build, optimizer=keras.optimizers.SGD(1e-2))  # without slots there is less to trace
    return observed(logs, make, diabetes(2 * BATCH), epochs=1)


@case(
    "variable",
    "one variable of 100 M elements",
    "in slices of a million elements; only the weights before the step and the gradient are kept whole",
)
def large(logs: Path) -> Seen:
    def build() -> keras.Model:
        wide = layers.Dense(1100, use_bias=False, activation="tanh")  # 1.1 million weights: a slice and a rest
        return keras.Sequential([keras.Input((1000,)), wide, layers.Dense(1)])

    x, y = diabetes(2 * BATCH)
    make = compiled(build, optimizer=keras.optimizers.SGD(1e-3))
    return observed(logs, make, (np.tile(x, (1, 100)) / 30, y), epochs=1)
