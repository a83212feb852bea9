"""A GAN in a custom loop: two models, two optimizers, one recorder.

The loss of a GAN is no measure of success, so what counts here is that the weights of both models move.
"""

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import tb_weightwatch as ww


def main(logdir: str = "logs/gan", steps: int = 80) -> ww.Watch:
    keras.utils.set_random_seed(1)
    images = load_digits().data.astype("float32") / 8 - 1
    generator = keras.Sequential(
        [keras.Input((16,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(64, "tanh")], name="generator"
    )
    critic = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(64, "leaky_relu"), keras.layers.Dense(1)], name="discriminator"
    )
    optimizers = [keras.optimizers.Adam(5e-4, beta_1=0.5), keras.optimizers.Adam(5e-4, beta_1=0.5)]
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    rng = np.random.default_rng(1)

    with ww.Watch(logdir, model=[generator, critic], optimizer=optimizers) as watch:
        for _ in range(steps):
            real = images[rng.integers(0, len(images), 64)]
            noise = rng.normal(size=(64, 16)).astype("float32")
            with tf.GradientTape(persistent=True) as tape:
                fake = generator(noise, training=True)
                on_real, on_fake = critic(real, training=True), critic(fake, training=True)
                critic_loss = loss(tf.ones((64, 1)), on_real) + loss(tf.zeros((64, 1)), on_fake)
                generator_loss = loss(tf.ones((64, 1)), on_fake)
            for model, value, optimizer in zip(
                (generator, critic), (generator_loss, critic_loss), optimizers, strict=True
            ):
                optimizer.apply_gradients(
                    zip(tape.gradient(value, model.trainable_variables), model.trainable_variables, strict=True)
                )
            watch.step(generator_loss + critic_loss)
    return watch


if __name__ == "__main__":
    print(main().diagnosis)
