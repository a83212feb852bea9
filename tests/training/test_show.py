"""`watch.show()` and the `repr` of what records a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww


def trained_loop(logdir: Any) -> ww.Watch:
    """Returns a Watch, not closed, after three steps."""
    weight = tf.Variable([[1.0]], name="weight")
    watch = ww.Watch(logdir, variables=[weight], verbose=False)
    for _ in range(3):
        weight.assign_sub([[0.1]])
        watch.step(1.0)
    return watch


def test_show_names_the_folder_and_the_launch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The steps so far are on disk when the panel opens, although training goes on."""
    watch = trained_loop(tmp_path / "run-1")
    watch.show()
    shown = capsys.readouterr().out
    assert f"tensorboard --logdir {tmp_path / 'run-1'}" in shown
    assert f"p.weightwatch.run=weightwatch&p.weightwatch.launch={watch.history.launch}" in shown
    assert len(ww.read(tmp_path / "run-1")[-1]) == len(watch.history) == 3
    watch.step(1.0)
    watch.close()
    watch.show()
    assert "tensorboard --logdir" in capsys.readouterr().out
    assert len(ww.read(tmp_path / "run-1")[-1]) == 4


def test_show_works_for_the_callback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`WeightWatch.show` is the same method, also before the first step."""
    watch = ww.WeightWatch(tmp_path, verbose=False)
    watch.show()
    assert f"tensorboard --logdir {tmp_path}" in capsys.readouterr().out
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0, callbacks=[watch])
    watch.show()
    assert watch.history.launch in capsys.readouterr().out


def test_show_needs_a_folder(tmp_path: Path) -> None:
    """A writer of the user's own has a folder that we do not know, and the error says what to call."""
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        watch = trained_loop(writer)
        with pytest.raises(RuntimeError, match=r"ww\.show\(logdir\)"):
            watch.show()
        watch.close()


def test_repr_says_how_far_the_recording_is(tmp_path: Path) -> None:
    """Folder, step, rows and status are in one line; nothing is measured or diagnosed for it."""
    watch = trained_loop(tmp_path)
    text = repr(watch)
    assert text.startswith("<Watch ") and "step 3" in text and tmp_path.name in text
    assert "\n" not in text
    watch.close()
    assert "3 rows" in repr(watch) and "recording has ended" in repr(watch)
    callback = ww.WeightWatch(tmp_path / "fit", verbose=False)
    assert repr(callback).startswith("<WeightWatch ") and "not diagnosed yet" in repr(callback)
    with ww.summary.create_file_writer(tmp_path / "summary", verbose=False) as writer:
        ww.summary.update(1, {"w": (np.ones(2), np.zeros(2), np.ones(2))})
        assert "step 1" in repr(writer) and repr(writer).startswith("<Writer ")
