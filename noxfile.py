"""Checks that need environments of their own.

pip install nox uv                  into any environment; then:
nox -s versions                     the core of the tests with each combination of versions; writes docs/versions.md
nox -s "versions(oldest)"           one combination; nox --list shows all
nox -s release                      makes wheel and sdist, checks them and tries them out: all but the upload

An environment is removed after use, because one with TensorFlow takes 1.5 GB; `-- keep` keeps it for `nox -R`,
and leaves the page as it is.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))
from tests import release, versions  # noqa: E402

nox.options.default_venv_backend = "uv"
nox.options.sessions = ["versions"]
# pyenv's shims are on the path for each Python, but fail for those that are not selected.
_pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
os.environ["PATH"] = os.pathsep.join([*map(str, sorted(_pyenv.glob("3.1[0-9].*/bin"))), os.environ["PATH"]])

_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(ROOT)}


@nox.session(name="versions")
@nox.parametrize(
    "python,environment",
    [nox.param(each.python, each, id=each.name) for each in versions.ENVIRONMENTS],
)
def check_versions(session: nox.Session, environment: versions.Environment) -> None:
    """Runs the core of the tests with one combination of versions, and writes its row of docs/versions.md."""
    try:
        session.install("-e", ".", *environment.requirements, *versions.TEST_REQUIREMENTS)
        failed = _run_core(session, environment)
    finally:
        if "keep" not in session.posargs:
            shutil.rmtree(session.virtualenv.location, ignore_errors=True)
    if failed:
        session.error(f"{failed} tests failed with {environment.name}")


def _run_core(session: nox.Session, environment: versions.Environment) -> int:
    """Runs the tests, writes the row, and returns how many failed."""
    results = Path(session.create_tmp()) / "results.xml"
    results.unlink(missing_ok=True)
    begin = time.monotonic()
    session.run(
        "python", "-m", "pytest", *environment.tests, "-p", "no:cacheprovider", f"--junitxml={results}",
        env=_ENVIRONMENT, success_codes=[0, 1],
    )  # fmt: skip
    seconds = time.monotonic() - begin
    totals = next(iter(ElementTree.parse(results).getroot().iter("testsuite"))).attrib
    failed = int(totals["failures"]) + int(totals["errors"])
    passed = int(totals["tests"]) - failed - int(totals["skipped"])
    installed = session.run("python", "-c", versions.PRINT_INSTALLED, silent=True)
    if "keep" not in session.posargs:  # as CI does, which leaves no trace
        result = f"{passed} passed" + (f", **{failed} failed**" if failed else "")
        versions.write_row(environment, str(installed), result, f"{seconds:.0f} s")
    return failed


@nox.session(name="release", python="3.11")
def make_release(session: nox.Session) -> None:
    """Makes wheel and sdist twice, compares, checks and tries them out. `-- REPOSITORY EMAIL`: of the project."""
    repository, email = (*session.posargs, "", "")[:2]
    if not repository.startswith("https://") or "@" not in email:
        session.error(
            "say where the repository is, so that links lead there, and who answers for it: "
            "nox -s release -- https://HOST/OWNER/NAME EMAIL"
        )
    session.env.update(WW_REPOSITORY=repository, WW_EMAIL=email)
    session.install("build", "twine", "check-wheel-contents", "pyroma", "setuptools>=77")
    first, second = (release.build(session.run, Path(session.create_tmp()) / name) for name in ("first", "second"))
    release.compare(first, second)
    sdist, wheel = sorted(first, key=lambda file: file.suffix == ".whl")
    session.run("twine", "check", "--strict", str(sdist), str(wheel))
    session.run("check-wheel-contents", str(wheel))
    session.run("pyroma", "--min", "10", str(sdist))
    for python in release.PYTHONS:
        _try_out(session, python, str(sdist))
        _try_out(session, python, str(wheel), "tensorflow" if sys.platform != "linux" else "tensorflow-cpu")
    for file in release.keep(first):
        session.log(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes")


def _try_out(session: nox.Session, python: str, *packages: str) -> None:
    """Installs packages into a fresh environment and trains, reviews and looks at the panel there."""
    folder = Path(session.create_tmp()) / "try_out"
    session.run("uv", "venv", "--quiet", "--clear", "--python", python, str(folder), external=True)
    session.run("uv", "pip", "install", "--quiet", "--python", str(folder), *packages, external=True)
    program = shutil.copy(ROOT / "tests" / "try_out.py", session.create_tmp())  # without the repository beside it
    environment = {name: value for name, value in _ENVIRONMENT.items() if name != "PYTHONPATH"}
    session.run(str(folder / "bin" / "python"), program, external=True, env=environment)
    shutil.rmtree(folder)
