"""Cases under `model.fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from .case import Seen, case
from .observe import dense, diabetes, observed


def compiled(optimizer: Any = "sgd", **options: Any) -> Any:
    def make() -> keras.Model:
        model = dense()
        model.compile(optimizer() if callable(optimizer) else optimizer, **{"loss": "mse", **options})
        return model

    return make


@case("fit", "Sequential model", "callback `WeightWatch`")
def sequential(logs: Path) -> Seen:
    return observed(logs, compiled(), diabetes())


@case("fit", "`run_eagerly=True`", "same numbers as in a graph")
def eagerly(logs: Path) -> Seen:
    return observed(logs, compiled(run_eagerly=True), diabetes())


@case("fit", "`jit_compile=True`", "measured inside the compiled step")
def jit(logs: Path) -> Seen:
    return observed(logs, compiled(jit_compile=True), diabetes())
