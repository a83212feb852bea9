"""Large weights before a step are taken outside of the compiled step: they are those of that very step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tb_weightwatch as ww
from tb_weightwatch.capture.fit.held_weights import HeldWeights
from tb_weightwatch.statistics.fast import SMALL

BATCH, STEPS, WIDTH = 16, 8, 64
LARGE = WIDTH * WIDTH  # elements of the two kernels that are held


class Weights(keras.callbacks.Callback):
    """Keeps all weights before each step and after it; between two steps it moves one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[list[np.ndarray]] = []
        self.after: list[list[np.ndarray]] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if batch % 2 and self.model.built:
            kernel = self.model.trainable_variables[0]
            kernel.assign(kernel.numpy() * 1.5)
        self.before.append(self.model.get_weights())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.after.append(self.model.get_weights())


def build(*, built: bool) -> keras.Model:
    keras.utils.set_random_seed(3)
    layers = keras.layers
    stack = [layers.Dense(WIDTH, "relu"), layers.Dense(WIDTH, "relu"), layers.Dense(1)]
    return keras.Sequential([*([keras.Input((WIDTH,))] if built else []), *stack])


CASES: dict[str, dict[str, Any]] = {
    "graph": {},
    "XLA": {"jit_compile": True},
    "eager": {"run_eagerly": True},
    "not built before": {"built": False},
    "a smaller last batch": {"samples": BATCH * STEPS - 3},
}


@pytest.mark.parametrize("case", CASES)
def test_updates_of_large_weights(case: str, tmp_path: Path) -> None:
    """Each recorded update is the difference of the weights right before and after the step, also if moved between."""
    settings = {"built": True, "samples": BATCH * STEPS, "jit_compile": False, **CASES[case]}
    built, samples = settings.pop("built"), settings.pop("samples")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(samples, WIDTH)).astype("float32"), rng.normal(size=(samples, 1)).astype("float32")
    model, kept = build(built=built), Weights()
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse", **settings)
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[kept, watch])
    assert [v.size for v in watch.history.variables].count(LARGE) == 2
    first = 0 if kept.before[0] else 1  # a model that is not built has no weights to keep
    pairs = list(zip(kept.before, kept.after, strict=True))[first:]
    expected = [[np.linalg.norm(b - a) for a, b in zip(*pair, strict=True)] for pair in pairs]
    np.testing.assert_allclose(watch.history.column("update_norm")[first:], expected, rtol=1e-2)
    assert watch.history.known("update_norm").all()


def test_only_large_weights_are_held() -> None:
    """Small ones leave the step end to end in one tensor, which is faster than a read for each."""
    variables = [keras.Variable(np.zeros(size, "float32")) for size in (1, SMALL, SMALL + 1)]
    held = HeldWeights(variables)
    (large,) = held.ids
    assert held.tensors({7: large})["before/7"].shape == (SMALL + 1,)
    variables[2].assign(np.ones(SMALL + 1))
    assert not held.tensors({7: large})["before/7"].numpy().any()
