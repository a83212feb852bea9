"""What can be told of a compiled loop that shows little: by the loss' value, and by neighbours' gradients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import tb_weightwatch as ww
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.signals import constant_prediction_loss
from tb_weightwatch.verdict import Diagnosis
from tests.rules.test_rules_doubts import NUMBERS
from tests.support.loops import diabetes, digits
from tests.support.synthetic_history import synthetic_history

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras warns of some of these programs itself
L, optimizers = keras.layers, keras.optimizers
sparse, binary = keras.losses.SparseCategoricalCrossentropy, keras.losses.BinaryCrossentropy


def train(
    folder: Path,
    model: Any,
    optimizer: Any,
    loss: Callable[[Any, Any], Any],
    data: tuple[np.ndarray, np.ndarray],
    *,
    steps: int = 40,
    shown: bool = True,
    after: Callable[[], None] = lambda: None,
) -> Diagnosis:
    """Trains in a tf.function; `shown`: data, predictions and gradients are passed on, else the loss alone."""
    x, y = data

    @tf.function
    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            p = model(xb, training=True)
            value = loss(yb, p)
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value, p, gradients

    with ww.Watch(str(folder), model=model, optimizer=optimizer, verbose=False, overhead=None) as watch:
        for number in range(steps):
            chosen = np.arange(32 * number, 32 * number + 32) % len(x)
            value, p, gradients = step(tf.constant(x[chosen]), tf.constant(y[chosen]))
            after()
            pairs = list(zip(gradients, model.trainable_variables, strict=True))
            seen = {"inputs": x[chosen], "targets": y[chosen], "predictions": p, "gradients": pairs}
            watch.step(value, **(seen if shown else {}))
    return watch.diagnosis


def net(units: int, last: str | None = None, inputs: tuple[int, ...] = (10,)) -> Any:
    keras.utils.set_random_seed(3)
    hidden = [L.Flatten(), L.Dense(16, "relu"), L.Dense(16, "relu")]
    return keras.Sequential([L.Input(inputs), *hidden, L.Dense(units, last)])


def first(diagnosis: Diagnosis) -> str:
    return diagnosis.verdicts[0].name if diagnosis.status == "sick" else diagnosis.status


def halves() -> tuple[np.ndarray, np.ndarray]:
    x, y = diabetes()
    return x, (y > 0).astype("float32")


def pictures() -> tuple[np.ndarray, np.ndarray]:
    x, y = digits()
    return x, y


@pytest.mark.parametrize(
    ("last", "loss", "units", "sick"),
    [
        ("softmax", sparse(from_logits=True), 10, True),
        (None, sparse(from_logits=False), 10, True),
        ("softmax", sparse(from_logits=False), 10, False),
        (None, sparse(from_logits=True), 10, False),
        ("sigmoid", lambda y, p: tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, p)), 1, True),
        (None, binary(from_logits=False), 1, True),
        ("sigmoid", binary(), 1, False),
        (None, binary(from_logits=True), 1, False),
    ],
)
def test_a_loss_says_by_its_value_how_it_takes_the_predictions(
    last: str | None, loss: Any, units: int, sick: bool, tmp_path: Path
) -> None:
    """Nobody said what the loss function is; three batches are enough, and the honest pairs stay silent."""
    data, inputs = (pictures(), (8, 8, 1)) if units > 1 else (halves(), (10,))
    # A function of its own: Keras repairs a doubled activation in silence where it can.
    told = train(tmp_path, net(units, last, inputs), optimizers.Adam(1e-3), lambda y, p: loss(y, tf.identity(p)), data)
    found = next((v for v in told.verdicts if v.name == "loss-activation-mismatch"), None)
    assert (found is not None) is sick, told.sentence
    if found:
        assert first(told) == found.name and found.certainty == "certain" and found.first_step <= 5
        assert "from_logits" in found.fix


@pytest.mark.parametrize("rate", [0.01, 0.5])
def test_a_table_of_all_pairs_is_told_within_five_steps(rate: float, tmp_path: Path) -> None:
    """Also where the rate is far too large: the loss that is wrong comes first."""
    x, y = diabetes()
    told = train(tmp_path, net(1), optimizers.SGD(rate), lambda t, p: tf.reduce_mean(tf.square(t - p)), (x, y[:, 0]))
    assert first(told) == "wrong-loss" and told.verdicts[0].first_step <= 5 and "32x32" in told.verdicts[0].message
    honest = train(tmp_path / "b", net(1), optimizers.SGD(0.01), lambda t, p: tf.reduce_mean(tf.square(t - p)), (x, y))
    assert honest.status != "sick"


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("dies", [True, False])
def test_a_dead_layer_is_told_by_the_one_after_it(shown: bool, dies: bool, tmp_path: Path) -> None:
    """No layer output is seen in a compiled step: a kernel without gradient beside a bias that has one proves it."""
    model = net(1)
    if dies:
        model.layers[2].bias.assign(np.full(16, -1e4, "f"))
    told = train(tmp_path, model, optimizers.Adam(1e-2), keras.losses.MeanSquaredError(), diabetes(), shown=shown)
    if not dies:
        assert told.status != "sick", told.sentence
        return
    verdict = told.verdicts[0]
    assert verdict.name == "dead-relu" and verdict.certainty == "certain" and "'dense_" in verdict.message
    assert model.layers[2].kernel.path in {v.path for v in model.variables if v.path.endswith(verdict.variables[0])}


def test_biases_that_are_trained_alone_are_no_dead_layer(tmp_path: Path) -> None:
    """Kernels that never move beside biases that do: on purpose."""
    model = net(1)
    x, y = diabetes()
    biases = [v for v in model.trainable_variables if "bias" in v.path]
    optimizer = optimizers.Adam(1e-2)

    @tf.function
    def step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(tf.square(model(xb) - yb))
        optimizer.apply_gradients(zip(tape.gradient(value, biases), biases, strict=True))
        return value

    with ww.Watch(str(tmp_path), model=model, optimizer=optimizer, verbose=False) as watch:
        for number in range(30):
            watch.step(step(tf.constant(x[number * 8 : number * 8 + 8]), tf.constant(y[number * 8 : number * 8 + 8])))
    assert "dead-relu" not in [v.name for v in watch.diagnosis.verdicts]


def test_a_constant_loss_is_known_by_the_optimizers_averages(tmp_path: Path) -> None:
    """Weights do not move and nothing but the loss is passed on: averages of zero and one value for every batch."""
    constant = train(
        tmp_path, net(1), optimizers.Adam(1e-2), lambda y, p: 1.0 + 0.0 * tf.reduce_sum(p), diabetes(), shown=False
    )
    assert first(constant) == "loss-disconnected" and "exactly 1 for every batch" in constant.sentence


# -- numbers that were misread


def test_token_ids_that_never_vary_are_constant_data(tmp_path: Path) -> None:
    """Ids have no scale, but that all samples are the same one is seen in them too; padding alone is no constant."""
    rng = np.random.default_rng(0)
    ids = np.pad(rng.integers(1, 50, (256, 6)), ((0, 0), (0, 4)))
    y = rng.integers(0, 2, 256).astype("float32")

    def told(name: str, x: np.ndarray) -> Diagnosis:
        model = keras.Sequential([L.Input((10,)), L.Embedding(50, 8), L.Flatten(), L.Dense(1, "sigmoid")])
        model.compile(optimizers.Adam(1e-2), "binary_crossentropy")
        watch = ww.WeightWatch(str(tmp_path / name), verbose=False)
        model.fit(x, y, batch_size=32, epochs=3, verbose=0, callbacks=[watch])
        return watch.diagnosis

    assert first(told("same", np.repeat(ids[:1], 256, axis=0))) == "constant-data"
    assert "constant-data" not in [v.name for v in told("varied", ids).verdicts]


CLASSES: dict[str, Any] = {
    "loss": None,
    "output_layer": {"name": "last", "activation": "linear", "units": 3},
    "target_shape": [32],
    "prediction_shape": [32, 3],
}
GUESSED: dict[str, Any] = NUMBERS | {"loss": None}


@pytest.mark.parametrize(
    ("facts", "readings", "level"),
    [
        (CLASSES, {"logit_cross_entropy": 1.0}, np.log(3)),  # class ids are no numbers
        (GUESSED, {"squared_error": 1.0}, 4.0),  # the variance of the targets
        (GUESSED, {"squared_error": 2.0}, 0.8 * 2.0),  # less than the squared error: a distance
        (GUESSED, {}, 4.0),
        (GUESSED, {"squared_error": 0.9}, 4.0),  # regularised
        (CLASSES | {"output_layer": {"name": "last", "activation": "softmax", "units": 3}},
         {"cross_entropy": 3.0, "logit_cross_entropy": 1.5}, np.nan),
        (NUMBERS | {"loss": {"name": "huber", "class": "Huber"}}, {}, 1.6),
    ],
)  # fmt: skip
def test_what_takes_no_skill_is_known_by_the_value_of_the_loss(
    facts: dict[str, Any], readings: dict[str, float], level: float
) -> None:
    """A loss of 1 that nobody named: the batch's own readings say what it can be."""
    history = synthetic_history(loss=1.0, target_mean=0.0, target_std=2.0, facts=facts, **readings)
    assert constant_prediction_loss(history)[-1] == pytest.approx(level, nan_ok=True)


@pytest.mark.parametrize(("late", "sick"), [(51_400.0, True), (41_300.0, False)])
def test_targets_far_from_scale_keep_the_loss_above_that_of_their_mean(late: float, sick: bool) -> None:
    """Half of the way down to it in a hundred steps is slow; what has arrived there is another matter."""
    loss = np.linspace(63_800.0, late, 120) if sick else 41_300 + 22_500 * np.exp(-np.arange(120) / 8)
    history = synthetic_history(
        loss=loss, facts=NUMBERS, target_mean=150.0, target_std=203.0, target_fraction_share=1.0
    )
    assert ("unscaled-target" in [v.name for v in diagnose(history).verdicts]) is sick
