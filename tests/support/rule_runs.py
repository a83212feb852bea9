"""What tests of single rules share: the open verdict of a rule, and short trainings whose step is compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tb_weightwatch.diagnosis.engine.diagnose import rule_answers
from tb_weightwatch.diagnosis.signals import SignalCache, signals_cached
from tb_weightwatch.history import History
from tb_weightwatch.verdict import Diagnosis, Verdict
from tests.support.synthetic_history import VARIABLES

STEP = np.arange(120)  # of a synthetic history's rows
ROOT_SIZES = np.sqrt([np.prod(v["shape"]) for v in VARIABLES])  # times an element's size: the norm of each variable
NAMES = tuple(str(v["name"]) for v in VARIABLES)
REGRESSION: dict[str, Any] = {
    "loss": {"name": "mean_squared_error", "class": "MeanSquaredError"},
    "output_layer": {"name": "last", "activation": "linear", "units": 1},
    "target_shape": [32, 1],
    "prediction_shape": [32, 1],
}
BINARY: dict[str, Any] = {
    "loss": {"name": "binary_crossentropy", "class": "", "from_logits": False},
    "output_layer": {"name": "last", "activation": "sigmoid", "units": 1},
    "target_shape": [32, 1],
    "prediction_shape": [32, 1],
}


def open_verdict(history: History, name: str) -> Verdict | None:
    """Returns the open verdict of that rule, folded under another or not, even if another cause is more probable."""

    def flat(verdicts: tuple[Verdict, ...]) -> Iterator[Verdict]:
        for verdict in verdicts:
            yield verdict
            yield from flat(verdict.explains)

    with signals_cached(history, SignalCache()):
        opened = rule_answers(history, {}).opened
    return next((verdict for verdict in flat(tuple(opened)) if verdict.name == name), None)


def first_name(diagnosis: Diagnosis) -> str:
    """Returns the name of the first verdict of a sick run, the status of any other."""
    return diagnosis.verdicts[0].name if diagnosis.status == "sick" else diagnosis.status


def dense_net(units: int, last: str | None = None, inputs: tuple[int, ...] = (10,)) -> Any:
    """Returns a small Keras model, for the diabetes data unless other inputs are given."""
    import keras

    keras.utils.set_random_seed(3)
    stack = [keras.layers.Flatten(), *(keras.layers.Dense(16, "relu") for _ in range(2))]
    return keras.Sequential([keras.layers.Input(inputs), *stack, keras.layers.Dense(units, last)])


def train_compiled(
    folder: Path,
    model: Any,
    optimizer: Any,
    loss: Callable[[Any, Any], Any],
    data: tuple[np.ndarray, np.ndarray],
    *,
    loss_alone: bool = False,
    after: Callable[[], None] = lambda: None,
) -> Diagnosis:
    """Trains for 40 steps in a tf.function; the Watch gets data, predictions and gradients, or the loss alone.

    Args:
        folder: where the events go.
        model: a Keras model.
        optimizer: its optimizer.
        loss: called with targets and predictions.
        data: inputs and targets.
        loss_alone: passes nothing but the loss to the Watch.
        after: called after each update, before `watch.step`.
    """
    import tensorflow as tf

    import tb_weightwatch as ww

    @tf.function
    def train_step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            predictions = model(x, training=True)
            value = loss(y, predictions)
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value, predictions, gradients

    with ww.Watch(str(folder), model=model, optimizer=optimizer, verbose=False, overhead=None) as watch:
        for step in range(40):
            batch = np.arange(32 * step, 32 * step + 32) % len(data[0])
            x, y = data[0][batch], data[1][batch]
            value, predictions, gradients = train_step(tf.constant(x), tf.constant(y))
            after()
            pairs = list(zip(gradients, model.trainable_variables, strict=True))
            step_data = {"inputs": x, "targets": y, "predictions": predictions, "gradients": pairs}
            watch.step(value, **({} if loss_alone else step_data))
    return watch.diagnosis


train_by_loss_alone = partial(train_compiled, loss_alone=True)
