"""Healthy programs: curricula, early stopping, rates that fall and jump."""

from __future__ import annotations

import keras
import tensorflow as tf

from ..lab import Lab, O, data, mlp
from .proof import assert_accurate, batches, callback, healthy, pairs, told

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@healthy("curriculum")
def easy_digits_first(lab: Lab, seed: int) -> None:
    """Two classes, then five, then ten: the loss jumps up twice."""
    x, y = data("digits")
    model, optimizer = mlp(64, 48, 10, seed=seed), O.Adam(5e-3)
    with lab.watch(model, optimizer) as watch:
        for classes in (2, 5, 10):
            for xb, yb in batches(seed, 40, x[y < classes], y[y < classes]):
                with tf.GradientTape() as tape:
                    p = model(xb)
                    loss = SPARSE(yb, p)
                gradients = pairs(tape, loss, model.trainable_variables)
                optimizer.apply_gradients(gradients)
                watch.step(loss, **told(lab, inputs=xb, targets=yb, predictions=p, gradients=gradients))
    assert_accurate(model(x), y, 0.6)


@healthy("curriculum")
def stopped_early_with_a_falling_rate(lab: Lab, seed: int) -> None:
    """The rate is cut whenever validation stands still; training ends long before its forty epochs."""
    x, y = data("breast_cancer")
    model, watch = mlp(30, 32, 1, seed=seed), callback(lab)
    model.compile(O.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True))
    plateau = keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.3, min_delta=1e-3)
    stop = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
    model.fit(x[:400], y[:400], validation_data=(x[400:], y[400:]), epochs=40, verbose=0,
              callbacks=[plateau, stop, watch])  # fmt: skip
    assert_accurate(model(x[400:]), y[400:], 0.9)


@healthy("curriculum")
def cyclic_rate_with_snapshots(lab: Lab, seed: int) -> None:
    """The rate falls to nothing and jumps up again, three times."""
    x, y = data("digits")
    model, kept = mlp(64, 32, 10, seed=seed), []
    schedule = O.schedules.CosineDecayRestarts(0.02, 57, t_mul=1.0, m_mul=1.0)
    save = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    lab.fit(model, x, y, optimizer=O.Adam(schedule), loss=SPARSE, epochs=3, callbacks=[save])
    assert len(kept) == 3
    assert_accurate(model(x), y, 0.85)
