"""Acting on a verdict: stop, raise, prune or notify, in `fit` and in loops."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.schedule.budget import Budget

X = np.random.default_rng(0).normal(size=(256, 4)).astype("float32")
Y = X[:, :1] - X[:, 1:2]


def fit(folder: Path, rate: float, epochs: int = 30, **options: Any) -> tuple[ww.WeightWatch, Any, keras.Model]:
    """Trains a linear model with SGD; returns the callback, the history of `fit` and the model."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True)
    watch = ww.WeightWatch(folder, verbose=False, **options)
    return watch, model.fit(X, Y, batch_size=64, epochs=epochs, verbose=0, callbacks=[watch]), model


def loop(folder: Path, rate: float, steps: int = 100, **options: Any) -> tuple[ww.Watch, int]:
    """Trains by hand until it should stop; returns the recorder and the number of steps."""
    weight, made = tf.Variable(tf.ones((4, 1)), name="weight"), 0
    with ww.Watch(folder, variables=[weight], verbose=False, **options) as watch:
        while made < steps and not watch.should_stop:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(X @ weight - Y))
            gradient = tape.gradient(loss, weight)
            weight.assign_sub(rate * gradient)
            watch.step(loss, gradients=[(gradient, weight)])
            made += 1
    return watch, made


def test_fit_is_stopped_and_says_once_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A certain cause ends `fit` after its batch; the reason is printed once, recorded and shown."""
    watch, history, _ = fit(tmp_path, 0.0, on_verdict=ww.StopTraining())
    assert len(history.epoch) < 30
    told = capfd.readouterr().err
    assert told.count("training is stopped") == 1
    assert "501 learning-rate-zero: The learning rate is exactly 0" in told
    assert watch.diagnosis.status == "sick"
    (read,) = ww.read(tmp_path)
    assert read.ended is not None
    assert (read.ended.data["how"], read.ended.data["detail"]) == ("stopped", "501 learning-rate-zero")


def test_a_loop_is_asked_to_stop(tmp_path: Path) -> None:
    """`watch.should_stop` becomes True, and the end is recorded as such."""
    watch, steps = loop(tmp_path, 0.0, on_verdict=ww.StopTraining("symptom"))
    assert watch.should_stop and steps < 100
    assert ww.read(tmp_path)[0].ended.data["how"] == "stopped"  # type: ignore[union-attr]


def test_a_healthy_training_is_left_alone(tmp_path: Path) -> None:
    """Nothing fires, and the weights are those of a training without an action."""
    alerts: list[ww.Alert] = []
    _, history, model = fit(tmp_path / "a", 0.1, epochs=6, on_verdict=alerts.append)
    _, _, other = fit(tmp_path / "b", 0.1, epochs=6)
    assert len(history.epoch) == 6 and alerts == []
    for weight, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_an_error_is_raised_in_the_training(tmp_path: Path) -> None:
    """`fit` and a loop end with SickTraining, whose message has the sentence and the fix; it is recorded as the end."""
    with pytest.raises(
        ww.SickTraining, match=r"learning rate is exactly 0.*Fix: Set a learning rate above 0"
    ) as caught:
        fit(tmp_path / "fit", 0.0, on_verdict=ww.Raise())
    assert caught.value.diagnosis is not None and caught.value.diagnosis.status == "sick"
    with pytest.raises(ww.SickTraining, match="weights-do-not-move"):
        loop(tmp_path / "loop", 0.0, on_verdict=ww.Raise("symptom"))
    assert ww.read(tmp_path / "loop")[0].ended.data["detail"] == "SickTraining"  # type: ignore[union-attr]


@pytest.mark.parametrize("train", [fit, loop])
def test_a_fault_of_ours_does_not_keep_alerts_from_the_user(
    train: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the budget cannot be stopped: that is told once, and the function is called all the same."""

    def fault(_: Budget) -> None:
        raise ZeroDivisionError("injected")

    monkeypatch.setattr(Budget, "paused", fault)
    monkeypatch.delenv("TB_WEIGHTWATCH_STRICT", raising=False)
    alerts: list[ww.Alert] = []
    with pytest.warns(RuntimeWarning, match="injected") as told:
        train(tmp_path, 0.0, on_verdict=alerts.append)
    assert len(told) == 1
    assert alerts


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A real HTTP server that takes JSON as Slack does; its address, and what it got."""
    messages: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", messages
    server.shutdown()
    server.server_close()


def notify(address: str) -> Callable[[ww.Alert], None]:
    """The recipe of docs/acting.md for a webhook."""

    def send(alert: ww.Alert) -> None:
        body = json.dumps({"text": f"{alert.run}: {alert}"}).encode()
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()

    return send


def test_a_webhook_gets_each_alert_once(tmp_path: Path, webhook: tuple[str, list[dict[str, Any]]]) -> None:
    """Messages name the run, the cause and the fix."""
    address, messages = webhook
    fit(tmp_path, 0.0, epochs=8, on_verdict=notify(address))
    texts = [message["text"] for message in messages]
    assert len(texts) == len(set(texts)) and any("501 learning-rate-zero" in text for text in texts)
    assert all(text.startswith(str(tmp_path)) for text in texts)


def test_a_webhook_that_is_down_ends_no_training(tmp_path: Path) -> None:
    """The failure is told once."""
    with pytest.warns(RuntimeWarning, match="training goes on") as warned:
        _, history, _ = fit(tmp_path, 0.0, epochs=8, on_verdict=notify("http://127.0.0.1:9"))
    assert len(history.epoch) == 8
    assert sum("on_verdict" in str(warning.message) for warning in warned) == 1


@pytest.mark.filterwarnings("ignore")  # of MLflow
def test_mlflow_keeps_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipe of docs/acting.md, with MLflow's local store."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a database would need more packages
    mlflow.set_tracking_uri((tmp_path / "mlflow").as_uri())

    def keep(alert: ww.Alert) -> None:
        mlflow.set_tag(f"weightwatch.{alert.kind}", str(alert))

    with mlflow.start_run() as run:
        fit(tmp_path / "run", 0.0, epochs=8, on_verdict=keep)
    tags = mlflow.get_run(run.info.run_id).data.tags
    assert "501 learning-rate-zero" in tags["weightwatch.verdict"]


@pytest.mark.filterwarnings("ignore")  # of Weights & Biases
def test_weights_and_biases_keeps_the_answer(tmp_path: Path) -> None:
    """The recipe of docs/acting.md, with a run that is offline: its alerts are sent when it is synchronized."""
    wandb = pytest.importorskip("wandb")
    with wandb.init(mode="offline", dir=tmp_path) as run:

        def keep(alert: ww.Alert) -> None:
            run.summary[f"weightwatch/{alert.kind}"] = str(alert)
            run.alert(title=alert.title, text=str(alert))

        fit(tmp_path / "run", 0.0, epochs=8, on_verdict=keep)
        assert "501 learning-rate-zero" in run.summary["weightwatch/verdict"]


@pytest.mark.filterwarnings("ignore")  # of Optuna
def test_optuna_prunes_a_hopeless_trial(tmp_path: Path) -> None:
    """The trial is pruned, and the study has the reason."""
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial: Any) -> float:
        rate = trial.suggest_categorical("rate", [0.0, 0.1])
        _, history, _ = fit(tmp_path / str(trial.number), rate, epochs=8, on_verdict=ww.PruneTrial(trial))
        return float(history.history["loss"][-1])

    study = optuna.create_study(sampler=optuna.samplers.GridSampler({"rate": [0.0, 0.1]}))
    study.optimize(objective, n_trials=2)
    by_rate = {trial.params["rate"]: trial for trial in study.trials}
    assert by_rate[0.0].state.name == "PRUNED" and by_rate[0.1].state.name == "COMPLETE"
    assert "501 learning-rate-zero" in by_rate[0.0].user_attrs["weightwatch"]


@pytest.mark.filterwarnings("ignore")  # of Keras Tuner
def test_keras_tuner_fails_a_hopeless_trial(tmp_path: Path) -> None:
    """The trial is marked as failed with the reason, and the search goes on."""
    keras_tuner = pytest.importorskip("keras_tuner")

    def build(parameters: Any) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(parameters.Choice("rate", [0.0, 0.1])), "mse")
        return model

    tuner = keras_tuner.GridSearch(
        build, "loss", max_trials=2, directory=tmp_path, project_name="search", overwrite=True
    )
    watch = ww.WeightWatch(tmp_path / "logs", verbose=False, on_verdict=ww.FailTrial())
    tuner.search(X, Y, epochs=8, batch_size=64, verbose=0, callbacks=[watch])
    trials = {trial.hyperparameters.get("rate"): trial for trial in tuner.oracle.trials.values()}
    assert trials[0.1].status == "COMPLETED" and trials[0.0].status in ("INVALID", "FAILED")
    assert "501 learning-rate-zero" in trials[0.0].message
