"""Every function of the recorder fails in turn: the same weights, no exception, no hang, one message."""

from __future__ import annotations

from .. import fault_injection
from ..outcome import Effort, Outcome

TESTED_IN = "tests/training/test_fault_injection.py"
QUICK = ("loop", "fit", "summary")
QUICK_SECONDS = 6.0


def run(effort: Effort) -> list[Outcome]:
    """Injects faults into trainings; a fault stops the recording, which is a loss that must be told once."""
    names = QUICK if effort.quick else tuple(fault_injection.TRAININGS)
    done = fault_injection.run(QUICK_SECONDS if effort.quick else None, names, part=effort.part)
    return [_outcome(name, [one for one in done if one.training == name]) for name in names]


def _outcome(name: str, done: list[fault_injection.Injection]) -> Outcome:
    survived, told = sum(one.survived for one in done), sum(one.told == 1 for one in done)
    bad = [f"{one.function}: {one.raised or f'told {one.told} times'}" for one in done if one.is_bad]
    note = "; ".join([f"{name}, {len({one.function for one in done})} functions", *bad[:1]])
    return Outcome("a function fails", name.partition("-")[0], len(done), survived, len(done), told, note)
