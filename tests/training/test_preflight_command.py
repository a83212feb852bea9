"""`weightwatch preflight MODULE:FUNCTION`, as a user or a pre-commit hook calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tb_weightwatch import cli

MODULE = """
import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
y = np.argmax(x[:, :3], axis=1)


def model(trainable=True, compiled=True):
    layers = [keras.layers.Dense(12, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    made = keras.Sequential([keras.Input((6,)), *layers])
    made.trainable = trainable
    if compiled:
        made.compile("adam", "sparse_categorical_crossentropy")
    return made


def healthy():
    return model(), x, y


def dataset():
    return model(), tf.data.Dataset.from_tensor_slices((x, y)).batch(16)


def loop():
    loss = keras.losses.SparseCategoricalCrossentropy()
    return {"model": model(compiled=False), "x": x, "y": y, "loss": loss, "optimizer": keras.optimizers.Adam(1e-3)}


def frozen():
    return model(trainable=False), x, y


def nothing():
    pass


def only_a_model():
    return model()


def wrong_key():
    return {"model": model(), "x": x, "los": "mse"}


def without_data():
    return {"model": model()}


def not_built():
    return keras.Sequential([keras.layers.Dense(3)]), x, y


def raises():
    raise RuntimeError("the data are not there")


def ends():
    raise SystemExit(3)


not_a_function = 3
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program")
    (path / "program_to_check.py").write_text(MODULE)
    (path / "program_that_fails.py").write_text("import package_that_is_not_there\n")
    return path


def run(function: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.chdir(folder)
    return cli.main(["preflight", function])


@pytest.mark.parametrize("function", ["healthy", "dataset", "loop"])
def test_a_model_without_a_fault_passes(
    function: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """(model, x, y), (model, dataset) and a dict for a loop of one's own are understood; the exit code is 0."""
    path = list(sys.path)
    assert run(f"program_to_check:{function}", folder, monkeypatch) == 0
    assert capsys.readouterr().out.strip()
    assert sys.path == path


def test_a_certain_fault_ends_a_build(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer and its fix are printed, and the exit code is 1."""
    assert run("program_to_check:frozen", folder, monkeypatch) == 1
    shown = capsys.readouterr().out
    assert "trainable" in shown and "fix:" in shown


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("program_to_check:helthy", "has no function 'helthy'; did you mean 'healthy'?"),
        ("program_to_check:not_a_function", "has no function 'not_a_function'"),
        ("program_to_chek:healthy", "there is no module 'program_to_chek'"),
        ("program_to_check", "expected MODULE:FUNCTION"),
        ("program_to_check.py:healthy", "expected MODULE:FUNCTION"),
        ("program_that_fails:healthy", "importing program_that_fails raised ModuleNotFoundError"),
        ("program_to_check:nothing", "must return (model, x, y), (model, dataset), or a dict"),
        ("program_to_check:only_a_model", "got a Sequential"),
        ("program_to_check:wrong_key", "a dict with the key 'los'; did you mean 'loss'?"),
        ("program_to_check:without_data", "a dict without 'x'"),
        ("program_to_check:not_built", "the model must be built"),
        ("program_to_check:raises", "program_to_check:raises raised RuntimeError: the data are not there"),
        ("program_to_check:ends", "raised SystemExit: 3"),
    ],
)
def test_what_cannot_be_examined_is_said(
    function: str, expected: str, folder: Path, *, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line says what was expected and what came, and the exit code is 2."""
    assert run(function, folder, monkeypatch) == 2
    shown = capsys.readouterr()
    assert expected in shown.err.strip().split("\n")[-1] and not shown.out


def test_the_frames_of_the_user_are_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exception of the user's program has its traceback, from the user's function on."""
    run("program_to_check:raises", folder, monkeypatch)
    shown = capsys.readouterr().err
    assert "in raises" in shown and "cli/preflight.py" not in shown


def test_without_tensorflow(folder: Path) -> None:
    """One line says what to install, before anything of the user's is imported."""
    code = "import sys; sys.modules['tensorflow'] = None; from tb_weightwatch.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "preflight", "program_to_check:healthy"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'tb-weightwatch[tensorflow]'" in done.stderr
