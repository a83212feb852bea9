"""`tf.distribute.MirroredStrategy`: the recorder sees the reduced gradients of all replicas."""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import tb_weightwatch as ww


def main(logdir: str = "logs/mirrored-strategy", epochs: int = 4) -> ww.WeightWatch:
    keras.utils.set_random_seed(1)
    x, y = load_digits(return_X_y=True)
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])  # all GPUs of a machine, if none is named
    with strategy.scope():
        model = keras.Sequential(
            [keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")]
        )
        model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
        watch = ww.WeightWatch(logdir)
    data = tf.data.Dataset.from_tensor_slices((x.astype("float32") / 16, y)).shuffle(2000, seed=1).batch(64)
    model.fit(data, epochs=epochs, verbose=0, callbacks=[watch])
    return watch


if __name__ == "__main__":
    print(main().diagnosis)
