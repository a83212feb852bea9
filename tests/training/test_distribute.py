"""Training on several devices and in several processes: one record, the same verdicts, the same weights."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tests.supported.distribute import looped, mirrored, workers
from tests.supported.observe import BATCH, diabetes

layers = keras.layers


def trained(strategy: Any, optimizer: Callable[[], Any], bias: float, callbacks: list[Any], epochs: int = 5) -> Any:
    """Trains a small network; a large negative `bias` leaves its hidden units dead."""
    keras.utils.set_random_seed(5)
    with strategy.scope():
        model = keras.Sequential(
            [
                keras.Input((10,)),
                layers.Dense(16, activation="relu", bias_initializer=keras.initializers.Constant(bias)),
                layers.BatchNormalization(),
                layers.Dense(1),
            ]
        )
        model.compile(optimizer(), "mse", run_eagerly=False)
    model.fit(*diabetes(), batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    return model


def bits(model: Any) -> list[bytes]:
    return [v.numpy().tobytes() for v in [*model.variables, *model.optimizer.variables]]


@pytest.mark.parametrize(
    "make", [lambda: keras.optimizers.SGD(0.05, momentum=0.9), lambda: keras.optimizers.Adam(0.01)]
)
def test_training_on_two_devices_is_bit_identical(make: Callable[[], Any], tmp_path: Path) -> None:
    """Weights, statistics of BatchNormalization and optimizer slots equal those of an unrecorded training."""
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None)
    recorded = trained(mirrored(), make, 0.0, [watch])
    assert len(watch.history) == 20
    assert bits(recorded) == bits(trained(mirrored(), make, 0.0, []))


def test_replicas_that_drift_apart_are_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras before 3.5 applies each replica's own gradient. The recorder says so and switches itself off."""
    monkeypatch.setattr(keras, "__version__", "3.4.1")
    monkeypatch.setenv("TB_WEIGHTWATCH_STRICT", "0")
    watch = ww.WeightWatch(tmp_path, verbose=False)
    with pytest.warns(
        RuntimeWarning, match=r"Keras 3\.4\.1 does not add up .* of the 2 replicas .* Keras 3\.5 or newer"
    ):
        trained(mirrored(), lambda: keras.optimizers.SGD(0.05), 0.0, [watch], epochs=1)
    assert watch.diagnosis.status != "healthy" and len(watch.history) == 0
    trained(
        tf.distribute.get_strategy(), lambda: keras.optimizers.SGD(0.05), 0.0, [ww.WeightWatch(tmp_path / "one")], 1
    )


@pytest.mark.parametrize(
    ("rate", "bias", "named"),
    [
        (0.05, 0.0, None),
        (0.0, 0.0, "learning-rate-zero"),
        (1e-9, 0.0, "learning-rate-too-small"),
        (0.05, -30.0, "dead"),
    ],
)
def test_verdicts_are_those_of_one_device(rate: float, bias: float, named: str | None, tmp_path: Path) -> None:
    """The same training on two devices and on one gets the same verdicts at the same steps, on the same variables."""
    answers = []
    for strategy in (mirrored(), tf.distribute.get_strategy()):
        watch = ww.WeightWatch(tmp_path / str(len(answers)), verbose=False, overhead=None)
        trained(strategy, lambda: keras.optimizers.SGD(rate), bias, [watch])
        diagnosis = watch.diagnosis
        verdicts = [(v.code, len(v.variables), v.first_step, v.last_step, v.severity) for v in diagnosis.verdicts]
        answers.append((diagnosis.status, verdicts, sorted(diagnosis.passed), len(diagnosis.unknown)))
        assert named is None or named in diagnosis.verdicts[0].name
    assert answers[0] == answers[1]


def test_of_two_workers_the_chief_records(tmp_path: Path) -> None:
    """Two processes that train together make one recording, by the chief, with the verdicts of a single device."""
    chief, other = workers(tmp_path, rate=0.0)
    assert chief["weights"] == other["weights"]
    assert (chief["rows"], other["rows"]) == (4, 0)
    assert not (tmp_path / "other").exists()
    (history,) = ww.read(tmp_path)
    watch, _, _ = looped(tmp_path / "single", tf.distribute.get_strategy(), rate=0.0)
    answers = [[(v.code, v.first_step, v.last_step) for v in ww.diagnose(h).verdicts] for h in (history, watch.history)]
    assert answers[0] == answers[1]
    assert answers[0]
    assert chief["sentence"] == ww.diagnose(history).sentence


REFUSED = """
import keras, tensorflow as tf
import tb_weightwatch as ww
from tests.support.tensorboard_process import free_port

cluster = tf.train.ClusterSpec({job: [f"127.0.0.1:{free_port()}"] for job in ("worker", "ps")})
servers = [tf.distribute.Server(cluster, job_name=job, task_index=0, protocol="grpc") for job in cluster.jobs]
resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(cluster, rpc_layer="grpc")
strategy = tf.distribute.ParameterServerStrategy(resolver)
with strategy.scope():
    model, variable = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1)]), tf.Variable(1.0)
    makers = [lambda: ww.WeightWatch("logs")]
    refused(makers[0])
refused(lambda: ww.Watch("logs", model))
refused(lambda: ww.Watch("logs", variables=[variable]))
"""


def test_parameter_servers_are_refused_at_construction(tmp_path: Path) -> None:
    """Callback and Watch raise under a ParameterServerStrategy, and the message names the strategies to use."""
    head = """
def refused(make):
    try:
        make()
    except NotImplementedError as error:
        assert "ParameterServerStrategy" in str(error) and "MultiWorkerMirroredStrategy" in str(error)
        print("refused", flush=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    # The servers have no end of their own: the process is left without waiting for them.
    code = head + REFUSED + "\nimport os\nos._exit(0)\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180
    )
    assert done.stdout.count("refused") == 3, done.stderr[-3000:]
    assert not (tmp_path / "logs").exists()


def test_the_loss_of_one_replica_is_rejected(tmp_path: Path) -> None:
    """A per-replica loss is an error that names the fix, and an eager step of replicas has no gradient columns."""
    strategy = mirrored()
    with strategy.scope():
        model, optimizer = keras.Sequential([keras.Input((10,)), layers.Dense(1)]), keras.optimizers.SGD(0.1)
        optimizer.build(model.trainable_variables)

    def replica() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(tf.ones((2, 10))))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    with ww.Watch(tmp_path, model, optimizer, verbose=False, overhead=None) as watch:
        losses = strategy.run(replica)
        with pytest.raises(ValueError, match=r"strategy\.reduce"):
            watch.step(losses)
        watch.step(strategy.reduce("MEAN", losses, axis=None))
    history = watch.history
    assert not history.has("gradient_norm")
    assert history.known("update_norm").all()
