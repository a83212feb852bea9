"""Fifty clients at 1,000 runs: how long our list and those of TensorBoard take, by turns in one TensorBoard."""

from __future__ import annotations

import os

from tests.support.tensorboard_process import tensorboard

from ..load import LISTS, OURS, Client, under_load, wait_for_all
from .runs import FAST, prepared

RUNS = 1000
SECONDS, ROUNDS = 3.0, 3
NAMES = dict(zip(LISTS, ("ours", "whole", "scalars", "runs"), strict=True))


def load(clients: int) -> dict[str, float]:
    """Lets so many clients ask for lists of 1,000 runs, which `runs` has written, without a pause."""
    with tensorboard(prepared(), FAST, tensorflow=False) as address:
        wait_for_all(address, OURS, RUNS)
        found: dict[str, float] = {"load_average": os.getloadavg()[0]}
        for row in under_load([Client(address) for _ in range(clients)], SECONDS, ROUNDS):
            name = NAMES[row["list"]]
            found |= {f"{name}_{key}": row[key] for key in ("p50_ms", "p99_ms")}
            found[f"{name}_rate"] = row["requests"] / (SECONDS * ROUNDS)
        return found
