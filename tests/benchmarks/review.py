"""Reviewing many runs: time and memory against a plain read of the bytes and TensorBoard's own load of the same files.

python -m tests.benchmarks.review --runs 1000 --jobs 1 2
python -m tests.benchmarks.review --gigabytes 10 --models /tmp/models   # as many runs as make up so much

A few runs are written once (ours with 200 variables; Keras' callback's kind of scalars and histograms) and linked as
often as asked, so a thousand runs need no 10 GB of disk, and all contestants read from the page cache alike. On a
machine that is shared, processor time tells more than the clock.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PLAIN = """
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            while file.read(1 << 20):
                pass
"""
TENSORBOARD = """
import sys
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
multiplexer = EventMultiplexer(tensor_size_guidance={"weightwatch": 1, "scalars": 1000, "histograms": 500})
multiplexer.AddRunsFromDirectory(sys.argv[1])
multiplexer.Reload()
assert multiplexer.Runs()
"""


def write(path: Path, variables: int, steps: int) -> None:
    """Writes the models of all runs: "ours", as the recorder does, and "curves", as Keras' callback does."""
    import tensorflow as tf

    from tests.support import synthetic_runs

    names = tuple(f"block_{i // 4}/dense_{i // 2}/{'bias' if i % 2 else 'kernel'}" for i in range(variables))
    synthetic_runs.write(path / "ours", steps, variables=names, burst=64)
    rng = np.random.default_rng(0)
    with tf.summary.create_file_writer(str(path / "curves")).as_default():
        for step in range(steps):
            tf.summary.scalar("batch_loss", 2.0 * 0.999**step, step=step)
            tf.summary.scalar("batch_accuracy", 1 - 0.999**step, step=step)
            for name in names if step % (steps // 30) == 0 else ():
                tf.summary.histogram(f"{name}/histogram", rng.normal(size=500), step=step)


def linked(models: Path, runs: int, path: Path) -> int:
    """Links the models as often as asked, by turns, and returns the bytes in all."""
    total = 0
    for number in range(runs):
        model = models / ("ours", "curves")[number % 2]
        for file in model.rglob("*tfevents*"):
            target = path / f"run_{number:05}" / file.relative_to(model)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, target)
            total += file.stat().st_size
    return total


def measured(command: list[str]) -> tuple[float, float, float, str]:
    """Returns seconds, seconds of processors (of all its processes), the peak of the largest process in MB, and an end.

    The end is "" unless the machine killed it, as Linux does with what needs more memory than there is.
    """
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    killed = process.returncode == -signal.SIGKILL
    if process.returncode not in (0, 1) and not killed:
        raise RuntimeError(f"{command[:4]} ended with {process.returncode}")
    end = "  killed before it was done" if killed else ""
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, end


def one_log(model: Path) -> str:
    """Returns how long one third-party log takes, by the processor: medians of five."""
    from tb_weightwatch import answers, reader
    from tb_weightwatch.reader.record_file import local_record_batches

    (file,) = model.rglob("*tfevents*")
    reading, judging = [], []
    for _ in range(5):
        started = time.process_time()
        (launch,) = reader.launches(model)
        reading.append(time.process_time() - started)
        answers.safe_diagnose(launch.history)
        judging.append(time.process_time() - started)
    events = sum(map(len, local_record_batches(str(file), file.stat().st_size)))
    return (
        f"one third-party log, {events:,} events, {file.stat().st_size / 1e6:.1f} MB: {np.median(reading):.2f} s to "
        f"read, {np.median(judging):.2f} s with its diagnosis (processor time)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--gigabytes", type=float, help="as many runs as make up so much, in place of --runs")
    parser.add_argument("--models", type=Path, help="a folder in which the runs that are linked stay for the next time")
    parser.add_argument("--variables", type=int, default=200)
    parser.add_argument("--steps", type=int, default=3400)
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, len(os.sched_getaffinity(0))])
    parser.add_argument("--no-tensorboard", action="store_true", help="leave out TensorBoard's own load")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        models, logs = options.models or Path(folder) / "models", Path(folder) / "logs"
        # Elsewhere: what a process held before it becomes another one counts as its peak, TensorFlow included.
        if not models.exists():
            spawn = multiprocessing.get_context("spawn")
            writing = spawn.Process(target=write, args=(models, options.variables, options.steps))
            writing.start()
            writing.join()
        print(one_log(models / "curves"), flush=True)
        if options.gigabytes:
            pair = sum(file.stat().st_size for file in models.rglob("*tfevents*"))
            options.runs = round(2e9 * options.gigabytes / pair)
        size = linked(models, options.runs, logs)
        print(f"{options.runs:,} runs, {size / 1e6:,.0f} MB, load average {os.getloadavg()[0]:.1f}", flush=True)
        python = [sys.executable, "-c"]
        ways = {"plain read": [*python, PLAIN, str(logs)]}
        if not options.no_tensorboard:
            ways["TensorBoard's own load"] = [*python, TENSORBOARD, str(logs)]
        for jobs in options.jobs:
            review = [sys.executable, "-m", "tb_weightwatch", "review", "--format", "json"]
            review += ["--jobs", str(jobs), str(logs)]
            ways[f"review, {jobs} process{'' if jobs == 1 else 'es'}"] = review
        for name, command in ways.items():
            seconds, busy, peak, end = measured(command)
            rate = f"{size / 1e6 / seconds:8.0f} MB/s" if not end else ""
            print(f"{name:24} {seconds:8.1f} s {rate}  processors {busy:8.1f} s  peak {peak:6.0f} MB{end}", flush=True)


if __name__ == "__main__":
    main()
