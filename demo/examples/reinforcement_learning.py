"""Reinforcement learning: a policy gradient in a custom loop, on a bandit whose best arm depends on the state."""

import keras
import numpy as np
import tensorflow as tf

import tb_weightwatch as ww

STATES, ARMS = 4, 3


def main(logdir: str = "logs/reinforcement-learning", steps: int = 100) -> ww.Watch:
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    payout = rng.uniform(size=(STATES, ARMS)).astype("float32")
    policy = keras.Sequential([keras.Input((STATES,)), keras.layers.Dense(16, "tanh"), keras.layers.Dense(ARMS)])
    optimizer = keras.optimizers.Adam(1e-2)

    with ww.Watch(logdir, model=policy, optimizer=optimizer) as watch:
        for _ in range(steps):
            states = np.eye(STATES, dtype="float32")[rng.integers(0, STATES, 64)]
            arms = tf.random.categorical(policy(states), 1)[:, 0].numpy()
            rewards = payout[states.argmax(axis=1), arms] + rng.normal(scale=0.1, size=64).astype("float32")
            with tf.GradientTape() as tape:
                surprise = keras.losses.sparse_categorical_crossentropy(arms, policy(states), from_logits=True)
                loss = tf.reduce_mean(surprise * (rewards - rewards.mean()))
            gradients = tape.gradient(loss, policy.trainable_variables)
            optimizer.apply_gradients(zip(gradients, policy.trainable_variables, strict=True))
            watch.step(loss, inputs=states)
    return watch


if __name__ == "__main__":
    print(main().diagnosis)
