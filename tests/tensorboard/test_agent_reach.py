"""`weightwatch mcp`: what a coding agent cannot reach, and what the command needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tb_weightwatch import cli
from tb_weightwatch.cli.agent_server.log_directory import LogDirectory
from tb_weightwatch.cli.agent_server.tools import RunTools
from tests.support import served_runs


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_runs.write(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def tools(logs: Path) -> RunTools:
    return RunTools(LogDirectory(str(logs)))


@pytest.mark.parametrize("link", ["linked", "linked-part", "linked-file"])
def test_links_that_lead_outside_are_refused(tools: RunTools, link: str) -> None:
    """A run, a part of it or a file that lies outside of the log directory is neither listed nor read."""
    assert link not in [run["run"] for run in tools.list_runs()["runs"]]
    for call in (tools.diagnose_run, tools.list_columns):
        with pytest.raises(ValueError, match="there is no run"):
            call(link)
    with pytest.raises(ValueError, match="there is no run"):
        tools.compare_runs("wide", link)


@pytest.mark.parametrize("run", ["../outside/secret", "wide/../../outside/secret", "/etc", "{outside}", "", "..", "\0"])
def test_paths_are_refused(tools: RunTools, logs: Path, run: str) -> None:
    """A run is a name that was listed; no path, relative or absolute, is one."""
    name = run.replace("{outside}", str(logs.parent / "outside" / "secret"))
    with pytest.raises(ValueError, match="there is no run"):
        tools.read_column(name, "loss")


def test_a_log_directory_that_is_a_link_is_served(logs: Path, tmp_path: Path) -> None:
    """What the user has named may be a link itself."""
    (tmp_path / "link").symlink_to(logs, target_is_directory=True)
    served = RunTools(LogDirectory(str(tmp_path / "link")))
    assert {"wide", "sick"} <= {run["run"] for run in served.list_runs()["runs"]}


def test_a_path_that_is_no_directory(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says so with exit code 2; so it does if the package mcp is missing."""
    pytest.importorskip("mcp")
    assert cli.main(["mcp", str(logs / "nowhere")]) == 2
    assert "expected a local log directory" in capsys.readouterr().err


def test_without_the_extra(logs: Path) -> None:
    """One line says what to install."""
    code = "import sys; sys.modules['mcp'] = None; from tb_weightwatch.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, "mcp", str(logs)], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'tb-weightwatch[mcp]'" in done.stderr
