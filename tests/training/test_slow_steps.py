"""Steps that take seconds: their rows do not wait for the end of a burst of eight."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tb_weightwatch as ww
from tb_weightwatch.capture.measure import row_buffer

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
STEPS = 4  # fewer than a burst has


class Seen(keras.callbacks.Callback):
    """Lets a step take so many seconds, and notes after each one how many rows are recorded and diagnosed."""

    def __init__(self, watch: Any, seconds: float) -> None:
        super().__init__()
        self._watch, self._seconds, self.rows, self.diagnosed = watch, seconds, list[int](), list[bool]()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        assert self._watch._pipeline._worker.wait(10.0)
        time.sleep(self._seconds)
        self.rows.append(len(self._watch._recorder.history))
        self.diagnosed.append(self._watch._recorder.latest_diagnosis is not None)


@pytest.mark.parametrize(("oldest", "rows"), [(0.05, [0, 2, 2, 4]), (60.0, [0, 0, 0, 0])], ids=["slow", "quick"])
def test_rows_are_recorded_and_diagnosed_while_a_burst_goes_on(
    oldest: float, rows: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row is added with the one after it if it is old by then, so that a killed run has lost the last one at most."""
    monkeypatch.setattr(row_buffer, "OLDEST", oldest)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    watch = ww.WeightWatch(tmp_path, verbose=False)
    seen = Seen(watch, 0.06)
    model.fit(X, X[:, :1], batch_size=8, epochs=1, verbose=0, callbacks=[watch, seen])
    assert seen.rows == rows
    assert seen.diagnosed == [count > 0 for count in rows]
    assert len(watch.history) == STEPS
