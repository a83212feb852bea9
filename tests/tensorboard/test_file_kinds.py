"""Only regular files are read, and links that lead out of the log directory only if that is asked for."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from tb_weightwatch import cli, reader
from tb_weightwatch.reader import SkipCounts
from tests.support import synthetic_runs
from tests.support.event_files import event_file

NAME = "events.out.tfevents.1.kind"


def fifo(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may be a hundred characters long
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def loop(path: Path) -> None:
    path.symlink_to(path.with_name(f"{NAME}.other"))
    path.with_name(f"{NAME}.other").symlink_to(path)


def link_to_fifo(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to(path.with_name("pipe"))


KINDS = {
    "fifo": (fifo, "a named pipe"),
    "socket": (a_socket, "a socket"),
    "directory": (lambda path: path.mkdir(), "a directory"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "a device"),
    "loop": (loop, "symbolic links"),
    "link-to-fifo": (link_to_fifo, "a named pipe"),
    "gone": (lambda path: path.symlink_to(path.with_name("gone")), "No such file"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_told_and_not_read(kind: str, tmp_path: Path) -> None:
    """Pipes, sockets, devices, directories and loops of links beside a run: it is read, and they are named."""
    synthetic_runs.write(tmp_path, 24)
    make, words = KINDS[kind]
    make(tmp_path / "weightwatch" / NAME)
    skipped = SkipCounts()
    (launch,) = reader.launches(tmp_path, skipped)
    assert len(launch.history) == 24
    assert not launch.skipped
    assert words in str(skipped)
    assert [name for name, _ in reader.runs(tmp_path)] == ["."]


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a log directory, itself reached through a link, with links inside of it and links that lead out."""
    base = tmp_path_factory.mktemp("links")
    logs = base / "logs"
    for run in (logs / "run", base / "outside", base / "other"):
        synthetic_runs.write(run, 24)
    (logs / "leads-out").symlink_to(base / "outside")
    (logs / "file").mkdir()
    (logs / "file" / NAME).symlink_to(event_file(base / "other"))
    (logs / "within").mkdir()
    (logs / "within" / NAME).symlink_to(event_file(logs / "run"))
    (base / "alias").symlink_to(logs)
    return base / "alias"


def reviewed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[set[str], str]:
    """Returns the runs that a review shows, and what it says on the side."""
    assert cli.main(["review", "--format", "json", *arguments]) == 0
    shown = capsys.readouterr()
    return {launch["run"] for launch in json.loads(shown.out)["launches"]}, shown.err


def test_links_that_lead_out_are_told_and_not_followed(
    linked: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log directory may be a link, and links inside of it are followed; others on request."""
    runs, told = reviewed(capsys, str(linked))
    assert runs == {"run", "within"}
    assert told.count("leads out of the log directory") == 2
    assert "leads-out is not read" in told
    everything = {"run", "within", "leads-out", "file"}
    assert reviewed(capsys, "--follow-links", str(linked))[0] == everything
    monkeypatch.setenv("TB_WEIGHTWATCH_FOLLOW_LINKS", "1")
    assert reviewed(capsys, str(linked))[0] == everything


def test_report_and_compare_do_not_follow_them_either(
    linked: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A report has the runs that a review has; a run that is reached by a link can be named itself."""
    assert cli.main(["report", str(linked), "-o", str(tmp_path / "report.html")]) == 0
    shown = capsys.readouterr()
    assert "2 runs" in shown.out
    assert "leads out of the log directory" in shown.err
    assert cli.main(["compare", str(linked / "run"), str(linked / "leads-out")]) == 0
