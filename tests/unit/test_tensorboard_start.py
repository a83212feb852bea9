"""Whether the installed TensorBoard can start is told before it fails."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

import tb_weightwatch as ww
from tb_weightwatch.cli.arguments import parser
from tb_weightwatch.cli.review import review
from tb_weightwatch.notebook import start_problem, tensorboard_start
from tests.support.synthetic_runs import write


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The versions that seem to be installed; without setuptools in it there is no pkg_resources."""
    versions = {"tensorboard": "2.20.0", "setuptools": "82.0.1", "numpy": "2.4.6"}

    def version(package: str) -> str:
        if package not in versions:
            raise importlib.metadata.PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(tensorboard_start, "version", version)
    old = lambda name: object() if versions.get("setuptools", "99") < "82" else None  # noqa: E731
    monkeypatch.setattr(tensorboard_start, "find_spec", old)
    return versions


@pytest.mark.parametrize(
    ("tensorboard", "setuptools", "numpy", "told"),
    [
        ("2.20.0", "82.0.1", "2.4.6", ("TensorBoard 2.20.0 cannot start", "82.0.1", "pip install 'setuptools<82'")),
        ("2.18.0", None, "2.0.2", ("TensorBoard 2.18.0 cannot start", "installed: none")),
        ("2.16.2", "81.0.0", "2.0.2", ("NumPy 2.0.2", "numpy<2")),
        ("2.16.2", "81.0.0", "1.26.4", ()),
        ("2.21.0", "84.2.1", "2.4.6", ()),
        ("2.22.0a1", None, "2.4.6", ()),
        ("nightly", None, "2.4.6", ()),
    ],
)
def test_it_is_told_what_to_install(
    tensorboard: str, setuptools: str | None, numpy: str, told: tuple[str, ...], installed: dict[str, str]
) -> None:
    """TensorBoard below 2.21 needs pkg_resources, which setuptools 82 removed; 2.16 needs NumPy 1."""
    installed |= {"tensorboard": tensorboard, "numpy": numpy}
    installed.pop("setuptools")
    installed |= {} if setuptools is None else {"setuptools": setuptools}
    problem = start_problem()
    assert bool(problem) == bool(told)
    assert all(part in problem for part in told)


def test_this_environment_has_no_problem() -> None:
    """The tests start TensorBoard, so it can start."""
    assert start_problem() == ""


def test_show_and_review_say_so(tmp_path: Path, installed: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """They are what comes before opening the panel; the answers themselves need no TensorBoard that starts."""
    write(tmp_path / "run", nan_from=100)
    ww.show(tmp_path)
    assert "pip install 'setuptools<82'" in capsys.readouterr().out
    options = parser().parse_args(["review", str(tmp_path), "--jobs", "1"])
    options.owns_process = False
    review(options)
    shown = capsys.readouterr()
    assert "SICK" in shown.out and "pip install 'setuptools<82'" in shown.err
