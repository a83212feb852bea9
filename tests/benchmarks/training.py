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
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

import tb_weightwatch as ww

from .models import SUBJECTS, Subject

CHUNK = 2.0  # seconds of training by turns, about: a `fit` begins and ends with some milliseconds of ours
FIRST = 12  # steps of each before the turns begin
SELDOM = 4  # every so many rounds, arms whose steps are all alike have their turn


class Arm(NamedTuple):
    """A training that can go on for so many steps."""

    run: Callable[[int], None]
    watch: Any = None


def compiled(subject: Subject, jit: bool) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = subject.build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(subject.optimizer(), loss=loss, jit_compile=jit)
    return model


def batch_of(subject: Subject) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return subject.inputs(rng, subject.batch), rng.integers(0, subject.classes, subject.batch).astype("int32")


def batches_of(subject: Subject) -> tf.data.Dataset:
    """Returns the same batch without end."""
    options = tf.data.Options()
    options.autotune.enabled = False  # else a fit ends only when tf.data's tuner wakes, after 2.55, 5.11 ... seconds
    return tf.data.Dataset.from_tensors(batch_of(subject)).repeat().with_options(options)


def traced_step(model: keras.Model, optimizer: Any, jit: bool) -> Callable[[Any, Any], Any]:
    """Returns a traced training step of one's own, which returns its loss and its gradients."""
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    variables = model.trainable_variables

    @tf.function(jit_compile=jit)
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss, gradients

    return step  # type: ignore[no-any-return]


def fit(subject: Subject, jit: bool) -> Callable[[list[Any]], Callable[[int], None]]:
    """Returns what makes, for some callbacks, what trains so many steps by `model.fit`; all of them the same model."""
    model = compiled(subject, jit)
    batches = batches_of(subject)

    def trained(callbacks: list[Any]) -> Callable[[int], None]:
        return lambda n: model.fit(batches, steps_per_epoch=n, verbose=0, shuffle=False, callbacks=callbacks)

    return trained


def loop(subject: Subject, jit: bool) -> Callable[..., Arm]:
    """Returns what makes, with a Watch or without, what trains so many steps by a traced function of one's own.

    The function returns its gradients, as `watch.step(gradients=)` wants them, also where there is no Watch: that alone
    costs 1 to 2 % of the MLP's step.
    """
    keras.utils.set_random_seed(1)
    model, optimizer = subject.build(), subject.optimizer()
    x, y = (tf.constant(part) for part in batch_of(subject))
    variables = model.trainable_variables
    optimizer.build(variables)

    def trained(watch_of: Callable[[Any, Any], Any] | None = None) -> Arm:
        watch = watch_of(model, optimizer) if watch_of else None
        budget = watch._gate.budget if watch is not None else None
        if budget is not None:
            budget.pause()
        step = traced_step(model, optimizer, jit)

        def run(count: int) -> None:
            if budget is not None:
                budget.begin()
                watch._gate.leave_untimed()  # the others' turn was no step of this training
            for _ in range(count):
                loss, gradients = step(x, y)
                if watch is not None:
                    watch.step(loss, inputs=x, targets=y, gradients=zip(gradients, variables, strict=True))
            loss.numpy()
            if budget is not None:
                budget.pause()  # what comes now is the others' turn, not this training

        return Arm(run, watch)

    return trained


def always(watch: Any) -> Any:
    """Makes a recorder take every step, which none does by itself."""
    watch._gate.schedule.due = lambda step: True
    return watch


def arms(subject: Subject, way: str, jit: bool, folder: Path, peers: bool = False) -> dict[str, Arm]:
    """Returns the trainings that go by turns: the same weights in the same places of memory, or several percent of
    what is measured would be where a model's tensors happen to lie."""
    told: dict[str, Any] = {"verbose": False}
    if way == "loop":
        trained = loop(subject, jit)
        return {
            "plain": trained(),
            "default": trained(lambda m, o: ww.Watch(folder / "default", m, o, **told)),
            "every": trained(lambda m, o: always(ww.Watch(folder / "every", m, o, overhead=None, **told))),
        }
    fitted = fit(subject, jit)
    usual = ww.WeightWatch(folder / "default", **told)
    every = always(ww.WeightWatch(folder / "every", overhead=None, **told))
    found = {"plain": Arm(fitted([])), "default": Arm(fitted([usual]), usual), "every": Arm(fitted([every]), every)}
    if peers:
        found["keras"] = Arm(fitted([keras.callbacks.TensorBoard(folder / "keras", histogram_freq=1)]))
    return found


