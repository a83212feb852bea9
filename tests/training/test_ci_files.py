"""The GitHub Action and the pre-commit hook of the repository, their scripts run as written."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import synthetic_runs
from tests.training.test_preflight_command import MODULE

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / ".github" / "actions" / "weightwatch"
_EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")


def action() -> dict[str, Any]:
    return yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))


def run_step(
    name: str, inputs: dict[str, str], folder: Path, **environment: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Runs a step of the action as GitHub's runner does, and returns the process and the step's outputs."""
    (step,) = [one for one in action()["runs"]["steps"] if one["name"] == name]
    given = {key: inputs.get(key, str(value.get("default", ""))) for key, value in action()["inputs"].items()}
    context = {**{f"inputs.{key}": value for key, value in given.items()}, "github.action_path": str(ACTION)}
    variables = {k: _EXPRESSION.sub(lambda match: context[match[1]], v) for k, v in step["env"].items()}
    output, summary, script = folder / "output", folder / "summary", folder / "step.sh"
    for file in (output, summary):
        file.write_text("")
    script.write_text(step["run"])
    runner = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(folder)}
    assert step["shell"] == "bash"
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    everything = {**os.environ, "PYTHONPATH": str(ROOT), **runner, **variables, **environment}
    process = subprocess.run(shell, capture_output=True, text=True, cwd=folder, env=everything)
    return process, dict(line.split("=", 1) for line in output.read_text().splitlines())


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs of an action")
    synthetic_runs.write(path / "healthy", 160)
    synthetic_runs.write(path / "sick", 160, nan_from=81)
    return path


@pytest.mark.parametrize(
    ("inputs", "code", "exit_code"),
    [
        ({}, 1, "1"),
        ({"fail-on": "error"}, 1, "1"),
        ({"fail-on": "never"}, 0, "1"),
        ({"run": "heal*"}, 0, "0"),
        ({"logdir": "nowhere"}, 2, "2"),
        ({"logdir": "nowhere", "fail-on": "never"}, 2, "2"),
    ],
)
def test_the_action_fails_as_asked(
    inputs: dict[str, str], code: int, exit_code: str, logs: Path, tmp_path: Path
) -> None:
    """A sick run fails the job unless it must never fail; a log that cannot be read always does."""
    process, outputs = run_step("Review the runs", {"logdir": str(logs), **inputs}, tmp_path)
    assert (process.returncode, outputs["exit-code"]) == (code, exit_code), process.stderr
    assert ("sarif" in outputs) == (exit_code != "2")


def test_the_action_writes_sarif_and_a_summary(logs: Path, tmp_path: Path) -> None:
    """The summary of the job is the Markdown, and the SARIF file points at the program."""
    inputs = {"logdir": str(logs), "program": "src/train.py", "sarif": "found here.sarif"}
    process, outputs = run_step("Review the runs", inputs, tmp_path)
    assert "SICK" in process.stdout
    (run,) = json.loads((tmp_path / outputs["sarif"]).read_text(encoding="utf-8"))["runs"]
    assert "src/train.py" in json.dumps(run["results"])
    assert (tmp_path / "summary").read_text().startswith("### Weight watch: 1 sick, 1 healthy")


def test_no_input_is_a_command(logs: Path, tmp_path: Path) -> None:
    """Inputs that look like commands or options are names."""
    for name in ("logdir", "run", "program"):
        evil = {"logdir": str(logs), name: "$(touch hacked); `touch hacked` --version"}
        run_step("Review the runs", evil, tmp_path)
    assert not (tmp_path / "hacked").exists()
    scripts = [step["run"] for step in action()["runs"]["steps"]]
    assert not [script for script in scripts if "${{" in script]
    process, _ = run_step("Review the runs", {"logdir": "--version"}, tmp_path)
    assert process.returncode == 2


def test_the_action_installs_this_repository(tmp_path: Path) -> None:
    """By default pip gets the folder of the repository in which the action lies; another package on request."""
    unwanted = shutil.ignore_patterns(".venv", ".git", "node_modules", "build", "*.egg-info", "logs", "output")
    copy = shutil.copytree(ROOT, tmp_path / "copy", ignore=unwanted, symlinks=True)
    pip = {"PIP_DRY_RUN": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_IGNORE_INSTALLED": "1"}
    pip |= {"PIP_QUIET": "0", "ACTION": str(copy / ".github" / "actions" / "weightwatch"), "PIP_NO_INDEX": "1"}
    process, _ = run_step("Install weightwatch", {}, tmp_path, **pip)
    assert process.returncode == 0, process.stderr
    process, _ = run_step("Install weightwatch", {"package": "no-such-package==1"}, tmp_path, **pip)
    assert process.returncode == 1 and "no-such-package" in process.stderr


# -- the pre-commit hook


def test_the_hook_checks_the_model(tmp_path: Path) -> None:
    """The hook's entry, with the function as its argument and without names of files, runs in the repository."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["pass_filenames"] is False
    (tmp_path / "program_to_check.py").write_text(MODULE)
    command = [*shlex.split(hook["entry"]), "program_to_check:frozen"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert process.returncode == 1, process.stderr
    assert "fix:" in process.stdout
