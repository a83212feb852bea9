"""Synthetic recordings, written as a trainer writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tb_weightwatch import schema
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.statistics import QUANTITIES, names
from tb_weightwatch.writer import EventWriter, directory_sink

STARTED = 1_790_000_000.0
NAMES = tuple(f"dense_{i // 2}/{'bias' if i % 2 else 'kernel'}" for i in range(6))


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = STARTED) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def column(rng: np.random.Generator, name: str, shape: tuple[int, ...], nan: bool) -> Column:
    """Returns numbers as in a healthy training, or NaN as in a broken one."""
    kind = QUANTITIES[name].encoding
    if kind == "size":
        values = rng.lognormal(-7 if name.startswith("update") else 0, 0.2, shape)
    elif kind == "share":
        values = np.full(shape, 1.0 if name == "changed_share" else 0.0)
    elif kind == "cosine":
        values = rng.uniform(0, 0.5, shape)
    elif name in ("learning_rate", "loss_scale"):
        values = np.full(shape, 1e-3)
    elif kind in ("count", "flag"):
        values = np.zeros(shape)
    else:
        values = rng.normal(0, 1, shape)
    if nan and kind in ("size", "exact") and not name.startswith(("input", "target", "learning")):
        values = np.full(shape, np.nan)
    if nan and name.endswith("nonfinite") and not name.startswith(("input", "target")):
        values = np.full(shape, 10.0)
    return Column(values, np.ones(shape, bool))


def rows(start: int, count: int, *, variables: int = len(NAMES), nan_from: int | None = None, seed: int = 0) -> Rows:
    """Returns `count` rows as stored, one for each step from `start`, 50 ms apart."""
    rng = np.random.default_rng((seed, start))
    steps = np.arange(start, start + count, dtype=np.int64)
    block = Rows(steps, STARTED + 0.05 * steps)
    nan = nan_from is not None and start >= nan_from
    for name in names("variable"):
        if name.startswith("statistic_"):
            continue  # these runs have no BatchNormalization
        block.variable[name] = column(rng, name, (count, variables), nan)
    for name in names("layer"):
        block.layer[name] = column(rng, name, (count, 3), nan)
    for name in names("run"):
        block.run[name] = column(rng, name, (count,), nan)
    trend = 2.0 * np.exp(-steps / 300.0)
    block.run["loss"] = Column(np.where(nan, np.nan, trend), np.ones(count, bool))
    block.run["iterations"] = Column(steps.astype(float), np.ones(count, bool))
    block.run["batch_size"] = Column(np.full(count, 32.0), np.ones(count, bool))
    return schema.as_stored(block)


def facts(variables: tuple[str, ...] = NAMES, settings: dict[str, Any] | None = None) -> list[Record]:
    """Returns the dated records that a launch begins with; `settings` replace facts of the same name."""
    items = [
        {"name": n, "shape": [4, 4], "dtype": "float32", "layer": n.split("/")[0], "trainable": True, "optimized": True}
        for n in variables
    ]
    layers = [{"name": f"dense_{i}", "kind": "Dense", "activation": "relu"} for i in range(3)]
    model_facts: dict[str, Any] = {
        "recorder": {"kind": "fit"},
        "gradients": "used",
        "model": {"name": "sequential", "parameters": 96, "layers": []},
        "optimizers": [{"class": "Adam", "name": "adam", "config": {"learning_rate": 1e-3}}],
        "loss": {"name": "mse", "class": "MeanSquaredError", "from_logits": None},
        "precision": "float32",
        "versions": {"tensorflow": "2.21.0", "keras": "3.15.1"},
        **(settings or {}),
    }
    return [
        schema.record_as_stored(Record(0, kind, data, STARTED))
        for kind, data in (("variables", {"items": items}), ("layers", {"items": layers}), ("facts", model_facts))
    ]


def with_special_values(block: Rows) -> None:
    """Zeros in the update of all variables, no gradient for the first one, NaN and infinity, each for some steps."""
    steps = block.steps
    for name in ("update_norm", "update_max", "changed_share"):
        block.variable[name].values[(steps > 16) & (steps <= 32)] = 0.0
    none = np.zeros(block.variable["gradient_norm"].values.shape)
    none[(steps > 64) & (steps <= 72), 0] = 1.0
    block.variable["gradient_none"] = Column(none, np.ones(none.shape, bool))
    block.variable["gradient_norm"].values[(steps > 129) & (steps <= 137), 0] = np.nan
    block.variable["gradient_norm"].values[(steps > 160) & (steps <= 168), 0] = np.inf
    block.variable["gradient_norm"].values[(steps > 8) & (steps <= 12), 0] = 0.0


def write(
    logdir: Path | str,
    steps: int = 200,
    *,
    launch: str = "a1",
    burst: int = 8,
    gap: int = 0,
    dense: int = 0,
    end: str | None = "completed",
    nan_from: int | None = None,
    started: float = STARTED,
    sink: Any = None,
    close: bool = True,
    variables: tuple[str, ...] = NAMES,
    seed: int = 0,
    change: Callable[[Rows], None] = lambda _: None,
    settings: dict[str, Any] | None = None,
) -> History:
    """Writes a launch as the recorder does and returns the live History.

    Args:
        logdir: the directory of the run.
        steps: the last step; it is recorded if it falls into a burst.
        launch: the launch's id.
        burst: recorded steps in a row.
        gap: steps between bursts that are not recorded, from step `dense` on.
        dense: the first steps, which are all recorded.
        end: how the launch ended; None if nobody knows.
        nan_from: the first step with NaN.
        started: when it started.
        sink: where the events go, if not to `logdir`.
        close: whether the writer is closed.
        variables: names of the variables.
        seed: of the random numbers.
        settings: replace facts of the same name.
        change: changes a block of rows before it is written.
    """
    clock = Clock(started)
    writer = EventWriter(sink or directory_sink(logdir), launch, started, clock)
    history = History(launch, started=started)
    for record in facts(variables, settings):
        history.add(record)
        writer.add(record)
    starts = [*range(1, dense + 1, burst), *range(dense + 1, steps + 1, burst + gap)]
    for start in starts:
        block = rows(start, min(burst, steps + 1 - start), variables=len(variables), nan_from=nan_from, seed=seed)
        change(block)
        clock.now = started + 0.05 * float(block.steps[-1])
        history.append(block)
        writer.append(block)
        if start % (burst * max(10, steps // (5 * burst))) == 1:
            writer.judged(diagnose(history))
    if end:
        record = schema.record_as_stored(Record(steps, "end", {"how": end, "detail": ""}, clock.now))
        history.add(record)
        writer.add(record)
    writer.judged(diagnose(history))
    if close:
        writer.close()
    else:
        writer.flush()
    return history


def same(a: History, b: History) -> None:
    """Asserts that two Histories hold the same, to the bit."""
    assert (a.launch, a.started, a.complete, len(a)) == (b.launch, b.started, b.complete, len(b))
    assert a.records == b.records
    assert np.array_equal(a.steps, b.steps)
    assert np.array_equal(a.times, b.times)
    assert sorted(a.columns()) == sorted(b.columns())
    for name in a.columns():
        assert a.column(name).tobytes() == b.column(name).tobytes(), name
        assert np.array_equal(a.known(name), b.known(name)), name