def turns(made: dict[str, Arm], seconds: float) -> tuple[dict[str, list[float]], int]:
    """Trains by turns until the plain one has trained so many seconds; seconds of each turn, and its steps."""
    begin = time.perf_counter()
    made["plain"].run(FIRST)
    count = max(8, int(CHUNK / ((time.perf_counter() - begin) / FIRST)))
    took: dict[str, list[float]] = {name: [] for name in made}
    order, number = list(made), 0
    while sum(took["plain"]) < seconds:
        order, number = order[1:] + order[:1], number + 1
        for name in order:
            if name in ("plain", "default") or number % SELDOM == 1:
                begin = time.perf_counter()
                made[name].run(count)
                took[name].append(time.perf_counter() - begin)
            elif name != "plain":
                took[name].append(float("nan"))
    return took, count


def measure(subject: Subject, way: str, jit: bool, seconds: float, peers: bool) -> dict[str, Any]:
    """Trains by turns; ratios to plain."""
    folder = Path(tempfile.mkdtemp())
    try:
        made, started = arms(subject, way, jit, folder, peers), {}
        for name, arm in made.items():
            begin = time.perf_counter()
            arm.run(FIRST)
            started[name] = time.perf_counter() - begin
        took, count = turns(made, seconds)
        plain = np.array(took["plain"])
        found: dict[str, Any] = {"step_ms": 1e3 * float(np.median(plain)) / count}
        for name in made:
            each = np.array(took[name]) / plain
            each = each[~np.isnan(each)]
            if name != "plain" and len(each) > 1:
                low, middle, high = statistics.quantiles(each.tolist(), n=4)
                # A budget spends in bursts, and at the start: what counts is all of it. Every step is alike: the
                # median is robust.
                # In a loop each training traces a function of its own; in `fit` the model's is there already.
                first = started["plain"] if way == "loop" else FIRST * float(np.median(plain)) / count
                mine = plain[~np.isnan(took[name])].sum() + first
                whole = float((np.nansum(took[name]) + started[name]) / mine)
                found[name] = {"median": middle, "low": low, "high": high, "whole": whole}
        found["startup_s"] = {name: round(value, 2) for name, value in started.items()}
        usual = made["default"].watch
        budget, steps = usual._gate.budget, count * len(plain) + FIRST
        found |= {"reported": budget.cost, "reported_once": budget.one_off / budget.elapsed}
        found |= {"trained_s": budget.elapsed, "rows": len(usual.history), "steps": steps}
        usual._recorder.close()
        written = sum(path.stat().st_size for path in (folder / "default").rglob("*") if path.is_file())
        found |= {"bytes": written, "variables": len(usual.history.variables)}
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def peak(subject: Subject, way: str, jit: bool, name: str) -> dict[str, Any]:
    """Trains one arm alone; peak resident memory."""
    folder = Path(tempfile.mkdtemp())
    try:
        arms(subject, way, jit, folder)[name].run(100 if subject.batch > 100 else 40)
        return {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def alone(subject: Subject, jit: bool, seconds: float, debugged: bool) -> dict[str, Any]:
    """Trains by `fit` in a process of its own, as Debugger V2 needs it; median duration of a step."""
    folder = Path(tempfile.mkdtemp())
    try:
        if debugged:
            tf.debugging.experimental.enable_dump_debug_info(
                str(folder), tensor_debug_mode="CURT_HEALTH", circular_buffer_size=-1
            )
        run, took, began = fit(subject, jit)([]), [], time.perf_counter()
        run(FIRST)
        started = time.perf_counter() - began
        while sum(took) < seconds:
            begin = time.perf_counter()
            run(20)
            took.append(time.perf_counter() - begin)
        return {"step_ms": 1e3 * statistics.median(took) / 20, "startup_s": round(started, 2)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measures what the command line names."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("subject", choices=SUBJECTS)
    ask.add_argument("way", choices=("fit", "loop"))
    ask.add_argument("compiler", choices=("graph", "xla"))
    ask.add_argument("--seconds", type=float, default=75.0)
    ask.add_argument("--peers", action="store_true", help="also Keras' TensorBoard callback")
    ask.add_argument("--peak", choices=("plain", "default", "every"), help="only this one's peak memory")
    ask.add_argument("--alone", choices=("plain", "debugger"), help="only this one's step, without turns")
    given = ask.parse_args()
    subject, jit = SUBJECTS[given.subject], given.compiler == "xla"
    if given.alone:
        print(json.dumps(alone(subject, jit, given.seconds, given.alone == "debugger")))
    elif given.peak:
        print(json.dumps(peak(subject, given.way, jit, given.peak)))
    else:
        print(json.dumps(measure(subject, given.way, jit, given.seconds, given.peers)))


if __name__ == "__main__":
    main()
