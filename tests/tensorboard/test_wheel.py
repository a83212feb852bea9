"""The wheel, installed with nothing but its own dependencies in a new environment without TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import tb_weightwatch as ww
from tests import release
from tests.support.synthetic_runs import write
from tests.support.tensorboard_process import get, get_json, tensorboard, wait_for_runs

REPOSITORY = "https://example.org/owner/tb-weightwatch"


def run(_: str, *arguments: str, env: dict[str, str]) -> None:
    environment = {**os.environ, **env, "WW_REPOSITORY": REPOSITORY}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Source distribution and wheel (made from it), as a release has them."""
    files = release.build(run, tmp_path_factory.mktemp("built") / "first")
    return sorted(files, key=lambda file: file.suffix)


@pytest.fixture(scope="module")
def python(built: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The interpreter of a new environment that holds the wheel."""
    folder = tmp_path_factory.mktemp("wheel") / "env"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)  # else the working tree could be taken for what is installed
        command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(built[1])]
        subprocess.run(command, check=True)
        yield python


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sick run, written by this process."""
    folder = tmp_path_factory.mktemp("logs")
    write(folder / "run", nan_from=100)
    return folder


def test_the_wheel_says_what_it_is(built: list[Path]) -> None:
    """It has the licences of all that it holds, the version of the code, and pictures with absolute addresses."""
    with zipfile.ZipFile(built[1]) as wheel:
        texts = {name.rpartition("dist-info/")[2]: name for name in wheel.namelist()}
        metadata = wheel.read(texts["METADATA"]).decode()
        licenses = wheel.read(texts["licenses/tb_weightwatch/static/licenses.txt"]).decode()
    assert "licenses/LICENSE" in texts
    assert "preact 11" in licenses and "uplot 1" in licenses and licenses.count("Permission is hereby granted") == 2
    assert "\nLicense-Expression: Apache-2.0 AND MIT\n" in metadata
    assert f"\nVersion: {ww.__version__}\n" in metadata
    assert f"\nProject-URL: Repository, {REPOSITORY}\n" in metadata
    page, picture = f"{REPOSITORY}/blob/v{ww.__version__}/docs/", f"{REPOSITORY}/raw/v{ww.__version__}/docs/images/"
    assert f"]({page}clinic.md)" in metadata and f"]({picture}panel.png)" in metadata
    assert "](docs/" not in metadata and '="docs/' not in metadata


def test_the_source_distribution_holds_all_sources(built: list[Path]) -> None:
    """The panel can be built and the tests can be run from it, and nothing in it tells of the machine that made it."""
    with tarfile.open(built[0]) as sdist:
        members = sdist.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    if (release.ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files"], cwd=release.ROOT, check=True, capture_output=True, text=True)
        assert {name for name in listed.stdout.split() if name not in (".gitignore", ".ci/run")} - names == set()
    assert "node_modules" not in "".join(names)
    assert {(member.uname, member.uid, member.mtime) for member in members} == {("", 0, release.commit_time())}


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
