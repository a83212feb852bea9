"""Healthy programs: reinforcement learning with losses of any sign, and meta-learning by assigned weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..lab import Lab, O, mlp
from .proof import callback, healthy, pairs, told

PLACES = 8  # of a corridor: reward at its right end, episodes begin anywhere and end after 12 moves


def _episode(rng: np.random.Generator, act: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns places (one-hot), moves and discounted returns of 16 walks."""
    place, places, moves, rewards = rng.integers(0, PLACES, 16), [], [], []
    for _ in range(12):
        seen = np.eye(PLACES, dtype="f")[place]
        move = act(seen)
        place = np.clip(place + 2 * move - 1, 0, PLACES - 1)
        places.append(seen)
        moves.append(move)
        rewards.append((place == PLACES - 1).astype("f"))
    returns = np.zeros((12, 16), "f")
    following = np.zeros(16, "f")
    for t in reversed(range(12)):
        following = rewards[t] + 0.9 * following
        returns[t] = following
    return np.concatenate(places), np.concatenate(moves), returns.reshape(-1)


def _sampled(rng: np.random.Generator, model: Any) -> Any:
    return lambda seen: (rng.random(len(seen)) < tf.nn.softmax(model(seen)).numpy()[:, 1]).astype(int)


def _assert_goes_right(scores: Any) -> None:
    moves = np.asarray(scores).argmax(axis=1)
    assert moves[:-1].mean() > 0.9, moves


@healthy("reinforcement")
def reinforce_without_a_baseline(lab: Lab, seed: int) -> None:
    """The loss is log probability times return: its value says nothing, and rises or falls."""
    rng = np.random.default_rng(seed)
    model, optimizer = mlp(PLACES, 16, 2, seed=seed), O.Adam(0.02)
    with lab.watch(model, optimizer) as watch:
        for _ in range(60):
            places, moves, returns = _episode(rng, _sampled(rng, model))
            with tf.GradientTape() as tape:
                log_p = -tf.nn.sparse_softmax_cross_entropy_with_logits(moves, model(places))
                loss = -tf.reduce_mean(log_p * returns)
            optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
            watch.step(loss)
    _assert_goes_right(model(np.eye(PLACES, dtype="f")))


@healthy("reinforcement")
def policy_gradient_with_normalised_returns(lab: Lab, seed: int) -> None:
    """Returns have mean zero and deviation one: the loss is near zero at every step, on either side of it."""
    rng = np.random.default_rng(seed)
    model, optimizer = mlp(PLACES, 16, 2, activation="tanh", seed=seed), O.RMSprop(0.01)
    with lab.watch(model, optimizer) as watch:
        for _ in range(60):
            places, moves, returns = _episode(rng, _sampled(rng, model))
            returns = (returns - returns.mean()) / (returns.std() + 1e-6)
            with tf.GradientTape() as tape:
                p = tf.nn.softmax(model(places))
                chosen = tf.reduce_sum(p * tf.one_hot(moves, 2), axis=1)
                entropy = -tf.reduce_mean(tf.reduce_sum(p * tf.math.log(p + 1e-8), axis=1))
                loss = -tf.reduce_mean(tf.math.log(chosen) * returns) - 0.01 * entropy
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            watch.step(loss, **told(lab, inputs=places, gradients=gradients))
    _assert_goes_right(model(np.eye(PLACES, dtype="f")))


