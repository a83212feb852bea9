"""Recording large variables: what a row costs, and which memory it needs beyond that of the training."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from statistics import median

import numpy as np

from tests.support.peak_memory import PeakMemory

from .meter import worked

VARIABLES = 4
STEPS = 5


def parameters(count: int) -> dict[str, float]:
    """Records an eager loop with so many float32 parameters in four variables.

    A step adds a gradient that is always the same tensor, so that the training itself needs as little memory as any.
    """
    import tensorflow as tf

    import tb_weightwatch as ww

    rng, size = np.random.default_rng(0), count // VARIABLES
    shape = (max(1, size // 1000), min(1000, size))
    gradient = tf.constant(rng.standard_normal(shape, dtype="float32"))
    variables = [tf.Variable(rng.standard_normal(shape, dtype="float32"), name=f"v{i}") for i in range(VARIABLES)]

    def step() -> None:
        for variable in variables:
            variable.assign_sub(gradient)

    def train(record: Callable[[], object]) -> float:
        def whole() -> None:
            step()
            record()

        whole()
        return median(worked(whole)[0] for _ in range(STEPS))

    plain = train(lambda: None)
    memory = PeakMemory()
    pairs = [(gradient, variable) for variable in variables]
    with tempfile.TemporaryDirectory() as logs:
        watch = ww.Watch(logs, variables=variables, overhead=None, verbose=False, maps=False)

        def record() -> int:
            watch.step(1.0, gradients=pairs)
            return len(watch.history)  # waits until the row is measured

        recorded = train(record)
        watch.close()
    return {
        "row_ms": recorded - plain,
        "step_ms": plain,
        "extra_mb": memory.growth(),
        "weights_mb": 4e-6 * size * VARIABLES,
    }
