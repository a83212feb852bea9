"""A log directory to review, with names that try to be markup; and reviews that were made by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tb_weightwatch import cli
from tb_weightwatch.cli.review_result import Job, JobResult, LaunchResult, Review
from tb_weightwatch.verdict import Diagnosis
from tests.support import synthetic_runs
from tests.support.third_party_logs import RECORDED

NAMES = ("\x1b[31mred", "\u202eevil", "<b>x</b>|@you `y` [l](https://x.y)")


def write(path: Path) -> Path:
    """Writes runs of each status, logs of another tool, and a damaged file; returns the directory."""
    synthetic_runs.write(path / "healthy", 160)
    synthetic_runs.write(path / "sick|a", 160, nan_from=81, variables=NAMES)
    synthetic_runs.write(path / "short", 8)
    shutil.copytree(RECORDED, path / "third")
    (path / "noise").mkdir()
    (path / "noise" / "events.out.tfevents.1.noise").write_bytes(b"noise" * 99)
    return path


def review_of(diagnosis: Diagnosis, runs: int = 1) -> Review:
    """Returns a review of so many launches with this diagnosis."""
    jobs = [Job("logs", f"run-{index}", f"logs/run-{index}", 1) for index in range(runs)]
    launches = (
        LaunchResult(job, "a1", 1.0, "ended", "ended after 96 steps", diagnosis, None, {}, {}, "") for job in jobs
    )
    return Review([JobResult(launch.job, [launch]) for launch in launches], "warning")


def printed(logs: Path, name: str, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Returns what `review --format` prints."""
    cli.main(["review", "--format", name, *options, str(logs)])
    return capsys.readouterr().out
