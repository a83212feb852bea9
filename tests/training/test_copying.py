"""Copies of a callback: for each trial of a search, and in another process."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import keras
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tests.supported.fit import compiled
from tests.supported.observe import diabetes


def recorded(watch: ww.WeightWatch) -> ww.History:
    compiled()().fit(*diabetes(), verbose=0, callbacks=[watch])
    return watch.history


class Named(ww.WeightWatch):
    """A callback of one's own, whose constructor takes something else."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(folder, verbose=False, rules={502: False})
        self.name = name


def test_a_deep_copy_records_a_launch_of_its_own(tmp_path: Path) -> None:
    """It has the same arguments and the attributes of a subclass; both are read from the same folder."""
    watch = Named("first", tmp_path)
    copied = copy.deepcopy([watch])[0]
    assert type(copied) is Named
    assert copied.name == "first"
    histories = [recorded(watch), recorded(copied)]
    assert [h.facts for h in histories]
    assert {h.launch for h in ww.read(tmp_path) if len(h)} == {h.launch for h in histories}
    assert all(h.of_kind("config")[0].data["rules"] for h in histories)


def test_pickling_keeps_the_arguments(tmp_path: Path) -> None:
    """What is loaded again, perhaps in another process, records with the same options."""
    watch = pickle.loads(pickle.dumps(ww.WeightWatch(tmp_path, verbose=False, overhead=None)))
    history = recorded(watch)
    assert history.steps.tolist() == [1, 2, 3, 4, 5, 6, 7, 8][: len(history)]
    assert history.of_kind("config")[0].data["overhead"] is None


def test_a_used_callback_is_not_copied(tmp_path: Path) -> None:
    """Its files and its History belong to the training that it has recorded."""
    watch = ww.WeightWatch(tmp_path, verbose=False)
    recorded(watch)
    for attempt in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="only before the training"):
            attempt(watch)


def test_a_writer_is_shared_by_copies_and_cannot_be_pickled(tmp_path: Path) -> None:
    """A `tf.summary` writer belongs to its process."""
    watch = ww.WeightWatch(tf.summary.create_file_writer(str(tmp_path)), verbose=False)
    with pytest.raises(TypeError, match="pass the folder of a run"):
        pickle.dumps(watch)
    copied = copy.deepcopy(watch)
    history = recorded(copied)
    assert history.launch in {h.launch for h in ww.read(tmp_path)}


def test_each_execution_of_a_trial_is_a_run_of_its_own(tmp_path: Path) -> None:
    """KerasTuner's folders are those that it gives TensorBoard."""
    import keras_tuner

    def build(parameters: keras_tuner.HyperParameters) -> keras.Model:
        rate = parameters.Choice("rate", [0.05])
        return compiled(optimizer=keras.optimizers.SGD(rate))()

    tuner = keras_tuner.GridSearch(build, objective="loss", executions_per_trial=2, directory=tmp_path / "tuner")
    logs = tmp_path / "logs"
    tuner.search(*diabetes(), verbose=0, callbacks=[ww.WeightWatch(logs, verbose=False)])
    trained = {run.relative_to(logs).as_posix() for run in logs.rglob("execution*") if len(ww.read(run)[0])}
    assert trained == {"0000/execution0", "0000/execution1"}
