"""The whole sweep: trains what is missing in worker processes, judges all of it, and says what came out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "output" / "clinic"
HEALTHY, REPEATS, SICK = 150, 3, 164
EACH = 24  # trainings of one process, to spare TensorFlow's import


def names(healthy: int = HEALTHY, repeats: int = REPEATS, sick: int = SICK) -> list[str]:
    """Returns the runs, kinds mixed so that a sweep that was stopped early has some of each."""
    groups = [[f"healthy-{i:03}.{k}" for k in range(repeats)] for i in range(healthy)]
    order = [((i + 0.5) / len(groups), group) for i, group in enumerate(groups)]
    order += [((i + 0.5) / sick, [f"sick-{i:03}.0"]) for i in range(sick)]
    return [name for _, group in sorted(order) for name in group]


def results(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Returns the lines written so far, by name of the run."""
    file = folder / "runs.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return {line["name"]: line for line in map(json.loads, lines)}


def train(folder: Path, wanted: list[str]) -> Iterator[int]:
    """Trains what has no line yet, one process after the other, and yields how many have one."""
    folder.mkdir(parents=True, exist_ok=True)
    while missing := [name for name in wanted if name not in results(folder)]:
        batch = missing[:EACH]
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.clinic.sweep.train", str(folder), *batch],
            stdout=subprocess.DEVNULL, stderr=(folder / "errors.txt").open("a"), env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        while worker.poll() is None:
            time.sleep(1)
            yield sum(name in results(folder) for name in wanted)
        lost = next((name for name in batch if name not in results(folder)), None)
        if lost:  # the process died of it: written down, and the others go on
            with (folder / "runs.jsonl").open("a") as file:
                file.write(json.dumps({"name": lost, "lost": f"exit code {worker.returncode}"}) + "\n")
        yield sum(name in results(folder) for name in wanted)
