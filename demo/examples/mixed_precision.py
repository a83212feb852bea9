"""Mixed precision: float16 layers, float32 weights, and a loss scale that is recorded too."""

import keras
from sklearn.datasets import load_digits

import tb_weightwatch as ww


def main(logdir: str = "logs/mixed-precision", epochs: int = 4) -> ww.WeightWatch:
    keras.utils.set_random_seed(1)
    x, y = load_digits(return_X_y=True)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, "relu", dtype="mixed_float16"),
            keras.layers.Dense(10, "softmax", dtype="float32"),  # a softmax needs float32
        ]
    )
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-2))
    model.compile(optimizer, "sparse_categorical_crossentropy")
    watch = ww.WeightWatch(logdir)
    model.fit(x.astype("float32") / 16, y, batch_size=64, epochs=epochs, verbose=0, callbacks=[watch])
    return watch


if __name__ == "__main__":
    print(main().diagnosis)
