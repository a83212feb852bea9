"""Holds what verdicts state against a recording of every step.

    python -m tests.clinic.truth [-v] [--twice] [PART-OF-A-NAME...]

Each program is trained once with every step recorded. What an observer says who got fewer of these rows, by the usual
schedule and by one without a budget, is checked against all of them, at several moments of the training. `--twice`
trains each program again under the usual schedule as well: what is counted while recording then lacks steps, too.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TB_WEIGHTWATCH_STRICT", "1")

from tb_weightwatch.capture.schedule.bursts import Schedule
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import Column, History, Rows
from tb_weightwatch.verdict import Claim, Diagnosis, Verdict, number

TOLERANCE = 0.02  # numbers are stored with a relative error below 1 %
MOMENTS = (0.1, 0.3, 0.6, 1.0)  # shares of the rows after which an observer is asked


# -- one claim


def check(claim: Claim, full: History, recorded: Any = None) -> str | None:
    """Returns what is false of a claim; None if it is true.

    Args:
        claim: what is stated.
        full: a recording of every step.
        recorded: the steps that whoever states it has recorded; all, if None.
    """
    if claim.kind == "steps":
        made = int(full.steps[-1])
        return None if claim.value == made else f"{made} steps were made"
    if not full.known(claim.quantity).size:
        return f"{claim.quantity} was not recorded"
    if claim.kind in ("mean", "reached", "sum") or claim.recorded_only:
        recorded = full.steps if recorded is None else recorded
    rows = (full.steps >= claim.first_step) & (full.steps <= claim.last_step)
    if claim.recorded_only:
        rows &= np.isin(full.steps, recorded)
    if not rows.any():
        return f"no step from {claim.first_step} to {claim.last_step} was recorded"
    values = _known_values(claim, full)
    said = _STATED[claim.kind](claim, values[rows])
    if said is None and claim.kind == "since" and claim.first_step > full.steps[0]:
        before = values[full.steps == claim.first_step - 1]
        return f"it was so at step {claim.first_step - 1}" if _equal(before, claim.value).all() else None
    return said


def _known_values(claim: Claim, full: History) -> np.ndarray:
    """Returns `[T, K]` the quantity of the variables or layers that the claim is about; unknown numbers as masked."""
    values, known = full.column(claim.quantity).astype(np.float64), full.known(claim.quantity)
    values = np.ma.masked_array(values, ~known)
    if values.ndim == 1:
        return values[:, None]
    named = full.variables if full.axis(claim.quantity) == "variable" else full.layers
    positions = [i for i, item in enumerate(named) if not claim.variables or item.name in claim.variables]
    return values[:, positions]


def _equal(values: np.ndarray, value: float) -> np.ndarray:
    if np.isnan(value):
        return np.isnan(values)
    if value == 0 or not np.isfinite(value):
        return values == value
    return np.abs(values - value) <= TOLERANCE * abs(value)


def _each(holds: np.ndarray, values: np.ndarray) -> str | None:
    """Returns one of the values of which it does not hold."""
    wrong = np.ma.filled(~holds, False)
    return f"it was {number(float(values[wrong][0]))}" if wrong.any() else None


def _mean(claim: Claim, values: np.ndarray) -> str | None:
    mean = float(np.ma.masked_invalid(values).mean())
    close = abs(mean - claim.value) <= TOLERANCE * max(abs(claim.value), 1e-30)
    return None if close or (np.isnan(claim.value) and np.isnan(mean)) else f"the mean was {number(mean)}"


def _sum(claim: Claim, values: np.ndarray) -> str | None:
    total = values.sum(axis=1)
    return _each(_equal(total, claim.value), total)


def _reached(claim: Claim, values: np.ndarray) -> str | None:
    return None if np.ma.filled(_equal(values, claim.value), False).any() else "it never was"


_STATED: Any = {
    "is": lambda claim, values: _each(_equal(values, claim.value), values),
    "since": lambda claim, values: _each(_equal(values, claim.value), values),
    "finite": lambda claim, values: _each(np.isfinite(values), values),
    "above": lambda claim, values: _each(values > claim.value, values),
    "at most": lambda claim, values: _each(values <= claim.value + TOLERANCE * abs(claim.value), values),
    "at least": lambda claim, values: _each(values >= claim.value - TOLERANCE * abs(claim.value), values),
    "mean": _mean,
    "sum": _sum,
    "reached": _reached,
}


# -- a training


class NoBudget:
    """A budget that affords no burst."""

    def affords_burst(self) -> bool:
        return False


class AnyBudget(NoBudget):
    """A budget that affords each burst."""

    def affords_burst(self) -> bool:
        return True


@contextlib.contextmanager
def every_step() -> Iterator[None]:
    """Within it every step is recorded."""
    gate = "tb_weightwatch.capture.schedule.recording_gate"
    due = mock.patch.object(Schedule, "due", lambda self, step: True)
    with due, mock.patch(f"{gate}.next_burst_start", lambda step: step + 1):
        yield


def thinned(full: History, budget: Any) -> History:
    """Returns what the schedule would have recorded of these steps, with this budget."""
    schedule, block = Schedule(budget), full.rows(0, len(full))
    kept = np.array([schedule.due(int(step)) for step in full.steps], bool)
    rows = Rows(block.steps[kept], block.times[kept])
    for (_, columns), (_, source) in zip(rows.axes(), block.axes(), strict=True):
        for name, column in source.items():
            columns[name] = Column(column.values[kept], column.known[kept])
    history = History("thinned")
    for record in full.records:
        history.add(record)
    history.append(rows)
    return history


def until(full: History, step: int) -> History:
    """Returns what the full recording held at that step."""
    return full[: full.at(step) + 1]


def verdicts(diagnosis: Diagnosis) -> Iterator[Verdict]:
    """Yields all verdicts: open, resolved, and what they explain."""
    stack = [*diagnosis.verdicts, *diagnosis.resolved]
    while stack:
        verdict = stack.pop()
        yield verdict
        stack += verdict.explains


def false_statements(seen: History, full: History) -> tuple[int, list[str]]:
    """Returns how many claims are made of a History, and those that the full recording refutes."""
    known = until(full, int(seen.steps[-1]) if seen.ended is None else int(full.steps[-1]))
    held = {verdict.name for verdict in verdicts(diagnose(known))}
    count, false = 0, []
    for verdict in verdicts(diagnose(seen)):
        then = until(full, verdict.last_step) if verdict.resolved else known
        for claim in verdict.claims:
            count += 1
            wrong = check(claim, then, seen.steps)
            if wrong:
                false.append(f"{verdict.name}: {claim}: {wrong}\n      {verdict.message}")
        if verdict.certainty == "certain" and verdict.name not in held:
            false.append(f"{verdict.name}: is certain, but does not hold of all steps\n      {verdict.message}")
    return count, false


def moments(history: History) -> Iterator[History]:
    """Yields what the observer had at some moments, the end last."""
    lengths = {max(1, round(share * len(history))) for share in MOMENTS}
    yield from (history[:n] for n in sorted(lengths))


def check_program(run: Any, folder: Path, twice: bool = False) -> tuple[int, dict[str, None]]:
    """Trains a program and returns the number of claims that were checked, and the false ones, each once."""
    from .lab import Lab

    def trained(name: str) -> list[History]:
        lab = Lab(folder / name)
        with contextlib.suppress(Exception):  # a program may break by its own fault; what was said of it counts
            run(lab)
        return [watch.history for watch in lab.watches if len(watch.history)]

    with every_step():
        full = trained("full")
    pairs = [(thinned(h, budget), h) for h in full for budget in (NoBudget(), AnyBudget())]
    pairs += [*zip(trained("usual"), full, strict=False)] if twice else []
    count, false = 0, {}
    for seen, whole in [*pairs, *((h, h) for h in full)]:
        for moment in moments(seen):
            n, wrong = false_statements(moment, whole)
            count += n
            false |= dict.fromkeys(wrong)
    return count, false


def main(arguments: list[str]) -> int:
    from . import decoys, healthy, sick, sick_more  # noqa: F401
    from .lab import PROGRAMS

    parts = [a for a in arguments if not a.startswith("-")]
    chosen = [p for p in PROGRAMS.values() if not parts or any(part in p.name or part == p.expected for part in parts)]
    claims = wrong = 0
    for program in chosen:
        with tempfile.TemporaryDirectory() as folder:
            count, false = check_program(program.run, Path(folder), "--twice" in arguments)
        claims, wrong = claims + count, wrong + len(false)
        print(f"{'FALSE' if false else 'ok   '} {program.name:45} {count:5} claims, {len(false)} false", flush=True)
        for statement in false:
            print(f"    - {statement}")
    print(f"{len(chosen)} programs, {claims} claims, {wrong} false")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
