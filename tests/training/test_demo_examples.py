"""The programs in demo/examples run, their weights move, and no alarm is raised."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "demo" / "examples"
# Need a library that not everybody has: tests of their own.
ELSEWHERE = {"keras_tuner_search", "optuna_search"}
NAMES = sorted(path.stem for path in EXAMPLES.glob("[a-z]*.py") if path.stem not in ELSEWHERE)


@pytest.mark.filterwarnings("ignore")  # of TensorFlow and Keras: the examples are for people
@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_and_moves_its_weights(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its last recorded steps move every kernel, and no alarm is raised."""
    watch = importlib.import_module(f"demo.examples.{name}").main(str(tmp_path))
    diagnosis = watch.diagnosis
    # The loss of a GAN, or of reinforcement learning, tells nothing.
    undecided = name in ("gan", "reinforcement_learning")
    assert diagnosis.status in (("healthy", "undecided") if undecided else ("healthy",)), diagnosis.sentence
    assert (watch.history.column("update_norm")[-1] > 0).any()
    assert len(list((tmp_path / "weightwatch").iterdir())) == 1


def test_the_notebook_runs(tmp_path: Path) -> None:
    """Every cell runs in a real kernel, and the diagnosis is shown as HTML."""
    nbformat = pytest.importorskip("nbformat")
    executor = pytest.importorskip("nbconvert.preprocessors").ExecutePreprocessor(timeout=120)
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    executor.preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    shown = [str(output["data"]["text/html"]) for output in outputs if "text/html" in output.get("data", {})]
    assert len(shown) == 3
    assert "The learning rate of 1e-9 is too small" in shown[0] and "Healthy" in shown[2]
