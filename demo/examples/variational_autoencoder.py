"""A variational autoencoder with a `train_step` of its own: the callback needs nothing else."""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import tb_weightwatch as ww


class VariationalAutoencoder(keras.Model):
    """Encodes an image as a normal distribution, and decodes a sample of it."""

    def __init__(self, latent: int = 4) -> None:
        super().__init__()
        self.encoder = keras.Sequential([keras.layers.Dense(64, "relu"), keras.layers.Dense(2 * latent)])
        self.decoder = keras.Sequential([keras.layers.Dense(64, "relu"), keras.layers.Dense(64)])
        self.seeds = keras.random.SeedGenerator(1)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    def call(self, x, training=False):
        mean, log_variance = tf.split(self.encoder(x), 2, axis=-1)
        noise = keras.random.normal(tf.shape(mean), seed=self.seeds)
        divergence = -0.5 * tf.reduce_sum(1 + log_variance - mean**2 - tf.exp(log_variance), axis=-1)
        return self.decoder(mean + tf.exp(0.5 * log_variance) * noise), divergence

    def train_step(self, data):
        x = data
        with tf.GradientTape() as tape:
            decoded, divergence = self(x, training=True)
            error = tf.reduce_sum(tf.square(x - decoded), axis=-1)
            loss = tf.reduce_mean(error + 0.1 * divergence)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


def main(logdir: str = "logs/variational-autoencoder", epochs: int = 8) -> ww.WeightWatch:
    keras.utils.set_random_seed(1)
    images = load_digits().data.astype("float32") / 16
    model = VariationalAutoencoder()
    model.compile(keras.optimizers.Adam(3e-3))
    watch = ww.WeightWatch(logdir)
    model.fit(images, batch_size=64, epochs=epochs, verbose=0, callbacks=[watch])
    return watch


if __name__ == "__main__":
    print(main().diagnosis)
