"""Real TensorBoard processes, for tests, screenshots and benchmarks."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str) -> tuple[int, bytes]:
    """Returns status and body, also of an error answer."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def get_json(url: str) -> Any:
    status, body = get(url)
    assert status == 200, f"{url}: {status} {body[:300]!r}"
    return json.loads(body)


# TensorBoard as it is where TensorFlow is not installed: it then takes what it needs from its own stand-in.
BARE = "import sys; sys.modules['tensorflow'] = None; from tensorboard.main import run_main; run_main()"


@contextlib.contextmanager
def tensorboard(
    logdir: Path | str, *flags: str, python: str = sys.executable, tensorflow: bool = True, log: Path | None = None
) -> Iterator[str]:
    """Runs a real TensorBoard on `logdir`, with or without TensorFlow, and yields its address, once it answers.

    Args:
        logdir: its log directory.
        flags: its other flags.
        python: runs it.
        tensorflow: whether it finds TensorFlow.
        log: gets what it writes to its console.
    """
    port = free_port()
    prefix = next((f.split("=", 1)[1] for f in flags if f.startswith("--path_prefix=")), "")
    program = ["-m", "tensorboard.main"] if tensorflow else ["-c", BARE]
    command = [python, *program, "--port", str(port), "--host", "127.0.0.1"]
    where = [] if any(f.startswith("--logdir") for f in flags) else ["--logdir", str(logdir)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    # The console is a file: a pipe that nobody reads fills up, and TensorBoard then waits forever.
    with log.open("w+") if log else tempfile.TemporaryFile("w+") as console:
        process = subprocess.Popen(
            [*command, *where, "--reload_interval", "1", *flags],
            stdout=subprocess.DEVNULL, stderr=console, env=environment,
        )  # fmt: skip
        try:
            _wait_until_up(process, address := f"http://127.0.0.1:{port}{prefix}", console)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_up(process: subprocess.Popen[bytes], address: str, console: IO[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            console.seek(0)
            raise RuntimeError(f"TensorBoard ended: {console.read()}")
        with contextlib.suppress(OSError, AssertionError):
            get_json(f"{address}/data/environment")
            return
        time.sleep(0.1)


def wait_for_runs(address: str, count: int, seconds: float = 30) -> Any:
    """Returns the plugin's answer to `runs` once it lists at least `count` runs."""
    deadline = time.monotonic() + seconds
    while True:
        answer = get_json(f"{address}/data/plugin/weightwatch/runs")
        if len(answer["runs"]) >= count:
            return answer
        assert time.monotonic() < deadline, f"expected {count} runs, got {answer}"
        time.sleep(0.2)
