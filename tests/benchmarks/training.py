"""One measurement, in a process of its own: the same training plain and recorded, by turns; prints JSON.

python -m tests.benchmarks.training mlp fit graph --seconds 75
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import tb_weightwatch as ww

from .models import SUBJECTS, Subject

CHUNK = 0.5  # seconds of training by turns, about
Run = Callable[[int], None]


def compiled(subject: Subject, jit: bool) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = subject.build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(subject.optimizer(), loss=loss, jit_compile=jit)
    return model


def batch_of(subject: Subject) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return subject.inputs(rng, subject.batch), rng.integers(0, subject.classes, subject.batch).astype("int32")


def fit(subject: Subject, jit: bool, callbacks: Callable[[], list[Any]]) -> tuple[Run, list[Any]]:
    """Returns what trains so many steps by `model.fit`, and the callbacks."""
    model, made = compiled(subject, jit), callbacks()
    batches = tf.data.Dataset.from_tensors(batch_of(subject)).repeat()
    return lambda n: model.fit(batches, steps_per_epoch=n, verbose=0, shuffle=False, callbacks=made), made


def loop(subject: Subject, jit: bool, watch_of: Callable[[Any, Any], Any]) -> tuple[Run, Any]:
    """Returns what trains so many steps by a traced function of one's own, and the Watch."""
    keras.utils.set_random_seed(1)
    model, optimizer = subject.build(), subject.optimizer()
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = (tf.constant(part) for part in batch_of(subject))
    variables = model.trainable_variables
    optimizer.build(variables)
    watch = watch_of(model, optimizer)

    @tf.function(jit_compile=jit)
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss, (gradients if watch is not None else None)

    def run(count: int) -> None:
        for _ in range(count):
            loss, gradients = step(x, y)
            if watch is not None:
                watch.step(loss, inputs=x, targets=y, gradients=zip(gradients, variables, strict=True))
        loss.numpy()

    return run, watch


def always(watch: Any) -> Any:
    """Makes a recorder take every step, which none does by itself."""
    watch._recorder._schedule.due = lambda step: True
    return watch


def arms(subject: Subject, way: str, jit: bool, folder: Path) -> tuple[dict[str, Run], Any]:
    """Returns the trainings that go by turns, and the recorder of the one with the usual budget."""
    told = {"verbose": False}
    if way == "fit":
        usual = ww.WeightWatch(folder / "default", **told)
        every = always(ww.WeightWatch(folder / "every", overhead=None, **told))
        lists = {"plain": [], "every": [every], "default": [usual]}
        runs = {name: fit(subject, jit, lambda made=made: made)[0] for name, made in lists.items()}
        return runs, usual
    plain, _ = loop(subject, jit, lambda m, o: None)
    each, _ = loop(subject, jit, lambda m, o: always(ww.Watch(folder / "every", m, o, overhead=None, **told)))
    some, usual = loop(subject, jit, lambda m, o: ww.Watch(folder / "default", m, o, **told))
    return {"plain": plain, "every": each, "default": some}, usual


def measure(subject: Subject, way: str, jit: bool, seconds: float) -> dict[str, Any]:
    """Trains by turns until each has trained so many seconds; ratios to plain."""
    folder = Path(tempfile.mkdtemp())
    try:
        runs, usual = arms(subject, way, jit, folder)
        started: dict[str, float] = {}
        for name, run in runs.items():
            begin = time.perf_counter()
            run(12)
            started[name] = time.perf_counter() - begin
        begin = time.perf_counter()
        runs["plain"](12)
        count = max(8, int(CHUNK / ((time.perf_counter() - begin) / 12)))
        took: dict[str, list[float]] = {name: [] for name in runs}
        order = list(runs)
        while sum(took["plain"]) < seconds:
            order = order[1:] + order[:1]
            for name in order:
                begin = time.perf_counter()
                runs[name](count)
                took[name].append(time.perf_counter() - begin)
        found: dict[str, Any] = {"step_ms": 1e3 * statistics.median(took["plain"]) / count}
        for name in ("every", "default"):
            each = [a / b for a, b in zip(took[name], took["plain"], strict=True)]
            low, middle, high = statistics.quantiles(each, n=4)
            # A budget spends in bursts: what counts is all of it. Every step is alike: the median is robust.
            whole = sum(took[name]) / sum(took["plain"])
            found[name] = {"median": middle, "low": low, "high": high, "whole": whole}
        found["startup_s"] = {name: round(value, 2) for name, value in started.items()}
        found["reported"] = usual._recorder.budget.cost
        found["rows"], found["steps"] = len(usual.history), count * len(took["plain"]) + 12
        found["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measures what the command line names."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("subject", choices=SUBJECTS)
    ask.add_argument("way", choices=("fit", "loop"))
    ask.add_argument("compiler", choices=("graph", "xla"))
    ask.add_argument("--seconds", type=float, default=75.0)
    given = ask.parse_args()
    print(json.dumps(measure(SUBJECTS[given.subject], given.way, given.compiler == "xla", given.seconds)))


if __name__ == "__main__":
    main()
