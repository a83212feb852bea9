"""Fuzzing one target: guided by coverage in processes of their own, or with seeded mutations in this one."""

from __future__ import annotations

import importlib.util
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .mutation import mutated
from .outcome import Effort, Outcome

LONGEST = 1.0  # seconds that one input may take
QUICK_SECONDS = 3.0
ROUND_SECONDS, LEAST_SECONDS = 120.0, 10.0  # of one process of the guided fuzzer
_RUNS = re.compile(r"number_of_executed_units:\s*(\d+)")


def fuzz(name: str, attack: str, where: str, effort: Effort) -> list[Outcome]:
    """Fuzzes with atheris where it is installed, with seeded mutations otherwise and in the bounded part."""
    if effort.quick or importlib.util.find_spec("atheris") is None:
        seconds = QUICK_SECONDS if effort.quick else effort.seconds
        return [mutate(name, attack, where, seconds, effort.seed)]
    return [guided(name, attack, where, effort)]


def mutate(name: str, attack: str, where: str, seconds: float, seed: int) -> Outcome:
    """Feeds seeded mutations of valid inputs for so many seconds."""
    targets = importlib.import_module(f"{__package__}.{name}_targets")
    feed: Callable[[bytes], None] = targets.feed
    seeds, rng = list(targets.seeds()), random.Random(seed)
    for valid in seeds:
        feed(valid)
    tried, faults, slowest, memory = 0, dict[str, int](), 0.0, _peak_megabytes()
    ends = time.monotonic() + seconds
    while (began := time.monotonic()) < ends:
        fault = _fault(feed, mutated(rng.choice(seeds), seeds, rng))
        tried, slowest = tried + 1, max(slowest, time.monotonic() - began)
        if fault:
            faults[fault] = faults.get(fault, 0) + 1
    survived = tried - sum(faults.values())
    figures = f"slowest {slowest:.2f} s, {_peak_megabytes() - memory:.0f} MB more; seeded mutations, not guided"
    return Outcome(attack, where, tried, survived, note="; ".join([*_counted(faults), figures]))


def _fault(feed: Callable[[bytes], None], data: bytes) -> str:
    """Returns what an input did that it may not do; "" if it did nothing."""
    began = time.process_time()
    try:
        feed(data)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:80]}"
    seconds = time.process_time() - began  # of this process: the machine may be busy
    return f"takes more than {LONGEST:g} s" if seconds > LONGEST else ""


def _counted(faults: dict[str, int]) -> Iterable[str]:
    return [f"{text} ({count} times)" for text, count in list(faults.items())[:5]]


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def guided(name: str, attack: str, where: str, effort: Effort) -> Outcome:
    """Runs the coverage-guided fuzzer in as many processes as there shall be; an input that fails ends its process.

    Each process begins anew after a while, with the valid inputs and other random numbers: inputs get longer as the
    fuzzer goes on, so that it tries fewer and fewer of them.
    """
    ends = time.monotonic() + effort.seconds
    round_seconds = min(ROUND_SECONDS, effort.seconds)
    running = [_start(name, round_seconds, effort.scratch / str(i), effort.seed + i) for i in range(effort.jobs)]
    runs, failures, processes = 0, dict[str, int](), len(running)
    while running:
        process, folder = running.pop(0)
        output = process.communicate()[0]
        runs += sum(map(int, _RUNS.findall(output)))
        for failure in _failures(folder, output) if process.returncode else ():
            failures[failure] = failures.get(failure, 0) + 1
        left = ends - time.monotonic()
        if left > LEAST_SECONDS:
            processes += 1
            folder, seed = effort.scratch / str(processes), effort.seed + processes
            running.append(_start(name, min(round_seconds, left), folder, seed))
    note = "; ".join([*_counted(failures), f"guided by coverage, {effort.jobs} at a time, {effort.seconds:.0f} s"])
    return Outcome(attack, where, runs, runs - sum(failures.values()), note=note)


def _start(name: str, seconds: float, folder: Path, seed: int) -> tuple[subprocess.Popen[str], Path]:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.harm.fuzz_process", name, str(max(1, int(seconds))), str(folder), str(seed)]
    environment = {**os.environ, "TMPDIR": str(folder)}  # the fuzzer ends without removing its files
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    return process, folder


def _failures(folder: Path, output: str) -> list[str]:
    """Returns what ended a fuzzing process: the kind of the input it left behind, and the exception."""
    kinds = sorted({file.name.partition("-")[0] for file in folder.iterdir() if file.is_file()})
    raised = re.findall(r"^(\w[\w.]*(?:Error|Failed|Exception)\b.*)$", output, re.MULTILINE)
    return [f"{', '.join(kinds) or 'ended'}: {raised[-1][:100] if raised else output[-200:].strip()}"]