@healthy("reinforcement")
def actor_and_critic_with_two_optimizers(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    actor, critic = mlp(PLACES, 16, 2, seed=seed), mlp(PLACES, 16, 1, seed=seed + 1)
    optimizers = [O.Adam(0.02), O.Adam(0.02)]
    for optimizer, model in zip(optimizers, (actor, critic), strict=True):
        optimizer.build(model.trainable_variables)

    @tf.function
    def train(places: Any, moves: Any, returns: Any) -> Any:
        with tf.GradientTape() as acted, tf.GradientTape() as valued:
            value = critic(places)[:, 0]
            advantage = tf.stop_gradient(returns - value)
            log_p = -tf.nn.sparse_softmax_cross_entropy_with_logits(moves, actor(places))
            loss, error = -tf.reduce_mean(log_p * advantage), tf.reduce_mean(tf.square(returns - value))
        optimizers[0].apply_gradients(pairs(acted, loss, actor.trainable_variables))
        optimizers[1].apply_gradients(pairs(valued, error, critic.trainable_variables))
        return loss, error

    with lab.watch([actor, critic], optimizers) as watch:
        for _ in range(80):
            loss, error = train(*map(tf.constant, _episode(rng, _sampled(rng, actor))))
            watch.step(loss + 0.5 * error)
    _assert_goes_right(actor(np.eye(PLACES, dtype="f")))
    values = np.asarray(critic(np.eye(PLACES, dtype="f")))[:, 0]
    assert values[-1] > values[0] + 1, values  # what is left to gain; its error grows as the walks get better


def _replay(rng: np.random.Generator, count: int = 32) -> tuple[Any, ...]:
    place, move = rng.integers(0, PLACES, count), rng.integers(0, 2, count)
    after = np.clip(place + 2 * move - 1, 0, PLACES - 1)
    rows = np.eye(PLACES, dtype="f")
    return rows[place], move, rows[after], (after == PLACES - 1).astype("f")


@healthy("reinforcement")
def deep_q_with_a_target_network(lab: Lab, seed: int) -> None:
    """The error rises whenever the target network is renewed, and the values grow all the time."""
    rng = np.random.default_rng(seed)
    model, target, optimizer = mlp(PLACES, 32, 2, seed=seed), mlp(PLACES, 32, 2, seed=seed), O.Adam(5e-3)
    target.set_weights(model.get_weights())
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(place: Any, move: Any, after: Any, reward: Any) -> Any:
        aim = reward + 0.9 * tf.reduce_max(target(after), axis=1)
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(model(place) * tf.one_hot(move, 2), axis=1)
            loss = tf.reduce_mean(tf.keras.losses.huber(aim[:, None], value[:, None]))
        optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
        return loss

    with lab.watch(model, optimizer) as watch:
        for number in range(240):
            watch.step(train(*map(tf.constant, _replay(rng))))
            if number % 20 == 19:
                target.set_weights(model.get_weights())
    _assert_goes_right(model(np.eye(PLACES, dtype="f")))


@healthy("reinforcement")
def fitted_q_iteration_under_fit(lab: Lab, seed: int) -> None:
    """One short `fit` for each renewal of the targets, as tutorials do with replay memories."""
    rng = np.random.default_rng(seed)
    model, watch = mlp(PLACES, 32, 2, seed=seed), callback(lab)
    model.compile(optimizer=O.Adam(0.01), loss="mse")
    for _ in range(15):
        place, move, after, reward = _replay(rng, 256)
        aim = model(place).numpy()
        aim[np.arange(256), move] = reward + 0.8 * model(after).numpy().max(axis=1)
        model.fit(place, aim, epochs=1, verbose=0, callbacks=[watch])
    _assert_goes_right(model(np.eye(PLACES, dtype="f")))


@healthy("reinforcement")
def deterministic_policy_climbs_its_critic(lab: Lab, seed: int) -> None:
    """A one-step task with a continuous action: the actor's loss is minus the critic's value."""
    rng = np.random.default_rng(seed)
    actor, critic = mlp(2, 24, 1, last="tanh", seed=seed), mlp(3, 32, 32, 1, seed=seed + 1)
    optimizers = [O.Adam(3e-3), O.Adam(1e-2)]
    for optimizer, model in zip(optimizers, (actor, critic), strict=True):
        optimizer.build(model.trainable_variables)

    @tf.function
    def train(x: Any, tried: Any) -> Any:
        reward = 1 - (tried - 0.6 * x[:, :1]) ** 2
        with tf.GradientTape() as tape:
            error = tf.reduce_mean((critic(tf.concat([x, tried], axis=1)) - reward) ** 2)
        optimizers[1].apply_gradients(pairs(tape, error, critic.trainable_variables))
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(critic(tf.concat([x, actor(x)], axis=1)))
        optimizers[0].apply_gradients(pairs(tape, loss, actor.trainable_variables))
        return loss

    with lab.watch([actor, critic], optimizers) as watch:
        for _ in range(250):
            x = rng.uniform(-1, 1, (64, 2)).astype("f")
            tried = np.clip(np.asarray(actor(x)) + rng.normal(0, 0.5, (64, 1)), -1, 1).astype("f")
            watch.step(train(tf.constant(x), tf.constant(tried)))
    off = np.abs(np.asarray(actor(x)) - 0.6 * x[:, :1]).mean()
    assert off < 0.2, off
