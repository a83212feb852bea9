"""Without TensorFlow, or with Keras on another backend: one error that says what to do, and all else works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tb_weightwatch.capture.training_libraries import check_training_libraries

NAMES = ("Watch", "WeightWatch", "preflight", "probe", "assert_learns")
# What an interpreter without these packages answers to `import tensorflow`.
WITHOUT_TENSORFLOW = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras", "tf_keras"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""
ALL_THAT_WORKS = """
import numpy as np
import tb_weightwatch as ww
import tb_weightwatch.cli, tb_weightwatch.plugin.backend, tb_weightwatch.report

folder = sys.argv[1]
writer = ww.summary.create_file_writer(folder)
with writer.as_default():
    for step in range(1, 6):
        before = np.ones((3, 2), "float32")
        ww.summary.update(step, {"w": (before, before, 0.99 * before)}, loss=1 / step, learning_rate=0.01)
writer.close()
[history] = ww.read(folder)
assert len(history) == 5
assert ww.diagnose(history).status
assert tb_weightwatch.cli.main(["review", folder]) in (0, 1)
tb_weightwatch.cli.main(["report", folder, "-o", folder + "/report.html"])
assert ww.show
"""


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, env={**os.environ, **environment}
    )


def test_each_name_that_trains_says_what_to_install() -> None:
    """The error is one ImportError, in the line that uses the name."""
    lines = [f"try: ww.{name}('logs')\nexcept ImportError as error: print(error)" for name in NAMES]
    process = run("\n".join([WITHOUT_TENSORFLOW, "import tb_weightwatch as ww", *lines]))
    assert process.returncode == 0, process.stderr
    for name, line in zip(NAMES, process.stdout.splitlines(), strict=True):
        assert line.startswith(f"ww.{name} needs TensorFlow, but it is not installed: pip install")
        assert "tb-weightwatch[tensorflow]" in line


def test_summaries_reading_reviewing_and_reports_work_without_tensorflow(tmp_path: Path) -> None:
    """A run is written, read, diagnosed, reviewed and reported where TensorFlow cannot be imported."""
    process = run(WITHOUT_TENSORFLOW + ALL_THAT_WORKS, str(tmp_path))
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_keras_on_another_backend_is_refused_before_anything_is_imported() -> None:
    """The environment decides; neither TensorFlow nor Keras is loaded for the message."""
    program = (
        "import sys, tb_weightwatch as ww\ntry: ww.Watch('logs')\n"
        "except ImportError as error: print(error)\nassert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    process = run(program, KERAS_BACKEND="jax")
    assert process.returncode == 0, process.stderr
    assert "Keras runs on jax here" in process.stdout
    assert "KERAS_BACKEND=tensorflow" in process.stdout


@pytest.mark.parametrize(
    ("library", "version", "message"),
    [
        ("tensorflow", "2.15.1", "needs TensorFlow 2.16 or newer, but found 2.15.1"),
        ("tensorflow", "", "needs TensorFlow 2.16 or newer, but found a module of that name without a version"),
        ("keras", "2.15.0", "needs Keras 3.3 or newer, but found 2.15.0"),
    ],
)
def test_a_library_that_is_too_old_is_named(
    library: str, version: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says which version is there and which is needed."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    for name, number in (("tensorflow", "2.16.0"), ("keras", "3.3.0"), (library, version)):
        module = ModuleType(name)
        if number:
            module.__version__ = number  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(ImportError, match=message):
        check_training_libraries("WeightWatch")
