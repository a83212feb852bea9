"""Trainings to which something happens: they must end as without a monitor, and each loss must be told."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ..loaders import followed, settled
from ..outcome import Effort, Outcome
from ..readback import ReadBack, read_back
from ..scene import Order, progress_of
from ..situation import CannotTry, Situation
from ..situations import all_situations
from ..situations.programs import TWO_MONITORS
from ..training_process import STUCK, Ended, Training

LONGER = 10.0  # seconds that a training may take longer than three times the one without, if the machine is free
_TELLING = ("Recording stopped", "tb_weightwatch", "not written", "dropped", "lost")
_numbers = itertools.count()


def run(effort: Effort) -> list[Outcome]:
    """Tries each situation in each kind of training; the bounded part tries some."""
    tries = [
        (situation, kind)
        for situation in all_situations().values()
        if (situation.quick or not effort.quick) and effort.only in situation.name
        for kind in situation.kinds
        if not effort.quick or kind == _quick_kind(situation)
    ]
    with ThreadPoolExecutor(effort.jobs) as pool:
        return list(pool.map(lambda one: _attempt(*one, effort), tries))


def _quick_kind(situation: Situation) -> str:
    """Returns the one kind of training that the bounded part tries: each kind has its turn."""
    names = [one.name for one in all_situations().values() if one.quick]
    return situation.kinds[names.index(situation.name) % len(situation.kinds)]


def _attempt(situation: Situation, kind: str, effort: Effort) -> Outcome:
    outcome = attempt(situation, kind, effort.scratch, both_loaders=not effort.quick)
    print(f"  {outcome}", file=sys.stderr, flush=True)  # the whole takes a quarter of an hour
    return outcome


def attempt(situation: Situation, kind: str, scratch: Path, *, both_loaders: bool = True) -> Outcome:
    """Trains with and without the monitor, and compares.

    Args:
        situation: what happens to the training.
        kind: "fit", "loop" or "summary".
        scratch: a folder for files.
        both_loaders: where several trainings share a directory, TensorBoard's data server follows them as well.
    """
    folder = scratch / f"{kind}-{next(_numbers)}"
    folder.mkdir()
    plain = _train(situation, kind, folder / "plain", folder / "plain-logs", monitored=False, patience=5 * STUCK)
    try:
        with situation.place(folder) as logdir:
            patience = STUCK + 5 * max(one.seconds for one in plain)  # a busy machine takes minutes to begin
            run = partial(_train, situation, kind, folder / "watched", logdir, patience=patience)
            ended, shown = _followed(run, situation, logdir, both_loaders)
            situation.recover(logdir)
            back = _read(situation, kind, folder / "watched", logdir)
    except CannotTry as reason:
        return Outcome(situation.name, kind, 0, 0, note=f"not tried: {reason}")
    monitors = 2 if situation.name == TWO_MONITORS else 1
    faults = [*faults_of(plain, ended, monitors=monitors), *_recorded_wrongly(situation, back, shown)]
    faults += [f"without a monitor it ends with {one.code}" for one in plain if one.code != situation.code]
    told = any(one.report.get("warned") or _tells(one) for one in ended) or back.told
    lost = bool(back.lost)
    note = f"{back.lost} of {back.expected} rows lost" if back.lost else ""
    note = "; ".join([*filter(None, [note]), *dict.fromkeys(faults)])
    return Outcome(situation.name, kind, 1, int(not faults), int(lost), int(lost and told), note)


def _followed(
    train: Callable[[], list[Ended]], situation: Situation, logdir: Path, both_loaders: bool
) -> tuple[list[Ended], dict[str, int]]:
    """Trains, and returns how the trainings ended and how many rows loaders show; only where there are several."""
    if len(situation.trainings) < 2:
        return train(), {}
    with followed(logdir, both=both_loaders) as loaders:
        ended = train()
        return ended, {name: settled(count_rows, sum(situation.trainings)) for name, count_rows in loaders.items()}


def _train(
    situation: Situation, kind: str, folder: Path, logdir: Path, *, monitored: bool = True, patience: float
) -> list[Ended]:
    orders = [
        Order(kind, f"{folder}-{i}", str(logdir), steps, situation.pause, situation.name, monitored)
        for i, steps in enumerate(situation.trainings)
    ]
    if situation.together:
        return [training.wait(patience) for training in [Training(order, fresh=situation.fresh) for order in orders]]
    return [Training(order, fresh=situation.fresh).wait(patience) for order in orders]


def _read(situation: Situation, kind: str, folder: Path, logdir: Path) -> ReadBack:
    trainings = [progress_of(Path(f"{folder}-{i}")) for i in range(len(situation.trainings))]
    ends = [progress[-1][1] for progress in trainings if progress]
    ended = max(ends, default=0.0) if situation.abrupt else None
    return read_back(logdir, trainings, ended=ended, every_step=kind == "summary")


def faults_of(plain: Sequence[Ended], watched: Sequence[Ended], *, monitors: int = 1) -> Iterator[str]:
    """Yields what the monitor did to trainings.

    Args:
        plain: how they ended without a monitor.
        watched: how they ended with it.
        monitors: how many there are; each may warn once.
    """
    for alone, seen in zip(plain, watched, strict=True):
        if seen.stuck:
            yield "it hangs"
            continue
        if seen.code != alone.code:
            yield f"it ends with {seen.code} in place of {alone.code}"
        for name, what in (("weights", "other weights"), ("error", "another exception")):
            if seen.report.get(name) != alone.report.get(name):
                yield f"{what} ({seen.report.get(name)})" if name == "error" else what
        seconds, usual = seen.report.get("seconds", 0.0), alone.report.get("seconds", 0.0)
        if seconds > 3 * usual + LONGER * _processes_a_core():
            yield f"it takes {seconds:.0f} s in place of {usual:.0f} s"
        warned = len(seen.report.get("warned", ()))
        if warned > monitors:
            texts = " / ".join(" ".join(text.split())[:90] for text in seen.report["warned"])
            yield f"it is told {warned} times: {texts}"
        yield from filter(None, seen.report.get("notes", ()))


def _recorded_wrongly(situation: Situation, back: ReadBack, shown: Mapping[str, int]) -> Iterator[str]:
    """Yields what is wrong with the recording; that rows are missing in the files is counted elsewhere."""
    for loader, rows in shown.items():
        if rows < back.expected:
            yield f"{loader} shows {rows} of {back.expected} rows"
    if back.surplus:
        yield f"{back.surplus} rows too many"
    if back.unreadable and not situation.loses:
        yield f"unreadable: {back.unreadable}"


def _processes_a_core() -> float:
    """Returns how many processes want to run on each core just now; at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _tells(ended: Ended) -> bool:
    told = " ".join([ended.console, *ended.report.get("answers", ())])
    return any(word in told for word in _TELLING)
