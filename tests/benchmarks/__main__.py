"""All measurements of what recording costs, one after another, and the table of them in docs/benchmarks.md.

python -m tests.benchmarks                  what has not been measured yet, then the table
python -m tests.benchmarks --only mlp       some of it
python -m tests.benchmarks --table          the table of what has been measured
python -m tests.benchmarks --cockpit PYTHON also Cockpit, with an interpreter that has torch and cockpit-for-pytorch
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.progress import Progress

from tests.support.document_tables import ROOT, replace_block

RESULTS = Path("tests/output/benchmarks.json")
PAGE = ROOT / "docs" / "benchmarks.md"
MODELS = {
    "mlp": "MLP 784-512-512-10",
    "cnn": "CNN 3c3d",
    "resnet": "ResNet-50, 32 x 32",
    "lstm": "two LSTM layers",
    "transformer": "transformer, two blocks",
    "tiny": "1,000 tiny variables",
}
SLOW = ("resnet", "tiny")  # to trace; they come last
LONG = 62  # seconds of training: the default budget is stated for runs of more than a minute
BRIEF = 12
Case = tuple[str, list[str]]  # name, arguments of `training`


def cases() -> list[Case]:
    """Returns what is to be measured, by name."""
    found: list[Case] = []
    quick = [name for name in MODELS if name not in SLOW]
    for name in quick:
        peers = ["--peers"] if name in ("mlp", "cnn") else []
        found.append((f"{name} fit graph", [name, "fit", "graph", "--seconds", str(LONG), *peers]))
    for name in quick:
        seconds = str(LONG if name == "mlp" else BRIEF)
        found.append((f"{name} loop graph", [name, "loop", "graph", "--seconds", seconds]))
    for name in quick:
        for way in ("fit", "loop"):
            found.append((f"{name} {way} xla", [name, way, "xla", "--seconds", str(BRIEF)]))
    for name in ("mlp", "cnn"):
        for who in ("plain", "debugger", "plain", "debugger"):
            number = sum(f"{name} alone {who}" in case for case, _ in found)
            arguments = [name, "fit", "graph", "--alone", who, "--seconds", str(BRIEF)]
            found.append((f"{name} alone {who} {number}", arguments))
    for name in (*quick, *SLOW):
        if name in SLOW:
            found.append((f"{name} fit graph", [name, "fit", "graph", "--seconds", str(LONG)]))
            found.append((f"{name} loop graph", [name, "loop", "graph", "--seconds", str(BRIEF)]))
        for who in ("plain", "default"):
            found.append((f"{name} peak {who}", [name, "fit", "graph", "--peak", who]))
    return found


QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


def run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=QUIET)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(only: str, cockpit: str) -> None:
    """Measures what is not in the file of results yet."""
    results = read()
    todo = [case for case in cases() if only in case[0] and case[0] not in results]
    with Progress() as bar:
        task = bar.add_task("", total=len(todo) + bool(cockpit))
        for name, arguments in todo:
            bar.update(task, description=name)
            results["date"] = time.strftime("%Y-%m-%d")
            results[name] = run([sys.executable, "-m", "tests.benchmarks.training", *arguments])
            write(results)
            bar.advance(task)
        if cockpit:
            bar.update(task, description="cockpit")
            results["cnn cockpit"] = run([cockpit, "tests/benchmarks/on_cockpit.py"])
            write(results)


def read() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return found


def write(results: dict[str, Any]) -> None:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1))


# -- the table


def ratio(found: dict[str, Any] | None, which: str = "median") -> str:
    return "" if found is None else f"{found[which]:.2f}x"


def row(name: str, case: str, results: dict[str, Any]) -> str:
    found = results[case]
    once = found["reported_once"] * found["trained_s"]  # the user's step traced, and compiled, once more
    long = str(LONG) in dict(cases())[case]
    default = ratio(found["default"], "whole") if long else ""
    is_stated = found["reported"] is not None  # a run of few steps cannot tell its own cost
    stated = (f"{1 / (1 - found['reported']):.2f}x" if is_stated else "not known") if long else ""
    every = found.get("every")  # none where a step takes seconds: there was no second turn
    spread = f"{every['median']:.2f}x ({every['low']:.2f} to {every['high']:.2f})" if every else ""
    way = case.partition(" ")[2].replace("fit", "`fit`").replace(" graph", "").replace("xla", "XLA")
    return f"| {MODELS[name]}, {way} | {found['step_ms']:.1f} ms | {default} | {stated} | {spread} | + {once:.1f} s |"


def others(results: dict[str, Any]) -> list[str]:
    """Returns what the peers cost on the same models."""
    lines = []
    for name in ("mlp", "cnn"):
        whole = results.get(f"{name} fit graph")
        if whole and "keras" in whole:
            callback = "Keras' TensorBoard callback, `histogram_freq=1`, epochs of 2 s"
            lines.append(f"| {MODELS[name]}, {callback} | {ratio(whole['keras'])} |")
        steps = {who: [results[k]["step_ms"] for k in results if k.startswith(f"{name} alone {who}")]
                 for who in ("plain", "debugger")}  # fmt: skip
        if len(steps["debugger"]) > 1:  # one pair in two processes says nothing on a noisy machine
            each = f"{sum(steps['debugger']) / sum(steps['plain']):.2f}x"
            lines.append(f"| {MODELS[name]}, Debugger V2, CURT_HEALTH | {each} |")
    if "cnn cockpit" in results:
        lines.append(f"| {MODELS['cnn']}, Cockpit, economy (PyTorch) | {ratio(results['cnn cockpit']['cockpit'])} |")
    return ["| a step with another tool, against its own plain step | |", "|---|---|", *lines]


def table(results: dict[str, Any]) -> str:
    """Returns the table."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("tensorflow_cpu", "keras", "numpy"))
    lines = [
        f"Measured by `python -m tests.benchmarks` on {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, {versions}, {results.get('date', '')}; plain and recorded by turns in one "
        "process; medians, and quartiles where every step is recorded.",
        "",
        "| model | plain step | default, over a minute | it states | every step recorded | start-up |",
        "|---|---|---|---|---|---|",
    ]
    for name in MODELS:
        lines += [row(name, case, results) for case, _ in cases() if case in results and row_of(case) == name]
    lines += ["", *others(results)]
    head = ["", "| peak memory (`fit`, default) | plain | recorded | bytes a recorded row |", "|---|---|---|---|"]
    for name, title in MODELS.items():
        peak = [results.get(f"{name} peak {who}") for who in ("plain", "default")]
        whole = results.get(f"{name} fit graph")
        if all(peak) and whole:
            lines, head = lines + head, []
            sizes = " | ".join(f"{one['peak_mb']:,.0f} MB" for one in peak if one)
            lines.append(
                f"| {title}, {whole['variables']:,} variables | {sizes} | {whole['bytes'] / whole['rows']:,.0f} |"
            )
    return "\n".join(lines)


def row_of(case: str) -> str:
    name, way, _ = case.split(" ", 2)
    return name if way in ("fit", "loop") else ""


def main() -> None:
    """Measures, and writes the table."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--only", default="", help="cases whose name holds this")
    ask.add_argument("--table", action="store_true", help="measures nothing")
    ask.add_argument("--cockpit", default="", metavar="PYTHON")
    given = ask.parse_args()
    if not given.table:
        measure(given.only, given.cockpit)
    replace_block(PAGE, "benchmarks", table(read()))


if __name__ == "__main__":
    main()
