"""Healthy programs: recurrent networks, attention, language models, alignment-free labels, token embeddings."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..lab import L, Lab, O
from .proof import assert_accurate, assert_explained, assert_fell, batches, callback, healthy, pairs, told

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@healthy("sequence")
def lstm_forecasts_a_wave(lab: Lab, seed: int) -> None:
    t = np.arange(600)
    wave = (np.sin(t / 7) + 0.1 * np.random.default_rng(seed).normal(size=600)).astype("f")
    x = np.stack([wave[i : i + 16] for i in range(560)])[..., None]
    model = keras.Sequential([L.Input((16, 1)), L.LSTM(16), L.Dense(1)])
    lab.fit(model, x, wave[16:576, None], optimizer=O.Adam(5e-3), epochs=8)
    assert_explained(model(x), wave[16:576], 0.8)


@healthy("sequence")
def adding_problem_with_a_long_plateau(lab: Lab, seed: int) -> None:
    """The sum of two marked numbers of a sequence: the loss stays at the variance of the sum before it falls."""
    rng = np.random.default_rng(seed)
    x = np.stack([rng.random((2000, 10)), np.zeros((2000, 10))], axis=2).astype("f")
    marks = np.stack([rng.integers(0, 5, 2000), rng.integers(5, 10, 2000)])
    for mark in marks:
        x[np.arange(2000), mark, 1] = 1
    y = (x[..., 0] * x[..., 1]).sum(axis=1, keepdims=True)
    model = keras.Sequential([L.Input((10, 2)), L.GRU(24), L.Dense(1)])
    lab.fit(model, x, y, optimizer=O.Adam(0.01), epochs=12, batch=64)
    assert_explained(model(x), y, 0.7)


def _text(rng: np.random.Generator, rows: int, length: int) -> np.ndarray:
    """Returns tokens 1 to 11 where each mostly follows from the one before."""
    tokens = np.zeros((rows, length), int)
    tokens[:, 0] = rng.integers(0, 11, rows)
    for i in range(1, length):
        jump = rng.integers(0, 11, rows)
        tokens[:, i] = np.where(rng.random(rows) < 0.1, jump, (3 * tokens[:, i - 1] + 2) % 11)
    return tokens + 1


def _block(x: Any, width: int, causal: bool) -> Any:
    """Returns a pre-normalised block of attention and two dense layers."""
    inner = L.LayerNormalization()(x)
    x = x + L.MultiHeadAttention(2, width // 2)(inner, inner, use_causal_mask=causal)
    return x + L.Dense(width)(L.Dense(2 * width, activation="gelu")(L.LayerNormalization()(x)))


@healthy("sequence")
def next_token_by_hand(lab: Lab, seed: int) -> None:
    """A small causal transformer in a compiled step, the loss alone passed on."""
    tokens = _text(np.random.default_rng(seed), 800, 13)
    start = L.Input((12,), dtype="int32")
    embedded = L.Embedding(12, 16)(start) + L.Embedding(12, 16)(keras.ops.arange(12))
    model, optimizer = keras.Model(start, L.Dense(12)(_block(embedded, 16, True))), O.AdamW(5e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(rows: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = SPARSE(rows[:, 1:], model(rows[:, :-1], training=True))
        found, _ = tf.clip_by_global_norm(tape.gradient(loss, model.trainable_variables), 1.0)
        optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))
        return loss

    losses = []
    with lab.watch(model, optimizer) as watch:
        for (rows,) in batches(seed, 200, tokens):
            losses.append(train(rows))
            watch.step(losses[-1])
    assert_fell(losses, 0.5)


@healthy("sequence")
def masked_tokens_under_fit(lab: Lab, seed: int) -> None:
    """A seventh of the tokens is hidden, and only those count (by sample weights of zero and one)."""
    rng = np.random.default_rng(seed)
    tokens = _text(rng, 1500, 12)
    hidden = rng.random(tokens.shape) < 0.15
    start = L.Input((12,), dtype="int32")
    embedded = L.Embedding(13, 24)(start) + L.Embedding(12, 24)(keras.ops.arange(12))
    model = keras.Model(start, L.Dense(13)(_block(embedded, 24, False)))
    model.compile(O.Adam(0.01), SPARSE, weighted_metrics=["accuracy"])
    seen = np.where(hidden, 0, tokens)
    model.fit(seen, tokens, sample_weight=hidden.astype("f"), epochs=6, verbose=0, callbacks=[callback(lab)])
    assert_accurate(np.asarray(model(seen))[hidden], tokens[hidden], 0.5)


@healthy("sequence")
def connectionist_labels_without_alignment(lab: Lab, seed: int) -> None:
    """Losses are sums over the time steps, in the tens, and blanks come first."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, 5, (600, 3))
    x = np.zeros((600, 12, 5), "f")
    for i, row in enumerate(labels):
        x[i, np.arange(0, 12), np.repeat(row, 4)] = 1
    x += 0.1 * rng.normal(size=x.shape).astype("f")
    model = keras.Sequential([L.Input((12, 5)), L.Conv1D(24, 3, padding="same", activation="relu"), L.Dense(5)])
    optimizer = O.Adam(0.01)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            lengths = tf.fill([len(xb)], 3), tf.fill([len(xb)], 12)
            logits = model(xb, training=True)
            loss = tf.reduce_mean(tf.nn.ctc_loss(yb, logits, *lengths, logits_time_major=False, blank_index=0))
        optimizer.apply_gradients(pairs(tape, loss, model.trainable_variables))
        return loss

    losses = []
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 150, x, labels.astype("int32")):
            losses.append(train(xb, yb))
            watch.step(losses[-1])
    assert_fell(losses, 0.4)


