"""Peak memory of a training with one variable of 100 M elements, plain and recorded, each in a process of its own.

python -m tests.benchmarks.memory
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile

SIZE = 100_000_000


def train(way: str, recorded: bool) -> float:
    """Trains eight steps; returns the peak in MB."""
    import keras
    import numpy as np
    import tensorflow as tf

    import tb_weightwatch as ww

    model = keras.Sequential([keras.Input((1000,)), keras.layers.Dense(SIZE // 1000, use_bias=False)])
    optimizer = keras.optimizers.SGD(1e-3)
    x, y = np.ones((8, 1000), "float32"), np.ones((8, 1), "float32")
    with tempfile.TemporaryDirectory() as logs:
        if way == "fit":
            model.compile(optimizer, "mse")
            watch = [ww.WeightWatch(logs, verbose=False, overhead=None)] if recorded else []
            model.fit(x, y, epochs=8, verbose=0, callbacks=watch)
        else:
            seen = ww.Watch(logs, model, optimizer, verbose=False, overhead=None) if recorded else None

            @tf.function
            def step() -> tuple[tf.Tensor, list[tf.Tensor]]:
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(model(x) - y))
                gradients = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
                return loss, gradients

            for _ in range(8):
                loss, gradients = step()
                if seen:
                    seen.step(loss, gradients=gradients)
                del gradients
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Prints the peaks."""
    if len(sys.argv) > 1:
        print(json.dumps(train(sys.argv[1], sys.argv[2] == "recorded")))
        return
    for way in ("fit", "loop"):
        peaks = {}
        for arm in ("plain", "recorded"):
            told = subprocess.run([sys.executable, "-m", __spec__.name, way, arm], capture_output=True, check=True)
            peaks[arm] = float(told.stdout.splitlines()[-1])
        more = (peaks["recorded"] - peaks["plain"]) / (SIZE * 4 / 2**20)
        print(f"{way}: {peaks['plain']:,.0f} MB plain, {peaks['recorded']:,.0f} MB recorded, {more:.2f} variables more")


if __name__ == "__main__":
    main()
