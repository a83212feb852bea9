"""What the callback costs a new model, tracings included: each training in a process of its own, as users train.

python -m tests.benchmarks.first_minute resnet tiny                   a minute of the plain training, then as many steps
python -m tests.benchmarks.first_minute mlp --seconds 600 --beside    both at once, ten minutes, on one core each

Where other programs run beside it, durations say little: the ratio of the processor times is printed as well. With
`--beside` both trainings meet the same conditions: they change their cores every five seconds. All work of the recorder
then delays the training, as on a machine without a free core.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.callbacks import Callback

import tb_weightwatch as ww

from .__main__ import QUIET, run
from .models import SUBJECTS
from .training import batches_of, compiled


class Times(Callback):
    """Notes when steps end and when there is a diagnosis, and ends the training after so many steps or seconds."""

    def __init__(self, watch: Any, steps: int, seconds: float) -> None:
        super().__init__()
        self._watch, self._steps, self._seconds = watch, steps, seconds
        self.began, self.processor = time.perf_counter(), time.process_time()
        self.ends: list[float] = []
        self.answered: float | None = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.perf_counter()
        self.ends.append(now)
        if self.answered is None and self._watch is not None and self._watch._recorder.latest_diagnosis is not None:
            self.answered = now
        over = len(self.ends) >= self._steps if self._steps else now - self.began >= self._seconds
        self.model.stop_training |= over

    def found(self) -> dict[str, Any]:
        """Returns durations in seconds, and the number of steps."""
        first = self.ends[0]
        if "WEIGHTWATCH_ENDS" in os.environ:
            np.save(os.environ["WEIGHTWATCH_ENDS"], np.array(self.ends) - self.began)
        return {
            "steps": len(self.ends),
            "first_s": first - self.began,
            "all_s": self.ends[-1] - self.began,
            "processor_s": time.process_time() - self.processor,
            "median_ms": 1e3 * float(np.median(np.diff(self.ends))),
            "answer_s": None if self.answered is None else self.answered - first,
        }


def trained(name: str, jit: bool, recorded: bool, steps: int, seconds: float) -> dict[str, Any]:
    """Trains a new model for so many steps, or (0) so many seconds."""
    subject = SUBJECTS[name]
    model, batches = compiled(subject, jit), batches_of(subject)
    keras.utils.set_random_seed(1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        watch = ww.WeightWatch(folder, verbose=False) if recorded else None
        times = Times(watch, steps, seconds)
        model.fit(batches, verbose=0, shuffle=False, callbacks=[times] if watch is None else [watch, times])
        found = times.found()
        if watch is not None:
            budget = watch._gate.budget
            found |= {"rows": len(watch.history), "once_s": budget.one_off, "reported": budget.cost}
            watch._recorder.close()
    return found


def on_core(process: subprocess.Popen[str], core: int) -> None:
    """Has all threads of a process run on one core."""
    for task in Path(f"/proc/{process.pid}/task").glob("*"):
        with contextlib.suppress(OSError):  # a thread has ended
            os.sched_setaffinity(int(task.name), {core})


def beside(command: list[str], folder: Path) -> dict[str, Any]:
    """Trains plain and recorded at the same time; returns how much longer the same steps took recorded."""
    processes = []
    for arm in ("plain", "default"):
        environment = {**QUIET, "WEIGHTWATCH_ENDS": str(folder / arm)}
        process = subprocess.Popen([*command, "--arm", arm], stdout=subprocess.PIPE, text=True, env=environment)
        on_core(process, len(processes))
        processes.append(process)
    turn = 0
    while None in [process.poll() for process in processes]:
        time.sleep(5)
        turn += 1
        for i, process in enumerate(processes):
            on_core(process, (i + turn) % 2)
    plain, default = (json.loads(process.communicate()[0].splitlines()[-1]) for process in processes)
    ends = [np.load(folder / f"{arm}.npy") for arm in ("plain", "default")]
    ratios = {}
    for seconds in (60, 600):
        steps = min(int(np.searchsorted(times, seconds)) for times in ends)
        if steps < min(map(len, ends)):
            ratios[f"{seconds}_s"] = round(float(ends[1][steps] / ends[0][steps]), 3)
    return {"ratios": ratios, "plain": plain, "default": default}


def by_turns(command: list[str], seconds: float) -> dict[str, Any]:
    """Trains plain, and then recorded for as many steps."""
    plain = run([*command, "--arm", "plain", "--seconds", str(seconds)])
    default = run([*command, "--arm", "default", "--steps", str(plain["steps"])])
    ratios = {key: round(default[key] / plain[key], 3) for key in ("all_s", "processor_s", "first_s", "median_ms")}
    return {"ratios": ratios, "plain": plain, "default": default}


def main() -> None:
    """Trains plain and recorded, or (`--arm`) one of them in this process; prints JSON."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("models", nargs="*", default=list(SUBJECTS), metavar="MODEL")
    ask.add_argument("--seconds", type=float, default=62.0, help="of the plain training")
    ask.add_argument("--beside", action="store_true", help="both trainings at once, on one core each")
    ask.add_argument("--xla", action="store_true")
    ask.add_argument("--arm", choices=("plain", "default"), help=argparse.SUPPRESS)
    ask.add_argument("--steps", type=int, default=0, help=argparse.SUPPRESS)
    given = ask.parse_args()
    if given.arm:
        print(json.dumps(trained(given.models[0], given.xla, given.arm == "default", given.steps, given.seconds)))
        return
    for name in given.models:
        command = [sys.executable, "-m", "tests.benchmarks.first_minute", name, *["--xla"] * given.xla]
        if given.beside:
            with tempfile.TemporaryDirectory() as folder:
                measured = beside([*command, "--seconds", str(given.seconds)], Path(folder))
        else:
            measured = by_turns(command, given.seconds)
        print(json.dumps({"model": name, **measured}), flush=True)


if __name__ == "__main__":
    main()
