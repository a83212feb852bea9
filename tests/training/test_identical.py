"""`model.fit` with and without the recorder: all weights and slots are equal to the last bit, after every step.

The sixth batch holds an infinity, so that the first steps train and the others carry NaN. Hand-written loops are tested
in `test_watch.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import tb_weightwatch as ww
from tb_weightwatch.capture.schedule.recording_gate import TRACING_LOGS_ONLY

BATCH, STEPS, BROKEN = 32, 10, 6
layers = keras.layers
Layers = Callable[[Any], Any]


def stacked(*parts: Any) -> Layers:
    def through(x: Any) -> Any:
        for part in parts:
            x = part(x)
        return x

    return through


def rows(x: Any) -> Any:
    return layers.Reshape((8, 8))(x)


def attention(x: Any) -> Any:
    x = rows(x)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
    return layers.GlobalAveragePooling1D()(layers.Dense(8, activation="gelu")(x))


# A linear layer before a ReLU layer: TensorFlow fuses these, and would not if the tensor between them were read.
ARCHITECTURES: dict[str, Callable[[], Layers]] = {
    "dense": lambda: stacked(layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dense(8), layers.ReLU()),
    "convolution": lambda: stacked(
        layers.Conv2D(4, 3, activation="relu"), layers.Conv2D(4, 3), layers.ReLU(), layers.Flatten()
    ),
    "normalised convolution": lambda: stacked(
        layers.Conv2D(4, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU(), layers.Flatten()
    ),
    "normalised dense": lambda: stacked(layers.Flatten(), layers.Dense(16), layers.BatchNormalization(), layers.ReLU()),
    "dropout": lambda: stacked(layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dropout(0.3)),
    "recurrent": lambda: stacked(rows, layers.LSTM(6, return_sequences=True), layers.GRU(6)),
    "attention": lambda: attention,
}


def build(names: tuple[str, ...]) -> keras.Model:
    images = keras.Input((8, 8, 1))
    branches = [ARCHITECTURES[name]()(images) for name in names]
    x = layers.Concatenate()(branches) if len(branches) > 1 else branches[0]
    return keras.Model(images, layers.Dense(10, activation="softmax")(x))


class Bits(keras.callbacks.Callback):
    """Keeps all variables of model and optimizer, byte for byte, after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[dict[str, bytes]] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        variables = [*self.model.variables, *self.model.optimizer.variables]
        self.steps.append({f"{i} {v.name}": v.numpy().tobytes() for i, v in enumerate(variables)})


def trained(names: tuple[str, ...], optimizer: Any, recorders: list[Any], **compiled: Any) -> list[dict[str, bytes]]:
    keras.backend.clear_session()  # the same names each time
    keras.utils.set_random_seed(3)
    model, bits = build(names), Bits()
    model.compile(optimizer, loss="sparse_categorical_crossentropy", **compiled)
    x, y = load_digits(return_X_y=True)
    x = (x[: STEPS * BATCH] / 16).astype("float32").reshape(-1, 8, 8, 1)
    x[BROKEN * BATCH, 0, 0, 0] = np.inf
    y = y[: STEPS * BATCH].astype("int64")
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[*recorders, bits])
    return bits.steps


def differing(one: list[dict[str, bytes]], other: list[dict[str, bytes]]) -> list[str]:
    assert len(one) == len(other) > 0
    assert all(a.keys() == b.keys() for a, b in zip(one, other, strict=True))
    pairs = enumerate(zip(one, other, strict=True))
    return [f"step {i + 1}: {name}" for i, (a, b) in pairs for name in a if a[name] != b[name]]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures(name: str, tmp_path: Path) -> None:
    """With momentum, where TensorFlow rewrites gradients that have a single consumer, recording changes no bit."""
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)
    momentum = lambda: keras.optimizers.SGD(0.05, momentum=0.9)  # noqa: E731
    assert not differing(trained((name,), momentum(), []), trained((name,), momentum(), [watch]))
    assert len(watch.history) == STEPS
    assert watch.history.column("weight_nonfinite")[-1].any()  # the NaN did come
    assert watch.history.column("gradient_norm")[0].all()


OPTIMIZERS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "Adam": (lambda: keras.optimizers.Adam(1e-2), {}),
    "AdamW": (lambda: keras.optimizers.AdamW(1e-2, global_clipnorm=1.0), {}),
    "RMSprop, accumulated": (lambda: keras.optimizers.RMSprop(1e-3, gradient_accumulation_steps=2), {}),
    "Nesterov, three steps an execution": (
        lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        {"steps_per_execution": 3},
    ),
    "SGD, eager": (lambda: keras.optimizers.SGD(0.05, momentum=0.9), {"run_eagerly": True}),
    "Adam, XLA": (lambda: keras.optimizers.Adam(1e-2), {"jit_compile": True}),
    "momentum, XLA": (lambda: keras.optimizers.SGD(0.05, momentum=0.9), {"jit_compile": True}),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name: str, tmp_path: Path) -> None:
    """Neither recorded steps nor those between them, which run the user's own function, differ in any bit."""
    make, compiled = OPTIMIZERS[name]
    if "steps_per_execution" in compiled and keras.__version__.startswith(("3.3.", "3.4.", "3.5.", "3.6.")):
        pytest.skip("Keras before 3.7 tells callbacks nothing of an execution that is not full")
    names = ("normalised dense", "dropout") if "XLA" in name else ("normalised dense", "dropout", "convolution")
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)
    watch._gate.schedule.due = lambda step: step % 4 < 2  # type: ignore[method-assign]
    assert not differing(trained(names, make(), [], **compiled), trained(names, make(), [watch], **compiled))
    assert 4 <= len(watch.history) <= STEPS


@pytest.mark.parametrize(
    ("name", "logs_only"),
    [(name, False) for name in ("RMSprop, accumulated", "Adam, XLA", "momentum, XLA", "AdamW")]
    + [(name, True) for name in ("RMSprop, accumulated", "AdamW")],  # of an XLA step nothing is left out
)
def test_where_a_second_tracing_is_not_paid_for(name: str, logs_only: bool, tmp_path: Path) -> None:
    """Nor do steps that are not recorded, and yet run by the function that records, whole or for its logs alone."""
    make, compiled = OPTIMIZERS[name]
    watch = ww.WeightWatch(tmp_path, verbose=False)
    watch._gate.schedule.due = lambda step: step % 4 < 2  # type: ignore[method-assign]

    def affords(seconds: float) -> bool:
        return watch._step == STEPS - 1 or (logs_only and seconds == TRACING_LOGS_ONLY * watch._tracing_seconds)

    watch._gate.budget.affords_once = affords  # type: ignore[method-assign]
    names = ("normalised dense", "dropout") if "XLA" in name else ("normalised dense", "dropout", "convolution")
    assert not differing(trained(names, make(), [], **compiled), trained(names, make(), [watch], **compiled))
    assert watch.history.steps.tolist() == [1, 4, 5, 8, 9]


def test_summaries_of_the_tabs(tmp_path: Path) -> None:
    """Nor does a run differ for which scalars and histograms are written, of all steps and of each epoch."""
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None, scalars=True, histogram_freq=1)
    momentum = lambda: keras.optimizers.SGD(0.05, momentum=0.9)  # noqa: E731
    names = ("normalised dense", "dropout", "recurrent")
    assert not differing(trained(names, momentum(), []), trained(names, momentum(), [watch]))
    assert len(watch.history) == STEPS
    assert len(b"".join(file.read_bytes() for file in tmp_path.glob("*/*")).split(b"histograms")) > len(names)
