"""Whether a run states its own cost rightly: the same training with and without the recorder, beside what it says.

python -m tests.benchmarks.stated_cost                       all that is not measured yet, then the table
python -m tests.benchmarks.stated_cost --only "mlp fit"      some of it
python -m tests.benchmarks.stated_cost --one mlp fit 10      one pair of trainings, as JSON

Each pair of trainings runs in a process of its own, from the making of the recorder to the end of the training. Two
threads train two models of the same kind by turns of a quarter of a second. A turn of the recorded training ends only
when nothing is measured or written beside it.

All time, also what the recorder reads, is processor time on one core. There it is the duration of a training on an idle
machine, whatever else this one does, and all work of the recorder delays the training. `--wall` takes wall-clock time
on all cores.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from rich.progress import Progress

import tb_weightwatch as ww
from tb_weightwatch.answers.recording_cost import cost, slowdown
from tests.support.document_tables import replace_block

from .__main__ import MODELS, PAGE, SLOW, run
from .models import SUBJECTS, Subject
from .training import batch_of, batches_of, compiled, traced_step
from .turns import TurnAfterStep, Turns, count_processor_time

RESULTS = Path("tests/output/stated_cost.json")
SECONDS = (3, 10, 30, 60)  # of training


def fit(subject: Subject, turns: Turns, name: str, folder: Path) -> Callable[[], None]:
    """Returns what trains a new model by one call of `fit`."""
    model, batches = compiled(subject, jit=False), batches_of(subject)

    def train() -> None:
        callbacks: list[Any] = [TurnAfterStep(turns, name)]
        if name == "recorded":
            turns.watch = ww.WeightWatch(folder, verbose=False)
            callbacks.insert(0, turns.watch)
        model.fit(batches, steps_per_epoch=10**9, verbose=0, shuffle=False, callbacks=callbacks)

    return train


def loop(subject: Subject, turns: Turns, name: str, folder: Path) -> Callable[[], None]:
    """Returns what trains a new model by a traced function of one's own."""
    model, optimizer = subject.build(), subject.optimizer()
    x, y = (tf.constant(part) for part in batch_of(subject))
    variables, step = model.trainable_variables, traced_step(model, optimizer, jit=False)

    def train() -> None:
        watch = turns.watch = ww.Watch(folder, model, optimizer, verbose=False) if name == "recorded" else turns.watch
        over = False
        while not over:
            loss, gradients = step(x, y)
            if name == "recorded":
                watch.step(loss, inputs=x, targets=y, gradients=zip(gradients, variables, strict=True))
            over = turns.step(name)
        if name == "recorded":
            watch.close()

    return train


def pair(model: str, way: str, seconds: float, first: str) -> dict[str, Any]:
    """Trains once with and once without the recorder, by turns; how much slower it was, and what the run says."""
    assert ww.WeightWatch is not ww.Watch  # imported now: importing is no part of a training
    folder, make = Path(tempfile.mkdtemp()), fit if way == "fit" else loop
    try:
        warm = Turns(0.0)  # a single step: what a process does once is no part of either training
        warm.start("plain")
        warm.train("plain", make(SUBJECTS["mlp" if model in SLOW else model], warm, "plain", folder))
        turns = Turns(seconds)
        keras.utils.set_random_seed(1)
        trainings = {name: make(SUBJECTS[model], turns, name, folder) for name in turns.steps}
        threads = [threading.Thread(target=turns.train, args=item) for item in trainings.items()]
        for thread in threads:
            thread.start()
        turns.start(first)
        for thread in threads:
            thread.join()
        history = turns.watch.history
        return {
            "measured": turns.seconds["recorded"] / turns.seconds["plain"] - 1,
            "stated": slowdown(history.of_kind("cost")[-1].data),
            "sentence": cost(history),
            "seconds": turns.seconds,
            "rows": len(history),
            "steps": turns.steps["plain"],
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cases() -> list[tuple[str, ...]]:
    """Returns model, way, seconds and which has the first turn, the models that are slow to trace last."""
    found = [(model, way, str(seconds)) for seconds in SECONDS for way in ("fit", "loop") for model in MODELS]
    found = [case for case in found if case[0] not in SLOW or case[2] == str(SECONDS[-1])]
    return [
        (*case, first) for case in sorted(found, key=lambda case: case[0] in SLOW) for first in ("plain", "recorded")
    ]


def measure(only: str) -> None:
    """Measures what is not in the file of results yet."""
    todo = [case for case in cases() if only in " ".join(case)]
    with Progress() as bar:
        for case in bar.track(todo):
            results = read()
            if " ".join(case) not in results:
                command = [sys.executable, "-m", "tests.benchmarks.stated_cost", "--one", *case[:3], "--first", case[3]]
                results[" ".join(case)] = run(command)
                RESULTS.parent.mkdir(parents=True, exist_ok=True)
                RESULTS.write_text(json.dumps(results, indent=1))


def read() -> dict[str, Any]:
    """Returns the results by case."""
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return found


def table(results: dict[str, Any]) -> str:
    """Returns the table: means over both orders, as far as they state a cost."""
    lines = [
        "Measured by `python -m tests.benchmarks.stated_cost`, in processor time on one core.",
        "",
        "| model | time without recording | steps, recorded | slower, measured | slower, stated | difference |",
        "|---|---|---|---|---|---|",
    ]
    for model, way, seconds, first in cases():
        found = [results.get(f"{model} {way} {seconds} {other}") for other in ("plain", "recorded")]
        if first == "plain" and any(found):
            pairs = [pair for pair in found if pair]
            known = [pair for pair in pairs if pair["stated"] is not None]
            title = f"{MODELS[model]}, {way}".replace("fit", "`fit`")
            numbers = [statistics.mean(pair[name] for pair in known or pairs) for name in ("steps", "rows", "measured")]
            text = f"| {title} | {seconds} s | {numbers[0]:,.0f}, {numbers[1]:,.0f} | {100 * numbers[2]:.1f} % |"
            if known:
                stated = statistics.mean(pair["stated"] for pair in known)
                lines.append(f"{text} {100 * stated:.1f} % | {100 * (stated - numbers[2]):+.1f} points |")
            else:
                lines.append(f"{text} not known | |")
    return "\n".join(lines)


def main() -> None:
    """Measures what the command line names."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--one", nargs=3, metavar=("MODEL", "WAY", "SECONDS"))
    ask.add_argument("--first", choices=("plain", "recorded"), default="plain", help="which has the first turn")
    ask.add_argument("--wall", action="store_true", help="wall-clock time on all cores")
    ask.add_argument("--only", default="", help="cases whose name holds this")
    ask.add_argument("--table", action="store_true", help="measures nothing")
    given = ask.parse_args()
    if given.one:
        if not given.wall:
            count_processor_time()
        print(json.dumps(pair(given.one[0], given.one[1], float(given.one[2]), given.first)))
        return
    if not given.table:
        measure(given.only)
    replace_block(PAGE, "stated costs", table(read()))


if __name__ == "__main__":
    main()
