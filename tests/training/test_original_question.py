"""The three programs of the seed, as printed: with the missing data, and the lines of tb_weightwatch, filled in."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import StandardScaler

import tb_weightwatch as ww

SEED = Path(__file__).resolve().parents[1] / "seed"
UPDATE = "optimizer.apply_gradients(zip(gradients, model.trainable_variables))"


def regression() -> dict[str, Any]:
    x, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    return {"X_train": StandardScaler().fit_transform(x).astype("float32"), "y_train": y.astype("float32")[:, None]}


def classes(labels: tuple[float, float] = (0.0, 1.0)) -> dict[str, Any]:
    x, y = load_breast_cancer(return_X_y=True)
    y = np.where(y == 1, labels[1], labels[0]).astype("float32")[:, None]
    return {"X_train": StandardScaler().fit_transform(x)[:, :10].astype("float32"), "y_train": y}


def answer(
    number: int, data: dict[str, Any], logs: Path, step: str = "watch.step(loss)", **changes: str
) -> ww.Diagnosis:
    """Runs a program of the seed with the lines of tb_weightwatch added, and returns the diagnosis."""
    keras.utils.set_random_seed(7)
    text = (SEED / f"example_{number}.py").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    text = text.replace("# Training loop", "watch = ww.Watch(logs, model=model, optimizer=optimizer, verbose=False)\n#")
    assert UPDATE in text
    text = text.replace(UPDATE, f"{UPDATE}\n    {step}")
    scope: dict[str, Any] = {**data, "ww": ww, "logs": logs}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, f"example_{number}.py", "exec"), scope)
    scope["watch"].close()
    (history,) = ww.read(logs)
    assert ww.diagnose(history) == scope["watch"].diagnosis
    return scope["watch"].diagnosis


@pytest.mark.filterwarnings("ignore:Do not pass an .input_shape.:UserWarning")
class TestAsPrinted:
    """Each program gets its answer."""

    def test_the_first_has_too_small_a_learning_rate(self, tmp_path: Path) -> None:
        """Adam with 1e-10: the learning rate is named, and explains why no kernel element moves at all."""
        found = answer(1, regression(), tmp_path)
        assert found.verdicts[0].name == "learning-rate-too-small"
        assert "update-below-precision" in [v.name for v in found.verdicts[0].explains]
        assert "1e-10" in str(found)

    def test_the_second_is_well_where_its_data_is(self, tmp_path: Path) -> None:
        """Sigmoid and binary cross-entropy fit classes 0 and 1: after ten steps, nothing is wrong."""
        assert answer(2, classes(), tmp_path).status == "healthy"

    def test_the_second_with_targets_outside_its_output(self, tmp_path: Path) -> None:
        """Classes called -1 and 1 are beyond what a sigmoid reaches; that is said, once the targets are shown."""
        found = answer(2, classes((-1.0, 1.0)), tmp_path, step="watch.step(loss, targets=y_train)")
        assert found.verdicts[0].name == "label-problem"

    def test_the_third_is_well_because_it_standardises(self, tmp_path: Path) -> None:
        """The third program standardises its inputs and targets, and is called healthy."""
        assert answer(3, {}, tmp_path).status == "healthy"
