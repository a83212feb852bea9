"""Third-party logs: recorded ones of PyTorch, and the means to write others with Keras and tf.summary.

Keras and TensorFlow are imported on use, so that the recorded logs can be read without them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tb_weightwatch import reader
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import History

RECORDED = Path(__file__).resolve().parents[1] / "third_party"  # by record.py there
WEIGHTS = np.random.default_rng(0).normal(size=50).astype("float32")


def only_history(directory: Path) -> History:
    """Returns the History of the only launch in a directory."""
    (launch,) = reader.launches(directory)
    return launch.history


def symptom_severities(history: History) -> dict[str, str]:
    """Returns the name of each symptom with its severity."""
    return {symptom.name: symptom.severity for symptom in diagnose(history).symptoms}


def fit_with_tensorboard(
    path: Path,
    learning_rate: float,
    *,
    epochs: int = 5,
    schedule: Any = None,
    frozen: bool = False,
    update_freq: Any = "epoch",
) -> None:
    """Trains a small classifier with Keras' TensorBoard callback, which logs to `path`."""
    import keras

    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 6)).astype("float32")
    y = np.argmax(x[:, :3], axis=1)
    first = keras.layers.Dense(12, activation="relu", trainable=not frozen)
    last = keras.layers.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input((6,)), first, keras.layers.BatchNormalization(), last])
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer=keras.optimizers.SGD(learning_rate), loss=loss, run_eagerly=True)
    board = keras.callbacks.TensorBoard(path, histogram_freq=1, update_freq=update_freq)
    callbacks = [board, keras.callbacks.LearningRateScheduler(schedule)] if schedule else [board]
    model.fit(x, y, epochs=epochs, batch_size=16, validation_split=0.25, verbose=0, callbacks=callbacks)


def write_series(path: Path, steps: int, **series: Callable[[int], Any]) -> History:
    """Writes scalars, and histograms of arrays, with tf.summary, and returns what is read of them.

    Args:
        path: log directory.
        steps: from 0.
        **series: tag -> its value at a step, None if it is not logged then; "__" in a tag means "/".
    """
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(path))
    with writer.as_default():
        for step in range(steps):
            for name, value_at in series.items():
                value = value_at(step)
                if value is None:
                    continue
                write = tf.summary.scalar if np.ndim(value) == 0 else tf.summary.histogram
                write(name.replace("__", "/"), value, step=step)
    writer.close()
    return only_history(path)
