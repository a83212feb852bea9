"""A sweep over activation, optimizer and units, in which the loss becomes NaN with one activation."""

from __future__ import annotations

import itertools
import shutil
import time
from pathlib import Path
from typing import Any

from tests.support import synthetic_runs

ACTIVATIONS, OPTIMIZERS, UNITS = ("relu", "tanh", "exponential"), ("Adam", "SGD"), (8, 16)
GRID = tuple(itertools.product(ACTIVATIONS, OPTIMIZERS, UNITS))
BROKEN = "exponential"
STEPS = 32


def settings_of(activation: str, optimizer: str, units: int) -> dict[str, Any]:
    """Returns the facts of a trial."""
    layers = [{"class": "Dense", "activation": activation, "units": units} for _ in range(2)]
    return {
        "model": {"name": "sequential", "parameters": 12 * units, "layers": layers},
        "optimizers": [{"class": optimizer, "name": optimizer.lower(), "config": {"learning_rate": 1e-3}}],
    }


def name_of(trial: int) -> str:
    """Returns TensorBoard's name of a trial's run."""
    return f"sweep/trial-{trial:03}/weightwatch"


def write_sweep(logdir: Path, trials: int) -> None:
    """Writes trials that go through the grid again and again; those after the first round are copies."""
    for trial in range(trials):
        activation, optimizer, units = GRID[trial % len(GRID)]
        target = logdir / f"sweep/trial-{trial:03}"
        if trial >= len(GRID):
            shutil.copytree(logdir / f"sweep/trial-{trial % len(GRID):03}", target)
            continue
        nan_from = STEPS // 2 if activation == BROKEN else None
        synthetic_runs.write(target, STEPS, nan_from=nan_from, started=time.time() - 5000 + trial, seed=trial,
                             settings=settings_of(activation, optimizer, units))  # fmt: skip
