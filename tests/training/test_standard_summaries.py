"""What is written for TensorBoard's own tabs: which steps, from every way of recording, and who else reads it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import metadata
from tensorboard.util import tensor_util

import tb_weightwatch as ww
from tb_weightwatch.writer import recorded_scalars, standard_summaries
from tests.support.event_files import read_by_provider

STEPS_IN_EPOCH, EPOCHS = 20, 4
SESSION = (metadata.SESSION_START_INFO_TAG, metadata.SESSION_END_INFO_TAG)
Series = dict[str, dict[int, np.ndarray[Any, Any]]]  # tag -> step -> array


def fitted(logs: Any, **options: Any) -> ww.WeightWatch:
    keras.utils.set_random_seed(2)
    x = np.random.default_rng(1).normal(size=(16 * STEPS_IN_EPOCH, 4)).astype("float32")
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, name="first"), keras.layers.Dense(1, name="last")]
    )
    model.compile(keras.optimizers.SGD(0.01), "mse")
    watch = ww.WeightWatch(logs, verbose=False, overhead=None, **options)
    model.fit(x, x.sum(1), batch_size=16, epochs=EPOCHS, verbose=0, callbacks=[watch])
    return watch


def events(logs: Path) -> list[Any]:
    return [event for file in sorted(logs.glob("**/*tfevents*")) for event in EventFileLoader(str(file)).Load()]


def written(logs: Path, plugin: str) -> Series:
    """Returns what was written for a plugin, without "weightwatch/"."""
    series: Series = defaultdict(dict)
    for event in events(logs):
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == plugin:
                series[value.tag.removeprefix("weightwatch/")][event.step] = tensor_util.make_ndarray(value.tensor)
    return dict(series)


def hyperparameters(logs: Path) -> list[dict[str, Any]]:
    contents = [
        value.metadata.plugin_data.content
        for event in events(logs)
        for value in event.summary.value
        if value.tag == SESSION[0]
    ]
    started = map(metadata.parse_session_start_info_plugin_data, contents)
    return [{k: getattr(v, str(v.WhichOneof("kind"))) for k, v in one.hparams.items()} for one in started]


@pytest.fixture(scope="module")
def all_on(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ww.WeightWatch]:
    logs = tmp_path_factory.mktemp("all")
    return logs, fitted(logs, scalars=True, histogram_freq=2)


def test_nothing_is_written_unless_it_is_asked_for(tmp_path: Path) -> None:
    fitted(tmp_path)
    plugins = {value.metadata.plugin_data.plugin_name for event in events(tmp_path) for value in event.summary.value}
    assert plugins == {"weightwatch"}


def test_scalars_are_the_recorded_numbers(all_on: tuple[Path, ww.WeightWatch]) -> None:
    """Of each recorded step, at most a dozen tags."""
    logs, watch = all_on
    history, series = watch.history, written(logs, "scalars")
    names = [item["name"] for item in history.described("variables")]
    kernels = [name for name in names if name.endswith("kernel")]
    ratios = [f"update_ratio/{name}" for name in kernels]
    assert set(series) == {"loss", "learning_rate", "gradient_norm", "update_ratio/median", *ratios}
    for points in series.values():
        assert list(points) == history.steps.tolist()
    np.testing.assert_allclose(list(series["loss"].values()), history.loss, rtol=1e-6)
    expected = history.column("update_ratio")[:, [names.index(name) for name in kernels]]
    found = np.stack([list(series[ratio].values()) for ratio in ratios], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    norms = np.sqrt(np.sum(history.column("gradient_norm").astype(float) ** 2, axis=1))
    np.testing.assert_allclose(list(series["gradient_norm"].values()), norms, rtol=1e-6)


def test_histograms_of_epochs_and_of_steps_with_maps(all_on: tuple[Path, ww.WeightWatch]) -> None:
    """After the begin of every second epoch, and at step 64; the last weights are those of the model."""
    logs, watch = all_on
    series = written(logs, "histograms")
    kernels = {item["name"]: item["shape"] for item in watch.history.described("variables")}
    assert set(series) == {f"{kind}/{name}" for kind in ("gradient", "weight") for name in kernels}
    for tag, points in series.items():
        assert list(points) == [1, 2 * STEPS_IN_EPOCH + 1, 64]
        sizes = {int(table[:, 2].sum()) for table in points.values()}
        assert sizes == {int(np.prod(kernels[tag.split("/", 1)[1]]))}


def test_settings_and_answer_are_hyperparameters(all_on: tuple[Path, ww.WeightWatch]) -> None:
    logs, watch = all_on
    (found,) = hyperparameters(logs)
    assert watch.diagnosis.status == "healthy"
    expected = {"optimizer": "SGD", "learning_rate": 0.01, "batch_size": 16, "loss": "mse", "weights": 49}
    assert found == {**expected, "precision": "float32", "answer": "healthy"}


def test_the_run_is_read_as_before(all_on: tuple[Path, ww.WeightWatch]) -> None:
    """Neither reader takes it for a log of others, and nothing of it counts as damaged."""
    logs, watch = all_on
    (read,) = ww.read(logs)
    (served,) = [launch.history for launch in read_by_provider(logs)]
    for history in (read, served):
        assert history.facts == watch.history.facts
        assert history.steps.tolist() == watch.history.steps.tolist()
        assert ww.diagnose(history) == watch.diagnosis


def test_summaries_alone_are_no_log_of_others(all_on: tuple[Path, ww.WeightWatch], tmp_path: Path) -> None:
    """As in a file whose rows could not be written."""
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path / "run" / "weightwatch"))
    for event in events(all_on[0]):
        if any(value.metadata.plugin_data.plugin_name == "weightwatch" for value in event.summary.value):
            continue
        writer.add_event(event)
    writer.close()
    assert written(tmp_path, "scalars") and written(tmp_path, "histograms")
    assert ww.read(tmp_path / "run") == []
    with pytest.raises(KeyError):  # there is no such run
        read_by_provider(tmp_path, "run/weightwatch")


@pytest.mark.parametrize(
    ("frequency", "steps"),
    [("epoch", [1, 21, 41, 61]), (15, [1, 16, 31, 46, 61])],
)
def test_update_freq(frequency: Any, steps: list[int], tmp_path: Path) -> None:
    """Once an epoch, or after so many steps at least."""
    watch = fitted(tmp_path, update_freq=frequency)
    assert len(watch.history) > 64
    assert [step for step in written(tmp_path, "scalars")["loss"] if step <= 64] == steps
    assert written(tmp_path, "histograms") == {}


def test_a_sick_run_names_its_cause_and_an_early_answer_is_not_given(tmp_path: Path) -> None:
    """A loop of `fit(epochs=1)` ends many times; TensorBoard reads only the first hyperparameters of a run."""
    x = np.random.default_rng(1).normal(size=(640, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-9), "mse")
    watch = ww.WeightWatch(tmp_path, verbose=False, overhead=None, scalars=True)
    found = []
    for part in (slice(0, 32), slice(0, 640), slice(0, 640)):
        model.fit(x[part], x[part].sum(1), batch_size=8, verbose=0, callbacks=[watch])
        found.append([one["answer"] for one in hyperparameters(tmp_path)])
    assert found == [[], ["sick: learning-rate-too-small"], ["sick: learning-rate-too-small"]]


def test_a_loop_and_the_summary_functions(tmp_path: Path) -> None:
    """They write the same tags; what they do not know is left out."""
    variable = tf.Variable(tf.ones((2, 2)), name="w")
    with ww.Watch(
        tmp_path / "loop", variables=[variable], overhead=None, verbose=False, scalars=True, histograms=True
    ) as watch:
        for _ in range(70):
            variable.assign(variable * 0.9)
            watch.step(0.5, gradients=[tf.ones((2, 2))])
    with ww.summary.create_file_writer(tmp_path / "own", verbose=False, overhead=None, scalars=True) as writer:
        for step in range(1, 5):
            ww.summary.update(
                step, {"w": (np.ones((2, 2)), np.ones((2, 2)), np.zeros((2, 2)))}, loss=1.0, writer=writer
            )
    tags = {"loss", "gradient_norm", "update_ratio/median", "update_ratio/w"}
    assert set(written(tmp_path / "loop", "scalars")) == tags
    assert list(written(tmp_path / "loop", "histograms")["gradient/w"]) == [64]
    assert set(written(tmp_path / "own", "scalars")) == tags - {"update_ratio/median"}
    for run in ("loop", "own"):
        (found,) = hyperparameters(tmp_path / run)
        assert found["weights"] == 4 and found["answer"]


def test_a_writer_of_the_user(tmp_path: Path) -> None:
    """Beside the user's own scalars, in the same file."""
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        tf.summary.scalar("accuracy", 0.5, step=1)
    watch = fitted(writer, scalars=True, histograms=True)
    series = written(tmp_path, "scalars")
    assert {"accuracy", "loss", "update_ratio/median"} <= set(series)
    assert list(series["loss"]) == watch.history.steps.tolist()
    assert written(tmp_path, "histograms")
    assert len(list(tmp_path.glob("*tfevents*"))) == 1
    assert len(hyperparameters(tmp_path)) == 1


def test_bounds() -> None:
    """What the documentation says of them."""
    assert (recorded_scalars.MOST_KERNELS + 4, standard_summaries.MOST_HISTOGRAMS) == (12, 200)
