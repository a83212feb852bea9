"""Cases under `tf.distribute`: the numbers are those of the whole batch on one device."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tb_weightwatch as ww
from tests.support.tensorboard_process import free_port

from .case import Seen, Step, case, refused
from .fit import Stepping, compiled
from .observe import BATCH, diabetes, observed, part, renamed, replay, weights

layers = keras.layers


@functools.cache
def mirrored() -> tf.distribute.Strategy:
    """Two virtual processors, as `conftest` has set them up."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    return strategy


@case("distribute", "`MirroredStrategy`", "gradients reduced over the replicas, outputs and losses of the whole batch")
def mirrored_fit(logs: Path) -> Seen:
    build = lambda: keras.Sequential(  # noqa: E731
        [keras.Input((10,)), layers.Dense(16, activation="relu", name="rectified"), layers.Dense(1)]
    )
    x, y = diabetes()
    history, steps = observed(logs, compiled(build), (x, y), strategy=mirrored())
    for i, step in enumerate(steps):
        kernel, bias, *_ = step.before.values()
        output = np.maximum(part(x, i, len(x)).astype("float64") @ kernel + bias, 0)
        step.layers["rectified"] = {
            "zero_share": (output == 0).mean(),
            "dead_share": (output == 0).all(0).mean(),
            "output_mean": output.mean(),
            "output_max": output.max(),
        }
    assert history.facts["distribution"] == {"strategy": "MirroredStrategy", "replicas": 2}
    return history, steps


@case("distribute", "`MirroredStrategy` with `run_eagerly=True`", "likewise")
def mirrored_eager(logs: Path) -> Seen:
    return observed(logs, compiled(run_eagerly=True), diabetes(), strategy=mirrored(), epochs=1)


@case(
    "distribute",
    "`MirroredStrategy` with clipping",
    "gradients as used; Keras clips the part of each replica, so that no unclipped gradient of the batch exists",
)
def mirrored_clipped(logs: Path) -> Seen:
    def make() -> keras.Model:
        return compiled(optimizer=keras.optimizers.SGD(0.05, clipnorm=0.1))()

    history, steps = observed(logs, make, diabetes(), strategy=mirrored())
    for step in steps:  # plain SGD: the gradient is what the weights were moved by
        step.gradients = {n: (step.before[n] - after) / 0.05 for n, after in step.after.items()}
    assert not history.has("raw_gradient_norm")
    return history, steps


@case("distribute", "`MirroredStrategy` with an embedding", "rows of all replicas, each counted once")
def mirrored_sparse(logs: Path) -> Seen:
    build = lambda: keras.Sequential(  # noqa: E731
        [keras.Input((4,), dtype="int32"), layers.Embedding(50, 3), layers.Flatten(), layers.Dense(1)]
    )
    rng = np.random.default_rng(0)
    data = rng.integers(0, 40, (4 * BATCH, 4)), rng.normal(size=(4 * BATCH, 1)).astype("float32")
    history, steps = observed(logs, compiled(build), data, strategy=mirrored())
    for i, step in enumerate(steps):
        table, *_ = step.gradients
        gradient = step.gradients.pop(table)
        assert gradient is not None
        np.testing.assert_allclose(history.column("gradient_norm")[i, 0], np.linalg.norm(gradient), rtol=8e-3)
        np.testing.assert_allclose(history.column("gradient_max")[i, 0], np.abs(gradient).max(), rtol=8e-3)
        moved = (step.before.pop(table) != step.after.pop(table)).mean()
        np.testing.assert_allclose(history.column("changed_share")[i, 0], moved, atol=5e-3)
    return history, steps


