"""A recurrent network on sequences: gradients of each kernel through time, with clipping."""

import keras
import numpy as np

import tb_weightwatch as ww


def main(logdir: str = "logs/recurrent-network", epochs: int = 8) -> ww.WeightWatch:
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    series = rng.normal(size=(1024, 12, 1)).astype("float32")
    sums = (series[:, :, 0] * np.linspace(0, 1, 12)).sum(axis=1, keepdims=True)  # what is to be remembered

    model = keras.Sequential([keras.Input((12, 1)), keras.layers.GRU(16), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-2, global_clipnorm=5.0), "mse")
    watch = ww.WeightWatch(logdir)
    model.fit(series, sums, batch_size=64, epochs=epochs, verbose=0, callbacks=[watch])
    return watch


if __name__ == "__main__":
    print(main().diagnosis)