@healthy("sequence")
def reversed_by_an_encoder_and_a_decoder(lab: Lab, seed: int) -> None:
    """Teacher forcing with attention over the encoder's states."""
    rng = np.random.default_rng(seed)
    source = rng.integers(2, 8, (1500, 5))
    target = source[:, ::-1]
    shifted = np.concatenate([np.ones((1500, 1), int), target[:, :-1]], axis=1)
    one, two = L.Input((5,), dtype="int32"), L.Input((5,), dtype="int32")
    states, last = L.GRU(32, return_sequences=True, return_state=True)(L.Embedding(8, 12)(one))
    decoded = L.GRU(32, return_sequences=True)(L.Embedding(8, 12)(two), initial_state=last)
    logits = L.Dense(8)(L.Concatenate()([decoded, L.Attention()([decoded, states])]))
    model = keras.Model([one, two], logits)
    lab.fit(model, [source, shifted], target, optimizer=O.Adam(0.01), loss=SPARSE, epochs=6)
    assert_accurate(np.asarray(model([source, shifted])), target, 0.6)


@healthy("sequence")
def tags_of_padded_sentences(lab: Lab, seed: int) -> None:
    """`mask_zero`: whole columns of a batch are padding, and have no gradient."""
    rng = np.random.default_rng(seed)
    words = rng.integers(1, 40, (800, 12))
    words[np.arange(12)[None] >= rng.integers(3, 13, (800, 1))] = 0
    tags = (words % 3).astype("int32")
    model = keras.Sequential([L.Input((12,), dtype="int32"), L.Embedding(40, 12, mask_zero=True),
                              L.Bidirectional(L.GRU(12, return_sequences=True)), L.Dense(3)])  # fmt: skip
    lab.fit(model, words, tags, optimizer=O.Adam(0.01), loss=SPARSE, epochs=5)
    assert_accurate(np.asarray(model(words))[words > 0], tags[words > 0], 0.8)


@healthy("sequence")
def dilated_convolutions_with_gates(lab: Lab, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(400, 16, 1)).astype("f")
    y = np.roll(x, 5, axis=1)
    y[:, :5] = 0
    start = L.Input((16, 1))
    hidden, skips = L.Dense(16)(start), []
    for dilation in (1, 2, 4):
        made = [L.Conv1D(16, 2, dilation_rate=dilation, padding="causal", activation=a)(hidden)
                for a in ("tanh", "sigmoid")]  # fmt: skip
        gated = L.Multiply()(made)
        skips.append(gated)
        hidden = hidden + L.Dense(16)(gated)
    model, optimizer = keras.Model(start, L.Dense(1)(L.Add()(skips))), O.Adam(0.01)
    with lab.watch(model, optimizer) as watch:
        for xb, yb in batches(seed, 90, x, y, size=64):
            with tf.GradientTape() as tape:
                p = model(xb)
                loss = tf.reduce_mean((p - yb) ** 2)
            gradients = pairs(tape, loss, model.trainable_variables)
            optimizer.apply_gradients(gradients)
            watch.step(loss, **told(lab, inputs=xb, targets=yb, predictions=p, gradients=gradients))
    assert_explained(model(x), y, 0.5)
