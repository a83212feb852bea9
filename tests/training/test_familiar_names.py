"""Arguments of `keras.callbacks.TensorBoard`: those that mean the same, and what is said of the others."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.capture.arguments import with_familiar_names
from tb_weightwatch.capture.arguments.familiar_names import FamiliarNames, FamiliarNamesOfFit
from tb_weightwatch.writer import SummarySettings


def settings(kind: type = ww.WeightWatch, *, scalars: bool = False, histograms: bool = False, **familiar: Any) -> Any:
    return with_familiar_names(kind, "logs", scalars, histograms, familiar)[1]


def test_log_dir_is_logdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And without either the folder is "logs", as that of Keras' callback."""
    monkeypatch.chdir(tmp_path)
    assert ww.WeightWatch(log_dir="a", verbose=False)._recorder.folder == "a"
    assert ww.WeightWatch(verbose=False)._recorder.folder == "logs"
    variable = tf.Variable([1.0], name="w")
    with ww.Watch(log_dir=Path("b"), variables=[variable], verbose=False) as watch:
        watch.step(0.5)
    assert os.listdir(tmp_path) == ["b"]
    with pytest.raises(TypeError, match="logdir must be the folder of a run"):
        ww.WeightWatch(log_dir=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="two names of one argument; pass the string 'a' alone"):
        ww.WeightWatch("a", log_dir="b")


@pytest.mark.parametrize(
    ("familiar", "expected"),
    [
        ({}, SummarySettings()),
        ({"update_freq": "batch"}, SummarySettings(scalars=True)),
        ({"update_freq": "epoch"}, SummarySettings(scalars=True, scalar_epochs=True)),
        ({"update_freq": 10}, SummarySettings(scalars=True, scalar_steps=10)),
        ({"update_freq": np.int64(10)}, SummarySettings(scalars=True, scalar_steps=10)),
        ({"histogram_freq": 0}, SummarySettings()),
        ({"histogram_freq": 3}, SummarySettings(histograms=True, histogram_epochs=3)),
        ({"histogram_freq": 0, "histograms": True}, SummarySettings(histograms=True)),
    ],
)
def test_frequencies_ask_for_what_they_are_of(familiar: dict[str, Any], expected: SummarySettings) -> None:
    assert settings(**familiar) == expected


@pytest.mark.parametrize(
    ("familiar", "error", "text"),
    [
        ({"update_freq": "step"}, ValueError, 'must be "batch", "epoch" or a number of steps, got the string \'step\''),
        ({"update_freq": 0}, ValueError, "update_freq must be positive"),
        ({"update_freq": True}, TypeError, "update_freq must be a positive number, got True"),
        ({"histogram_freq": -1}, ValueError, "histogram_freq must be positive, got -1"),
        ({"histogram_freq": 0.5}, ValueError, "histogram_freq must be a positive whole number"),
        ({"histogram_freq": None}, TypeError, "histogram_freq must be a positive number, got None"),
        (
            {"write_graph": True},
            TypeError,
            "ww.WeightWatch takes no write_graph; use keras.callbacks.TensorBoard",
        ),
        ({"embeddings_metadata": None}, TypeError, "use keras.callbacks.TensorBoard beside it"),
        ({"overhed": 0.1}, TypeError, "takes no argument 'overhed'; did you mean 'overhead'"),
        ({"logdr": "a"}, TypeError, "takes no argument 'logdr'; did you mean 'logdir'"),
        ({"hist_freq": 1}, TypeError, "did you mean 'histogram_freq'"),
    ],
)
def test_other_values_and_names(familiar: dict[str, Any], error: type[Exception], text: str) -> None:
    """Each says what was expected; the options of TensorBoard's callback, what to use."""
    with pytest.raises(error) as raised:
        ww.WeightWatch(**familiar)
    assert text in str(raised.value)


@pytest.mark.parametrize(
    ("familiar", "text"),
    [
        (
            {"histogram_freq": 1},
            "a loop does not tell it of epochs; use histograms=True",
        ),
        ({"update_freq": "epoch"}, 'update_freq must be "batch" or a number of steps, got'),
        ({"profile_batch": 2}, "ww.Watch takes no profile_batch; use tf.profiler.experimental beside it"),
        ({"optimiser": None}, "did you mean 'optimizer'"),
    ],
)
def test_a_loop_knows_no_epochs(familiar: dict[str, Any], text: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        ww.Watch("logs", variables=[tf.Variable([1.0])], **familiar)
    assert text in str(raised.value)


def test_all_accepted_names_are_typed() -> None:
    """A loop accepts what the callback does, but for epochs."""
    assert set(FamiliarNamesOfFit.__annotations__) - set(FamiliarNames.__annotations__) == {"histogram_freq"}


def test_copies_have_the_same_arguments(tmp_path: Path) -> None:
    """Those of the tabs as well; the folder by its one name."""
    watch = ww.WeightWatch(log_dir=tmp_path, verbose=False, scalars=True, update_freq=5, histogram_freq=2)
    for copied in (copy.deepcopy(watch), pickle.loads(pickle.dumps(watch))):
        assert copied._recorder.folder == str(tmp_path)
        assert copied._recorder.summaries._settings == watch._recorder.summaries._settings
        assert copied._recorder.summaries._settings.scalar_steps == 5
