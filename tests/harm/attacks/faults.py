"""Every function of the recorder fails in turn: the same weights, no exception, no hang, one message."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from .. import fault_injection
from ..fault_injection import Injection
from ..outcome import Effort, Outcome

TESTED_IN = "tests/training/test_fault_injection.py"
MAIN = ("fit", "loop", "summary")  # each of their functions fails; of the other trainings each fourth
PART_OF_OTHERS = 4
QUICK_SECONDS = 6.0


def run(effort: Effort) -> list[Outcome]:
    """Injects faults into trainings; a fault stops the recording, which is a loss that must be told once."""
    if effort.quick:
        quick = fault_injection.run(QUICK_SECONDS, MAIN)
        return [_outcome(name, [item for item in quick if item.training == name]) for name in MAIN]
    others = [name for name in fault_injection.TRAININGS if name not in MAIN]
    parts = dict.fromkeys(MAIN, effort.part) | dict.fromkeys(others, PART_OF_OTHERS * effort.part)
    # Signals limit the time of a training, and functions are replaced: each training is in a process of its own.
    with ProcessPoolExecutor(effort.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        done = pool.map(injections_of, parts, parts.values())
        return [_outcome(name, injections) for name, injections in zip(parts, done, strict=True)]


def injections_of(name: str, part: int) -> list[Injection]:
    """Returns the injections into one training, into each `part`-th function."""
    return fault_injection.run(names=(name,), part=part)


def _outcome(name: str, done: list[Injection]) -> Outcome:
    survived, told = sum(item.survived for item in done), sum(item.told == 1 for item in done)
    bad = [f"{item.function}: {item.raised or f'told {item.told} times'}" for item in done if item.is_bad]
    note = "; ".join([f"{name}, {len({item.function for item in done})} functions", *bad[:1]])
    return Outcome("a function fails", name.partition("-")[0], len(done), survived, len(done), told, note)