@case(
    "distribute",
    "`MirroredStrategy` with a custom `train_step`",
    "likewise; the loss is the mean over the replicas",
)
def mirrored_own(logs: Path) -> Seen:
    build = lambda: Stepping([keras.Input((10,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])  # noqa: E731
    # Each replica takes the mean of its half, and the optimizer adds the two gradients up.
    halves = lambda model, data: 2 * tf.reduce_mean(tf.abs(model(data[0]) - data[1]))  # noqa: E731
    history, steps = observed(logs, compiled(build), diabetes(), strategy=mirrored(), gradients=halves)
    for step in steps:
        step.run["loss"] /= 2
    return history, steps


@case(
    "distribute",
    "`strategy.run` in a custom loop",
    "`gradients=` as returned by the replicas are summed; the loss must be reduced",
)
def mirrored_loop(logs: Path) -> Seen:
    watch, _, steps = looped(logs, mirrored())
    return watch.history, steps


@case(
    "distribute",
    "`strategy.run` with gradients that you reduce",
    "likewise; gradients that are equal on all replicas count once",
)
def mirrored_reduced(logs: Path) -> Seen:
    watch, _, steps = looped(logs, mirrored(), reduced=True)
    return watch.history, steps


def looped(
    logs: Path, strategy: Any, *, rate: float = 0.05, reduced: bool = False
) -> tuple[ww.Watch, keras.Model, list[Step]]:
    """Trains a model in a loop as TensorFlow's guide has it; what each replica shows is handed over.

    `reduced`: gradients are added up over the replicas, once more for us, before they are handed over.
    """
    keras.utils.set_random_seed(3)
    with strategy.scope():
        model, optimizer = compiled()(), keras.optimizers.SGD(rate)
        optimizer.build(model.trainable_variables)
    x, y = diabetes()
    watch = ww.Watch(logs, model, optimizer, verbose=False, overhead=None)

    def replica(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            predicted = model(x, training=True)
            loss = tf.reduce_sum(tf.square(predicted - y)) / BATCH
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        if reduced:
            gradients = tf.distribute.get_replica_context().all_reduce("SUM", gradients)
        return loss, gradients, predicted

    @tf.function
    def train(x: Any, y: Any) -> Any:
        loss, gradients, predicted = strategy.run(replica, args=(x, y))
        return strategy.reduce("SUM", loss, axis=None), gradients, predicted

    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)
    steps = []
    for one, other in strategy.experimental_distribute_dataset(batches):
        before = weights(model.variables)
        loss, gradients, predicted = train(one, other)
        watch.step(loss, inputs=one, targets=other, predictions=predicted, gradients=gradients)
        steps.append(Step(before, weights(model.variables)))
    watch.close()
    replay(compiled(), steps, lambda i: part((x, y), i, len(x)), lambda m, b: tf.reduce_mean(tf.square(m(b[0]) - b[1])))
    for i, step in enumerate(steps):
        step.run["input_max"] = float(np.abs(part(x, i, len(x))).max())
    return watch, model, steps


@case("distribute", "`MirroredStrategy` of one device, `OneDeviceStrategy`", "as without a strategy")
def one_device(logs: Path) -> Seen:
    observed(logs / "other", compiled(), diabetes(), strategy=tf.distribute.OneDeviceStrategy("CPU:0"))
    return observed(logs, compiled(), diabetes(), strategy=tf.distribute.MirroredStrategy(["CPU:0"]))


@case(
    "distribute",
    "`MultiWorkerMirroredStrategy` in a custom loop",
    "the chief records, the other workers write nothing; reduce what you pass as `gradients=`: "
    '`tf.distribute.get_replica_context().all_reduce("SUM", gradients)`',
)
def several_workers(logs: Path) -> Seen:
    workers(logs, rate=0.05)
    (history,) = ww.read(logs)
    assert not (logs / "other").exists()
    _, _, steps = looped(logs / "single", tf.distribute.get_strategy())
    for step in steps:  # the chief sees its half of the batch
        del step.run["input_max"]
    return history, renamed(steps, [v.name for v in history.variables])


def workers(logs: Path, rate: float) -> list[dict[str, Any]]:
    """Trains in two processes that reduce over the loopback device."""
    ports = f"{free_port()},{free_port()}"
    command = [sys.executable, "-m", "tests.support.distributed_worker"]
    started = [
        subprocess.Popen(
            [*command, str(i), ports, str(logs), str(rate)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for i in (0, 1)
    ]
    found = []
    for process in started:
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, err[-3000:]
        found.append(json.loads(out.splitlines()[-1]))
    return found


refused(
    "distribute",
    "`MultiWorkerMirroredStrategy` with `model.fit`",
    "Keras 3 itself does not support it ([keras#20585](https://github.com/keras-team/keras/issues/20585))",
)
refused("distribute", "`ParameterServerStrategy`", "an error says so when the callback or `Watch` is created")
