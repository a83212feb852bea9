"""The wheel, installed with nothing but its own dependencies in a new environment without TensorFlow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.synthetic_runs import write
from tests.support.tensorboard_process import get, get_json, tensorboard, wait_for_runs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment that holds the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, so that nothing stale from an earlier build gets in and nothing is left behind.
    unwanted = shutil.ignore_patterns(".*", "node_modules", "build", "*.egg-info", "logs", "output")
    source = shutil.copytree(ROOT, folder / "source", ignore=unwanted)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel)], check=True)
    return python


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sick run, written by this process."""
    folder = tmp_path_factory.mktemp("logs")
    write(folder / "run", nan_from=100)
    return folder


def test_tensorflow_is_not_installed(python: Path) -> None:
    """The new environment has no TensorFlow and no Keras, so nothing below can have used them."""
    for name in ("tensorflow", "keras"):
        assert subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode != 0


@pytest.mark.parametrize("flag", ["--load_fast=true", "--load_fast=false"])
def test_the_panel_is_shown(flag: str, python: Path, logs: Path) -> None:
    """TensorBoard serves the panel's bundle and the run's answer."""
    with tensorboard(logs, flag, python=str(python)) as address:
        (run,) = wait_for_runs(address, 1)["runs"]
        overview = get_json(f"{address}/data/plugin/weightwatch/overview?run={run['run']}")
        assert overview["status"] == "sick"
        status, bundle = get(f"{address}/data/plugin/weightwatch/index.js")
        assert status == 200
        assert b"render" in bundle


def test_review_works(python: Path, logs: Path) -> None:
    """`weightwatch review` ends with 1 for a sick run, and with 2 and a hint for an empty directory."""
    command = python.parent / "weightwatch"
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run([command, "review", str(logs)], capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "SICK" in done.stdout
    (logs / "empty").mkdir(exist_ok=True)
    done = subprocess.run([command, "review", str(logs / "empty")], capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "WeightWatch" in done.stderr
