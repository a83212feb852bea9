"""Recording with many variables: a row of an eager loop, of `ww.summary`, and of `model.fit`.

Rows are recorded at each step (`overhead=None`); the same steps without the recorder are subtracted. So a row holds all
that is done for it: reading, measuring, encoding, writing, and the diagnoses that come by themselves.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import History
from tests.support.peak_memory import PeakMemory

from .meter import worked, written

STEPS = 12
WARM_UP = 4  # steps before the measured ones: the first ones trace functions


def loop(count: int) -> dict[str, float]:
    """Records an eager loop of so many variables of eight elements."""
    import tensorflow as tf

    import tb_weightwatch as ww

    rng = np.random.default_rng(0)
    variables = [tf.Variable(rng.normal(0, 1, 8).astype("float32"), name=f"v{i}") for i in range(count)]
    gradients = [tf.constant(rng.normal(0, 1, 8).astype("float32")) for _ in range(count)]

    def step() -> None:
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(1e-3 * gradient)

    def train(record: Callable[[], None]) -> float:
        def steps(number: int) -> None:
            for _ in range(number):
                step()
                record()

        steps(WARM_UP)
        return worked(lambda: steps(STEPS))[0]

    plain = train(lambda: None)
    memory = PeakMemory()
    with tempfile.TemporaryDirectory() as logs:
        with closing(ww.Watch(logs, variables=variables, overhead=None, verbose=False)) as watch:
            pairs = list(zip(gradients, variables, strict=True))

            def record() -> None:
                watch.step(1.0, gradients=pairs)

            recorded = train(record)
            recorded += worked(lambda: watch.diagnosis)[0]  # waits for the rows that are being measured
        history = watch.history
        return {"row_ms": (recorded - plain) / STEPS, "recorder_mb": memory.growth(), **_of_rows(Path(logs), history)}


def _of_rows(logdir: Path, history: History) -> dict[str, float]:
    """Returns what rows take on disk and in memory, and what the first diagnosis of all rows takes."""
    rows = len(history)
    columns = [column for _, columns in history.rows(0, rows).axes() for column in columns.values()]
    copy = History(history.launch, started=history.started)
    for record in history.records:
        copy.add(record)
    copy.append(history.rows(0, rows))
    return {
        "row_bytes": written(logdir)["rows"][1] / rows,
        "row_memory_bytes": sum(column.values.nbytes + column.known.nbytes for column in columns) / rows,
        "first_diagnosis_ms": worked(lambda: diagnose(copy))[0],
        "rows": rows,
    }


def summary(count: int) -> dict[str, float]:
    """Records steps of so many variables of eight elements with `ww.summary`."""
    import tb_weightwatch as ww

    rng = np.random.default_rng(0)
    names = [f"layer_{i // 2}/{'bias' if i % 2 else 'kernel'}" for i in range(count)]
    gradients = rng.normal(0, 1, (count, 8)).astype("float32")
    weights = rng.normal(0, 1, (STEPS + WARM_UP + 1, count, 8)).astype("float32")
    with tempfile.TemporaryDirectory() as logs:
        writer = ww.summary.create_file_writer(logs, overhead=None, verbose=False)

        def steps(first: int, number: int) -> None:
            for i in range(first, first + number):
                given = {n: (gradients[v], weights[i - 1, v], weights[i, v]) for v, n in enumerate(names)}
                ww.summary.update(i, given, loss=1.0, writer=writer)

        steps(1, WARM_UP)
        recorded = worked(lambda: steps(1 + WARM_UP, STEPS))[0]
        writer.close()
    return {"row_ms": recorded / STEPS}


def fit(count: int) -> dict[str, float]:
    """Records `model.fit` with so many variables of eight elements: one layer, so that tracing stays short."""
    import keras
    import tensorflow as tf

    import tb_weightwatch as ww

    class Many(keras.layers.Layer):  # type: ignore[misc]
        """Adds all its weights to its input."""

        def build(self, shape: Any) -> None:
            self.parts = [self.add_weight(shape=(8,), name=f"v{i}") for i in range(count)]

        def call(self, x: Any) -> Any:
            return x + tf.add_n([tf.convert_to_tensor(part) for part in self.parts])

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    model = keras.Sequential([keras.Input((8,)), Many()])
    model.compile(keras.optimizers.SGD(1e-4), "mse")
    x = np.ones((8 * STEPS, 8), "float32")

    def train(callbacks: list[Any], steps: int) -> float:
        data = x[: 8 * steps]
        return worked(lambda: model.fit(data, data, verbose=0, batch_size=8, callbacks=callbacks))[0]

    train([], WARM_UP)
    plain = train([], STEPS) / STEPS
    with tempfile.TemporaryDirectory() as logs:
        watch = ww.WeightWatch(logs, overhead=None, verbose=False)
        start_up = train([watch], WARM_UP)
        row = train([watch], STEPS) / STEPS - plain
    return {"row_ms": row, "start_up_ms": start_up - WARM_UP * (plain + row), "plain_ms": plain}
