"""Transfer learning: a frozen base is trained first with a new head, then thawed and trained at a low learning rate.

Frozen weights that do not move are no fault here, and the panel shows them as frozen.
"""

import keras
from sklearn.datasets import load_digits

import tb_weightwatch as ww


def main(logdir: str = "logs/transfer-learning", epochs: int = 3) -> ww.WeightWatch:
    keras.utils.set_random_seed(1)
    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1).astype("float32") / 16
    old, new = y < 5, y >= 5

    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
        ]
    )
    teacher = keras.Sequential([base, keras.layers.Dense(5, activation="softmax")])
    teacher.compile("adam", "sparse_categorical_crossentropy")
    teacher.fit(x[old], y[old], epochs=epochs, verbose=0)  # what others have trained

    base.trainable = False
    model = keras.Sequential([keras.Input((8, 8, 1)), base, keras.layers.Dense(5, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    watch = ww.WeightWatch(logdir)
    model.fit(x[new], y[new] - 5, epochs=epochs, verbose=0, callbacks=[watch])

    base.trainable = True
    model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")  # or the change has no effect
    model.fit(x[new], y[new] - 5, epochs=epochs, verbose=0, callbacks=[watch])
    return watch


if __name__ == "__main__":
    print(main().diagnosis)
