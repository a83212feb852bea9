"""The whole sweep: trains what is missing in worker processes, judges all of it, says and writes down what came out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.document_tables import replace_block

from .draw import draw

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "tests" / "output" / "clinic"
PAGE = ROOT / "docs" / "clinic.md"
HEALTHY, SICK = 250, 382  # programs
UNDER_FIT, BY_HAND = 2, 6  # runs of a healthy one: each fit is traced anew, a loop's step only once
EACH = 48  # trainings of one process, to spare TensorFlow's import


def drawn_names(healthy: int = HEALTHY, sick: int = SICK) -> list[str]:
    """Returns the runs, kinds mixed so that a sweep that was stopped early has some of each."""
    order = []
    for i in range(healthy):
        runs = UNDER_FIT if draw("healthy", i).loop == "fit" else BY_HAND
        order.append(((i + 0.5) / healthy, [f"healthy-{i:03}.{k}" for k in range(runs)]))
    order += [((i + 0.5) / sick, [f"sick-{i:03}.0"]) for i in range(sick)]
    return [name for _, group in sorted(order) for name in group]


def program_names(parts: list[str]) -> list[str]:
    """Returns the programs, as runs; see `chosen` for `parts`."""
    from tests.clinic.programs import chosen

    return [f"program-{one.name}" for one in chosen(parts)]


def results(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Returns the lines written so far, by name of the run."""
    file = folder / "runs.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return {line["name"]: line for line in map(json.loads, lines)}


def train(folder: Path, wanted: list[str], jobs: int) -> Iterator[int]:
    """Trains what has no line yet, in that many processes, and yields how many have one."""
    folder.mkdir(parents=True, exist_ok=True)
    quiet = {"PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3"}
    while missing := [name for name in wanted if name not in results(folder)]:
        # Each with names that follow one another: repeats of a program share its traced step.
        batches = [missing[i : i + EACH] for i in range(0, len(missing), EACH)][:jobs]
        workers = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.clinic.sweep.train", str(folder), *batch],
                cwd=ROOT, env=os.environ | quiet, stdout=subprocess.DEVNULL, stderr=(folder / "errors.txt").open("a"),
            )
            for batch in batches
        ]  # fmt: skip
        while any(worker.poll() is None for worker in workers):
            time.sleep(1)
            yield len(results(folder).keys() & set(wanted))
        for worker, batch in zip(workers, batches, strict=True):
            lost = next((name for name in batch if name not in results(folder)), None)
            if lost:  # the process died of it: written down, and the others go on
                with (folder / "runs.jsonl").open("a") as file:
                    file.write(json.dumps({"name": lost, "lost": f"exit code {worker.returncode}"}) + "\n")
        yield len(results(folder).keys() & set(wanted))


def main(arguments: list[str]) -> int:
    """Trains what is missing (not with --judge), judges, prints the tables, and updates docs/clinic.md with --write."""
    from rich.progress import Progress

    from . import report, tables

    parts = [a for a in arguments if not a.startswith("-")]
    jobs = next((int(a.removeprefix("--jobs=")) for a in arguments if a.startswith("--jobs=")), os.cpu_count() or 1)
    wanted = program_names(parts) + (drawn_names() if "--sweep" in arguments else [])
    with Progress() as bar:
        if "--judge" not in arguments:
            task = bar.add_task("training", total=len(wanted))
            for done in train(FOLDER, wanted, jobs):
                bar.update(task, completed=done)
        # Drawn runs that are there are judged with the rest, but not where a part was asked for.
        known = {n: line for n, line in results().items() if n in wanted or not (parts or n.startswith("program-"))}
        task = bar.add_task("judging", total=len(known))
        found, left = report.outcomes(FOLDER, known, lambda done: bar.update(task, completed=done + 1))
    lines = tables.tables(found, left)
    print("\n".join(lines))
    if "-v" in arguments:
        print("\n".join(tables.wrong(found)))
    if "--write" in arguments:
        from . import calibration

        replace_block(PAGE, "clinic", "\n".join(lines))
        calibration.main(["--write"])
    return sum(not one.right for one in found if one.group in report.HAND)
