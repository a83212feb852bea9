"""Tries out an installed tb_weightwatch as a new user would; `nox -s release` runs a copy of it in fresh environments.

It trains (with TensorFlow if it is installed, else through `ww.summary`), reviews the run, and fetches the panel
and its answer from TensorBoard. It runs outside of the repository: beside it, `tests/tensorboard` hides TensorBoard.
"""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

import tb_weightwatch as ww


def train(logdir: str) -> None:
    """Records a training whose learning rate is 0."""
    rng = np.random.default_rng(1)
    if importlib.util.find_spec("tensorflow"):
        import keras

        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.0), "mse")
        x = rng.normal(size=(320, 8))
        model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[ww.WeightWatch(logdir, verbose=False)])
        return
    weight = rng.normal(size=(8, 8))
    with ww.summary.create_file_writer(logdir).as_default():
        for step in range(1, 41):
            gradient = rng.normal(size=(8, 8))
            ww.summary.update(step, {"w": (gradient, weight, weight.copy())}, loss=1.0, learning_rate=0.0)


def review(logdir: str) -> None:
    """Checks the answer of the command line."""
    command = [str(Path(sys.executable).parent / "weightwatch"), "review", logdir, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "learning-rate-zero" in done.stdout, f"{done.stdout}\n{done.stderr}"


def get(address: str, seconds: float = 60) -> bytes:
    """Returns the body of an answer, once TensorBoard gives one that is not empty."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return bytes(answer.read())
        except (urllib.error.URLError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def serve(logdir: str) -> None:
    """Checks that TensorBoard serves the panel and lists the run as sick."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", logdir, "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    route = f"http://127.0.0.1:{port}/data/plugin/weightwatch"
    try:
        assert b"render" in get(f"{route}/index.js")
        runs: list[dict[str, str]] = []
        while not runs:
            runs = json.loads(get(f"{route}/runs"))["runs"]
            time.sleep(0.5)
        assert json.loads(get(f"{route}/overview?run={runs[0]['run']}"))["status"] == "sick"
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    """Does all of it, and says so."""
    with tempfile.TemporaryDirectory() as logdir:
        train(logdir)
        review(logdir)
        serve(logdir)
    print(f"tb_weightwatch {ww.__version__} in {Path(ww.__file__).parent}: training, review and panel work")


if __name__ == "__main__":
    main()
