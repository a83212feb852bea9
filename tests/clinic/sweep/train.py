"""One drawn run, trained and recorded: `python -m tests.clinic.sweep.train FOLDER NAME...` appends a line for each."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TB_WEIGHTWATCH_STRICT", "1")


@dataclass
class Case:
    """A run that has been built, for a fault to be put into."""

    run: Any
    x: Any
    y: Any
    model: Any
    loss: Any
    optimizer: Any
    forward: Callable[[Any], Any] | None = None
    change: Callable[[list[Any]], list[Any]] | None = None
    after: Callable[[int], None] | None = None  # called when a step's update is made, before it is recorded
    applies: bool = True
    callbacks: list[Any] = field(default_factory=list)
    step: Any = None  # the compiled step, kept for repeats
    fresh: list[Any] | None = None  # the optimizer's variables as they began


def again(case: Case, run: Any) -> Case:
    """Makes the case the next repeat of its program: new weights, data, learning rate; nothing is traced anew."""
    import numpy as np

    from .build import inputs_of, targets_of

    other = build(run)
    case.run, case.x, case.y = run, inputs_of(run), targets_of(run)
    case.model.set_weights(other.model.get_weights())
    for variable, value in zip(case.optimizer.variables, case.fresh or (), strict=True):
        variable.assign(value)
    if run.schedule == "constant":
        case.optimizer.learning_rate = np.float32(run.rate)
    return case


def build(run: Any) -> Case:
    """Returns the run's case with its fault in it."""
    import keras

    from .build import head_of, inputs_of, model_of, optimizer_of, targets_of
    from .faults import FAULTS

    fault = FAULTS.get(run.fault)
    x, y = inputs_of(run), targets_of(run)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(run.policy)
    try:
        vocabulary = int(x.max()) + 1 if run.architecture == "embedding" else 0
        model = model_of(run, x.shape[1:], vocabulary, **(fault.dense if fault else {}))
    finally:
        keras.config.set_dtype_policy(before)
    case = Case(run, x, y, model, head_of(run)[2], optimizer_of(run, **(fault.settings(run) if fault else {})))
    if fault and fault.mutate:
        fault.mutate(case)
    return case


def train(case: Case, folder: Path) -> None:
    """Trains it, recorded below `folder`."""
    import tb_weightwatch as ww

    run = case.run
    if case.fresh is None and case.model.trainable_variables:
        case.optimizer.build(case.model.trainable_variables)
        case.fresh = [v.numpy() for v in case.optimizer.variables]
    if run.loop == "fit":
        if not run.repeat or not case.model.compiled:
            case.model.compile(optimizer=case.optimizer, loss=case.loss)
        epochs = math.ceil(run.steps * run.batch / len(case.x))
        watch = ww.WeightWatch(str(folder), verbose=False)
        chosen = {"steps_per_epoch": run.steps} if epochs == 1 else {}
        case.model.fit(
            case.x, case.y, epochs=epochs, batch_size=run.batch, verbose=0, callbacks=[*case.callbacks, watch], **chosen
        )
        return
    _by_hand(case, folder)


def _by_hand(case: Case, folder: Path) -> None:
    import numpy as np
    import tensorflow as tf

    import tb_weightwatch as ww

    run, listed = case.run, case.model.trainable_variables
    forward = case.forward or (lambda xb: case.model(xb, training=True))
    inside = run.loop != "eager"

    def apply(gradients: list[Any]) -> None:
        pairs = [(g, v) for g, v in zip(gradients, listed, strict=True) if g is not None]
        if case.applies and pairs:
            case.optimizer.apply_gradients(pairs)

    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            p = forward(xb)
            value = case.loss(yb, p)
        gradients = tape.gradient(value, listed)
        gradients = case.change(gradients) if case.change else gradients
        if inside:
            apply(gradients)
            gradients = [tf.zeros_like(v) if g is None else tf.convert_to_tensor(g)
                         for g, v in zip(gradients, listed, strict=True)]  # fmt: skip
        return value, p, gradients

    if inside:
        case.step = case.step or tf.function(step, autograph=False)
        step = case.step
    rng = np.random.default_rng([run.index, run.repeat])
    with ww.Watch(str(folder), model=case.model, optimizer=case.optimizer, verbose=False) as watch:
        for number in range(run.steps):
            chosen = rng.integers(0, len(case.x), run.batch)
            xb, yb = tf.constant(case.x[chosen]), tf.constant(case.y[chosen])
            value, p, gradients = step(xb, yb)
            if not inside:
                apply(gradients)
            if case.after:
                case.after(number)
            seen = {
                "inputs": xb,
                "targets": yb,
                "predictions": p,
                "gradients": list(zip(gradients, listed, strict=True)),
            }
            watch.step(value, **({} if run.loop == "bare" else seen))


def _program(folder: Path, name: str) -> None:
    from tests.clinic.lab import Lab
    from tests.clinic.programs import PROGRAMS

    began, broke, lab = time.perf_counter(), "", Lab(folder / name)
    try:
        PROGRAMS[name.removeprefix("program-")].run(lab)
    except Exception as error:  # judged all the same, from what was recorded
        broke = f"{type(error).__name__}: {str(error)[:300]}"
        lab.broke(error)
    _write(folder, {"name": name, "broke": broke, "seconds": round(time.perf_counter() - began, 2)})


def _write(folder: Path, line: dict[str, Any]) -> None:
    with (folder / "runs.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def main(folder: Path, names: list[str]) -> None:
    """Trains the named runs in this process and writes down how each went."""
    import tensorflow as tf

    from .build import final_loss, skill
    from .faults import drawn

    case: Any = None
    for name in names:
        began, broke = time.perf_counter(), ""
        if name.startswith("program-"):
            _program(folder, name)
            continue
        run = drawn(name)
        known = case is not None and (case.run.kind, case.run.index) == (run.kind, run.index)
        if run.repeat and not run.fault and known:
            case = again(case, run)
        else:
            tf.keras.backend.clear_session()
            case = build(run)
        try:
            train(case, folder / name)
        except Exception as error:  # a sick program may break by its own fault
            broke = f"{type(error).__name__}: {str(error)[:300]}"
        gained = skill(run, case.model, case.x, case.y)
        told = {"name": name, "skill": gained, "loss": final_loss(run, case.model, case.x, case.y), "broke": broke}
        told |= {"seconds": round(time.perf_counter() - began, 2)}
        _write(folder, told | {"run": asdict(run)})


def _one_thread() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


if __name__ == "__main__":
    _one_thread()
    main(Path(sys.argv[1]), sys.argv[2:])
