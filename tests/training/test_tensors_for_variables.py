"""Tests of loops that replace their variables with tensors: `w = w - learning_rate * gradient`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww


def _train(folder: Path, *, in_place: bool, pairs: bool, steps: int = 20) -> Any:
    """Trains a line by hand; the variables become tensors in the first step unless they change in place."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(32, 3)).astype("float32")
    y = x @ np.ones((3, 1), "float32")
    weights: list[Any] = [tf.Variable(np.zeros((3, 1), "float32"), name="w"), tf.Variable([0.0], name="b")]
    with ww.Watch(str(folder), variables=list(weights), verbose=False, overhead=None) as watch:
        for _ in range(steps):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(x @ weights[0] + weights[1] - y))
            gradients = tape.gradient(loss, weights)
            for i, gradient in enumerate(gradients):
                if gradient is not None and in_place:
                    weights[i].assign_sub(0.1 * gradient)
                elif gradient is not None:
                    weights[i] = weights[i] - 0.1 * gradient
            given = {"gradients": list(zip(gradients, weights, strict=True))} if pairs else {}
            watch.step(loss, variables=list(weights), **given)
    return watch


@pytest.mark.parametrize("pairs", [True, False], ids=["with gradients", "loss alone"])
def test_tensors_are_the_answer_and_do_not_stop_training(pairs: bool, tmp_path: Path) -> None:
    """The verdict is certain, live and from the files, and names the first step."""
    watch = _train(tmp_path, in_place=False, pairs=pairs)
    diagnosis = watch.diagnosis
    first = diagnosis.verdicts[0]
    assert (first.name, first.certainty, first.first_step) == ("no-gradient", "certain", 1)
    assert "2 of 2 of what the step trains are tensors since step 1" in first.message and "assign_sub" in first.fix
    assert ww.diagnose(ww.read(str(tmp_path))[-1]) == diagnosis
    facts = [r.data for r in watch.history.of_kind("facts") if "tensors_for_variables" in r.data]
    assert 1 <= len(facts) <= 5, "a record each time that their number has doubled"


def test_variables_that_change_in_place_are_silent(tmp_path: Path) -> None:
    """The repaired twin learns, and nothing is said."""
    watch = _train(tmp_path, in_place=True, pairs=True)
    assert watch.diagnosis.status == "healthy" and not watch.diagnosis.verdicts


def test_a_tensor_given_to_the_watch_itself_is_refused(tmp_path: Path) -> None:
    """Before training it is a wrong argument."""
    with pytest.raises(TypeError, match="variables must be Keras or TensorFlow variables"):
        ww.Watch(str(tmp_path), variables=[tf.constant([1.0])])
