"""Runs all experiments on the clinic's programs and counts what they confirm and refute, rightly and wrongly.

    python -m tests.clinic.experiments [--write] [--jobs=N] [PART...]   resumable; PART as for `python -m tests.clinic`

Each program is trained and recorded as usual; then every experiment runs on what it left behind, so that causes are
tested that nobody suspects ("planted" ones). The results lie in tests/output/experiments; `--write` updates the tables
in docs/experiments.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TB_WEIGHTWATCH_STRICT", "1")

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "output" / "experiments"
PAGE = ROOT / "docs" / "experiments.md"
EACH = 24  # programs of one process


def step_of_loop(call: dict[str, Any]) -> Any:
    """Returns the step of `Lab.loop` as a step function, from the arguments of its call."""
    import tensorflow as tf

    model, optimizer, loss = call["model"], call["optimizer"], call["loss"]
    forward, change = call.get("forward"), call.get("change")
    listed = model.trainable_variables if call.get("variables") is None else call["variables"]

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True) if forward is None else forward(x))
        gradients = tape.gradient(value, listed)
        gradients = change(gradients) if change else gradients
        if call.get("apply", True):
            with contextlib.suppress(ValueError) if all(g is None for g in gradients) else contextlib.nullcontext():
                optimizer.apply_gradients(zip(gradients, listed, strict=True))
        return value

    return step


def results() -> dict[str, dict[str, Any]]:
    """Returns the lines written so far, by name of the program."""
    file = FOLDER / "programs.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return {line["name"]: line for line in map(json.loads, lines)}


def run_program(name: str) -> dict[str, Any]:
    """Trains a program, runs the experiments, and returns its line."""
    from tb_weightwatch.capture import probing
    from tests.clinic.lab import Lab
    from tests.clinic.programs import PROGRAMS

    calls: list[dict[str, Any]] = []
    loop = Lab.loop

    def noted_loop(lab: Any, model: Any, x: Any, y: Any, **options: Any) -> Any:
        calls.append({"model": model, "x": x, "y": y, **options})
        return loop(lab, model, x, y, **options)

    def keep(kept: Any, batch: Any) -> None:
        kept.batches.append(batch)

    probing.Probing.keep, Lab.loop = keep, noted_loop  # type: ignore[method-assign]
    try:
        with tempfile.TemporaryDirectory() as folder:
            lab = Lab(Path(folder))
            try:
                PROGRAMS[name].run(lab)
            except Exception as error:
                lab.broke(error)
            if not lab.watches:
                return {"name": name, "lost": "nothing was recorded"}
            return {"name": name, **_experimented(lab.watches[-1], calls)}
    finally:
        Lab.loop = loop  # type: ignore[method-assign]


def _batches(x: Any, y: Any) -> list[Any]:
    """Returns batches of 32 samples of the loop's data, in a random order, as a user would hand them over."""
    import keras
    import numpy as np

    from tb_weightwatch.capture.observe import sample_count, selected_samples

    order = np.random.default_rng(0).permutation(sample_count(x, y))[: 32 * 32]
    groups = [order[i : i + 32] for i in range(0, len(order), 32)]
    full = [group for group in groups if len(group) == len(groups[0])]
    return [keras.utils.pack_x_y_sample_weight(*(selected_samples(data, group) for data in (x, y))) for group in full]


def _experimented(watch: Any, calls: list[dict[str, Any]]) -> dict[str, Any]:
    import tb_weightwatch as ww
    from tb_weightwatch.probes import catalogue
    from tb_weightwatch.probes.order import suspected

    diagnosis, began = watch.diagnosis, time.perf_counter()
    arguments: dict[str, Any] = {"diagnosis": None, "budget": 120.0, "steps": 2000, "verbose": False}
    if isinstance(watch, ww.WeightWatch) and watch._probing.batches:
        arguments |= {"model": watch._launch_model, "batches": list(watch._probing.batches)}
    elif calls and calls[-1]["model"] is not None:
        call = calls[-1]
        arguments |= {"model": call["model"], "optimizer": call["optimizer"], "variables": call.get("variables")}
        arguments |= {
            "step_fn": step_of_loop(call),
            "batches": _batches(call["x"], call["y"]),
        }
    else:
        return {"lost": "the program cannot be run again from outside", "before": _answer(diagnosis)}
    try:
        report = ww.probe(**arguments)
    except Exception as error:
        return {"lost": f"{type(error).__name__}: {str(error)[:200]}", "before": _answer(diagnosis)}
    suspects = suspected(diagnosis) or {}
    useful = [e for e in report.experiments if set(catalogue()[e.name].tests) & set(suspects)]
    after = _with_records(watch.history, useful)
    return {
        "before": _answer(diagnosis),
        "after": _answer(after),
        "certain": bool(diagnosis.verdicts) and diagnosis.verdicts[0].certainty == "certain",
        "suspects": suspects,
        "experiments": [e.as_dict() for e in report.experiments],
        "seconds": round(time.perf_counter() - began, 1),
    }


def _with_records(history: Any, results: Any) -> Any:
    from tb_weightwatch.diagnosis import diagnose
    from tb_weightwatch.history import Record
    from tb_weightwatch.schema import record_as_stored

    copy = history[:]
    extended = type(history)(history.launch, started=history.started)
    for record in copy.records:
        extended.add(record)
    extended.append(copy.rows(0, len(copy)))
    step = int(history.steps[-1]) if len(history) else 0
    for result in results:  # dated as `watch.probe` would: an experiment says nothing of what came up after it
        extended.add(record_as_stored(Record(step, "experiment", replace(result, step=step).as_dict())))
    return diagnose(extended)


def _answer(diagnosis: Any) -> list[str]:
    """Returns the status, and the causes in the order in which they are named."""
    verdicts = [v.name for v in diagnosis.verdicts if v.severity != "info"]
    return [diagnosis.status, *verdicts, *(suspect.name for suspect in diagnosis.suspects)]


def main(arguments: list[str]) -> int:
    """Runs what is missing, prints the tables, and updates the page with --write."""
    if "--worker" in arguments:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in arguments[arguments.index("--worker") + 1 :]:
            line = run_program(name)
            with (FOLDER / "programs.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
        return 0
    from tests.clinic.programs import chosen

    jobs = next((int(a.removeprefix("--jobs=")) for a in arguments if a.startswith("--jobs=")), 2)
    wanted = [one.name for one in chosen([a for a in arguments if not a.startswith("-")])]
    while missing := [name for name in wanted if name not in results()]:
        batches = [missing[i : i + EACH] for i in range(0, len(missing), EACH)][:jobs]
        workers = [
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.clinic.experiments", "--worker", *batch], cwd=ROOT
            )
            for batch in batches
        ]
        for worker, batch in zip(workers, batches, strict=True):
            worker.wait()
            lost = next((name for name in batch if name not in results()), None)
            if lost:
                with (FOLDER / "programs.jsonl").open("a") as file:
                    file.write(json.dumps({"name": lost, "lost": f"exit code {worker.returncode}"}) + "\n")
    from tests.clinic.experiment_tables import count, tables
    from tests.support.document_tables import replace_block

    text = tables(count(line for line in results().values() if line["name"] in wanted))
    print(text)
    if "--write" in arguments:
        replace_block(PAGE, "outcomes", text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
