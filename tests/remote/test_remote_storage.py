"""Remote log directories (s3:// and gs://, from real local servers) and remote workers (Apache Beam).

They need further packages (`tests/requirements-remote.txt`): `WW_REMOTE=1 ./tests/run` installs them into
an environment of their own, without TensorFlow; `WW_REMOTE_PYTHON` names another interpreter.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import synthetic_runs
from tests.support.tensorboard_process import free_port, get
from tests.support.third_party_logs import RECORDED

ROOT = Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("WW_REMOTE_PYTHON", str(ROOT / ".venv" / "remote" / "bin" / "python"))
needs_packages = pytest.mark.skipif(
    not Path(PYTHON).exists(), reason="needs tests/requirements-remote.txt: WW_REMOTE=1 ./tests/run"
)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy run, a sick one, one of PyTorch, and one that is truncated."""
    path = tmp_path_factory.mktemp("remote") / "logs"
    synthetic_runs.write(path / "healthy", 80)
    synthetic_runs.write(path / "deep" / "sick", 80, nan_from=50)
    (path / "torch").mkdir()
    (file,) = (RECORDED / "torch-stops").iterdir()
    (path / "torch" / file.name).write_bytes(file.read_bytes())
    (path / "broken").mkdir()
    (path / "broken" / file.name).write_bytes(file.read_bytes()[:-9])
    return path


def weightwatch(*arguments: str, python: str = PYTHON, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "tb_weightwatch", *arguments],
        capture_output=True, text=True, timeout=200, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


def reviewed(process: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Returns what `--format json` printed, without the log directory."""
    assert process.returncode == 1, process.stderr
    launches = json.loads(process.stdout)["launches"]
    return [{key: value for key, value in one.items() if key != "logdir"} for one in launches]


@pytest.fixture(scope="module")
def expected(logs: Path) -> list[dict[str, Any]]:
    found = reviewed(weightwatch("review", "--format", "json", str(logs), python=sys.executable))
    assert [one["run"] for one in found] == ["broken", "deep/sick", "healthy", "torch"]
    return found


@contextlib.contextmanager
def serving(command: list[str], address: str) -> Iterator[str]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                get(address)
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def send(method: str, url: str, data: bytes = b"", kind: str = "application/octet-stream") -> None:
    request = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status in (200, 201)


def files(logs: Path) -> Iterator[tuple[str, bytes]]:
    for file in logs.rglob("*tfevents*"):
        yield f"logs/{file.relative_to(logs).as_posix()}", file.read_bytes()


@needs_packages
def test_s3_is_read_as_a_directory_is(logs: Path, expected: list[dict[str, Any]]) -> None:
    """From a real S3 server (moto), `review` gives what it gives for the same files on disk."""
    port = free_port()
    with serving([PYTHON, "-m", "moto.server", "-p", str(port)], f"http://127.0.0.1:{port}") as address:
        send("PUT", f"{address}/bucket")
        for name, data in files(logs):
            send("PUT", f"{address}/bucket/{urllib.parse.quote(name)}", data)
        where = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
        where |= {"S3_ENDPOINT": address, "AWS_ENDPOINT_URL": address}
        done = weightwatch("review", "--format", "json", "s3://bucket/logs", **where)
        assert reviewed(done) == expected
        assert "not all could be read" in done.stderr
        alone = weightwatch("review", "--format", "json", "s3://bucket/logs/deep/sick", **where)
        assert [one["run"] for one in reviewed(alone)] == ["."]
        both = ("s3://bucket/logs/healthy", "s3://bucket/logs/deep/sick")
        assert json.loads(weightwatch("compare", "--format", "json", *both, **where).stdout)["first_step"] == 57
        report = weightwatch("report", "s3://bucket/logs", "-o", str(logs.parent / "report.html"), **where)
        assert (report.returncode, "4 runs" in report.stdout) == (0, True), report.stderr
        missing = weightwatch("review", "s3://bucket/nowhere", **where)
        assert (missing.returncode, "there is no log directory" in missing.stderr) == (2, True)
    gone = weightwatch("review", "s3://bucket/logs", **where, AWS_MAX_ATTEMPTS="1")
    assert (gone.returncode, "cannot be reached" in gone.stderr, "Traceback" in gone.stderr) == (2, True, False)


@needs_packages
def test_gs_is_read_as_a_directory_is(logs: Path, expected: list[dict[str, Any]]) -> None:
    """So it does from a Google Cloud Storage server, through fsspec, which TensorBoard uses without TensorFlow."""
    port = free_port()
    command = [str(Path(PYTHON).parent / "gcp-storage-emulator"), "start", "--host=127.0.0.1", f"--port={port}"]
    with serving([*command, "--in-memory", "--default-bucket=bucket"], f"http://127.0.0.1:{port}") as address:
        for name, data in files(logs):
            query = urllib.parse.urlencode({"uploadType": "media", "name": name})
            send("POST", f"{address}/upload/storage/v1/b/bucket/o?{query}", data)
        done = weightwatch("review", "--format", "json", "gs://bucket/logs", STORAGE_EMULATOR_HOST=address)
        assert reviewed(done) == expected


def test_an_unknown_scheme_is_an_error() -> None:
    """A scheme for which no package is installed gives exit code 2 and a sentence without a traceback."""
    done = weightwatch("review", "nowhere://bucket/logs", python=sys.executable)
    assert (done.returncode, "nowhere://bucket/logs" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


@needs_packages
@pytest.mark.parametrize("options", [(), ("direct_num_workers=2", "direct_running_mode=multi_processing")])
def test_a_pipeline_gives_the_results_of_a_process(
    logs: Path, expected: list[dict[str, Any]], options: tuple[str, ...]
) -> None:
    """Apache Beam's local runner, in one process and in two, gives exactly the same results."""
    beam = [part for option in options for part in ("--beam", option)]
    done = weightwatch("review", "--format", "json", "--runner", "DirectRunner", *beam, str(logs))
    assert reviewed(done) == expected
    assert "not all could be read" in done.stderr


@needs_packages
def test_a_remote_pipeline_needs_a_temporary_location(logs: Path) -> None:
    """A runner on other machines needs a location for its results."""
    done = weightwatch("review", "--runner", "DataflowRunner", str(logs))
    assert (done.returncode, "temp_location" in done.stderr) == (2, True)


def test_without_beam_the_error_says_what_to_install(logs: Path) -> None:
    """Without Beam the exit code is 2, and the error names the extra; Beam's options need a runner."""
    done = weightwatch("review", "--runner", "DirectRunner", str(logs), python=sys.executable)
    assert (done.returncode, "pip install 'tb-weightwatch[beam]'" in done.stderr) == (2, True)
    done = weightwatch("review", "--beam", "region=x", str(logs), python=sys.executable)
    assert (done.returncode, "needs --runner" in done.stderr) == (2, True)
