"""Trainings that are killed at a random moment: at most the last 2 s or 2 % of the rows may be missing."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..outcome import Effort, Outcome
from ..readback import ReadBack, read_back
from ..scene import Order, progress_of
from ..training_process import Training

KINDS = ("fit", "loop", "summary")
# How often each signal is sent to each kind of training: in all 500 times SIGKILL.
WHOLE = {signal.SIGKILL: (167, 167, 166), signal.SIGTERM: (20, 20, 20), signal.SIGINT: (20, 20, 20)}
QUICK = {signal.SIGKILL: (1, 1, 4), signal.SIGTERM: (1, 0, 1), signal.SIGINT: (0, 1, 1)}
PAUSE = 0.002  # seconds between two steps, so that several trainings share a processor
ENDLESS = 1_000_000  # steps
# What TensorFlow 2.21 prints when a SIGINT arrives while its C++ code imports a Python module, and is lost: of 500
# trainings without a monitor that got one in their first 0.3 s, 22 went on.
LOST_INTERRUPT = "SystemError: <built-in function __import__> returned a result with an exception set"


@dataclass(frozen=True)
class Kill:
    """One training that was killed.

    Attributes:
        kind: of the training.
        number: the signal.
        seconds: from its end to the end of the process.
        ended: whether it ended by itself after the signal.
        steps: completed steps.
        back: what was read back.
        repeated: TensorFlow had lost the signal, which was sent once more.
    """

    kind: str
    number: signal.Signals
    seconds: float
    ended: bool
    steps: int
    back: ReadBack
    repeated: bool

    @property
    def harmless(self) -> bool:
        """Whether the process ended, its files can be read, and no more is missing than may be."""
        return self.ended and not (self.back.unreadable or self.back.lost or self.back.surplus)


def run(effort: Effort) -> list[Outcome]:
    """Kills trainings, several side by side since each of them mostly sleeps."""
    plan = QUICK if effort.quick else WHOLE
    tasks = [
        (number, kind)
        for number, counts in plan.items()
        for kind, count in zip(KINDS, counts, strict=True)
        for _ in range(count)
    ]
    rng = random.Random(effort.seed)
    longest = 2.5 if effort.quick else 8.0
    moments = [rng.uniform(0.0, longest) for _ in tasks]
    rng.shuffle(tasks)
    tasks = tasks[:: effort.part]
    with ThreadPoolExecutor(2 * effort.jobs) as pool:
        folders = [effort.scratch / str(i) for i in range(len(tasks))]
        kills = list(pool.map(kill, tasks, moments, folders))
    groups = {(number, kind): [] for number in plan for kind in KINDS}
    for one in kills:
        groups[one.number, one.kind].append(one)
    return [_outcome(*pair, group) for pair, group in groups.items() if group]


def kill(task: tuple[signal.Signals, str], moment: float, folder: Path) -> Kill:
    """Begins a training, and sends it the signal so many seconds after it has begun."""
    number, kind = task
    logdir = folder / "logs"
    training = Training(Order(kind, str(folder / "process"), str(logdir), ENDLESS, PAUSE))
    training.wait_for_step(0)
    time.sleep(moment)
    at = time.monotonic()
    os.kill(training.pid, number)
    repeated = number == signal.SIGINT and not training.ends_within(8.0) and LOST_INTERRUPT in training.console
    if repeated:
        os.kill(training.pid, number)
    ended = training.wait(20.0)
    steps = progress_of(folder / "process")
    at = steps[-1][1] if steps and number != signal.SIGKILL else at
    back = read_back(logdir, [steps], ended=at if number == signal.SIGKILL else None, every_step=kind == "summary")
    return Kill(kind, number, time.monotonic() - at, not ended.stuck, len(steps), back, repeated)


def _outcome(number: signal.Signals, kind: str, kills: list[Kill]) -> Outcome:
    lost = sum(bool(one.back.lost) for one in kills)
    told = sum(bool(one.back.lost) and one.back.told for one in kills)
    oldest = max((one.back.seconds for one in kills), default=0.0)
    faults = Counter(fault for one in kills for fault in _faults(one))
    parts = [f"{text} ({count} times)" for text, count in faults.items()]
    if number == signal.SIGKILL:
        parts.append(f"the oldest missing row was {oldest:.1f} s old")
    repeated = sum(one.repeated for one in kills)
    if repeated:
        parts.append(f"TensorFlow lost the first signal, as without a monitor ({repeated} times)")
    survived = sum(one.harmless for one in kills)
    return Outcome(f"{number.name} at a random moment", kind, len(kills), survived, lost, told, "; ".join(parts))


def _faults(one: Kill) -> Iterable[str]:
    if not one.ended:
        yield "it does not end"
    if one.back.unreadable:
        yield f"unreadable: {one.back.unreadable}"
    if one.back.lost:
        yield "rows are lost"
    if one.back.surplus:
        yield "rows too many"
