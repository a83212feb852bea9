"""Tests of batch-norm-statistics-frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.weight.batch_norm_statistics_frozen import Details, text
from tb_weightwatch.diagnosis.signals import LossCourse
from tb_weightwatch.history import History
from tests.support.rule_runs import STEP, open_verdict
from tests.support.synthetic_history import FACTS, synthetic_history

NAME = "batch-norm-statistics-frozen"
VARIABLES = [
    {"name": "d/kernel", "shape": [16, 9], "layer": "d"},
    {"name": "bn/gamma", "shape": [9], "layer": "bn"},
    {"name": "bn/beta", "shape": [9], "layer": "bn"},
    {"name": "bn/moving_mean", "shape": [9], "layer": "bn", "trainable": False},
    {"name": "bn/moving_variance", "shape": [9], "layer": "bn", "trainable": False},
]
MOVES = np.array([0.01, 0.01, 0.01, np.nan, np.nan])
INITIAL = np.array([np.nan, np.nan, np.nan, 0.0, 3.0])  # norms of mean 0 and variance 1 of nine features
STILL = np.array([np.nan, np.nan, np.nan, 0.0, 0.0])


def _run(momentum: float = 0.99, affine: bool = True, trainable: bool = True, **columns: Any) -> History:
    """Returns the history of a BatchNormalization whose statistics are initial, unless columns say otherwise."""
    settings = {"momentum": momentum, "input_rank": 2, "synchronized": False}
    layer = {"name": "bn", "class": "BatchNormalization", "trainable": trainable, "batch_normalization": settings}
    facts = {"model": {**FACTS["model"], "layers": [{"name": "d", "class": "Dense", "weights": 144}, layer]}}
    kept = [i for i, v in enumerate(VARIABLES) if affine or v["name"] not in ("bn/gamma", "bn/beta")]
    columns = {"update_norm": MOVES, "statistic_norm": INITIAL, "statistic_change": STILL, **columns}
    columns |= {
        name: np.asarray(values)[..., kept] for name, values in columns.items() if np.shape(values)[-1:] == (5,)
    }
    return synthetic_history(variables=[VARIABLES[i] for i in kept], facts=facts, **columns)


def test_momentum_of_one_is_a_certain_warning() -> None:
    """It is reported from the fifth recorded step on, although the loss falls."""
    verdict = open_verdict(_run(momentum=1.0), NAME)
    assert verdict and (verdict.severity, verdict.certainty, verdict.first_step) == ("warning", "certain", 5)
    assert verdict.variables == ("bn/moving_mean", "bn/moving_variance")
    assert open_verdict(_run(momentum=1.0)[:4], NAME) is None


@pytest.mark.parametrize(("loss", "severity", "status"), [(None, "info", "undecided"), (1.1, "warning", "sick")])
def test_inference_mode_is_a_remark_unless_the_loss_stays(loss: Any, severity: str, status: str) -> None:
    """A model that learns without normalization is not sick; an unknown loss is no loss that stays."""
    history = _run(loss=loss, prediction_std=None)
    verdict = open_verdict(history, NAME)
    assert verdict and (verdict.severity, verdict.certainty) == (severity, "likely")
    assert (diagnose(history).status == "sick") == (status == "sick")
    falling = open_verdict(_run(), NAME)
    assert falling and falling.severity == "info"


def test_a_loss_that_stays_is_no_warning_in_the_first_steps() -> None:
    """It takes as many losses as the threshold says."""
    verdicts = [open_verdict(_run(loss=1.1)[:n], NAME) for n in (49, 50)]
    assert [v.severity for v in verdicts if v] == ["info", "warning"]


@pytest.mark.parametrize(
    "run",
    [
        {"statistic_norm": np.array([np.nan, np.nan, np.nan, 0.2, 3.0])},  # a trained base, called in inference mode
        {"statistic_norm": np.array([np.nan, np.nan, np.nan, 0.0, 2.7])},
        {"statistic_change": np.array([np.nan, np.nan, np.nan, 0.1, 0.1])},
        {"update_norm": np.array([0.01, 0.0, 0.0, np.nan, np.nan])},  # the layer is frozen, others train
        {"affine": False, "trainable": False},
        {"affine": False, "update_norm": np.array([0.0, 0.0, 0.0, np.nan, np.nan])},  # nothing trains
    ],
)
def test_statistics_that_are_kept_on_purpose_are_silent(run: dict[str, Any]) -> None:
    """Statistics that are not initial, statistics that move, and frozen layers are healthy, whatever the momentum."""
    assert open_verdict(_run(**run), NAME) is None
    assert open_verdict(_run(momentum=1.0, **run), NAME) is None


def test_without_gamma_and_beta_the_other_weights_show_that_it_trains() -> None:
    """Whether the layer itself is used is not known then, so the verdict is likely."""
    verdict = open_verdict(_run(momentum=1.0, affine=False), NAME)
    assert verdict and verdict.certainty == "likely"


def test_statistics_that_begin_to_move_and_a_layer_that_is_frozen_resolve_it() -> None:
    """The verdict ends at the step of the change, or some rows after the last update."""
    began = _run(statistic_change=np.where(STEP[:, None] < 60, STILL, 0.1))
    frozen = _run(update_norm=np.where(STEP[:, None] < 60, MOVES, np.array([0.01, 0, 0, np.nan, np.nan])))
    for history, last in ((began, 60), (frozen, 75)):
        assert [(v.name, v.last_step) for v in diagnose(history).resolved] == [(NAME, last)]


def test_accumulated_gradients_do_not_hide_it() -> None:
    """An update in every eighth step shows that the layer trains."""
    assert open_verdict(_run(update_norm=MOVES * (STEP[:, None] % 8 == 7)), NAME)


def test_what_was_not_recorded_cannot_be_judged() -> None:
    """Without the columns the rule cannot tell; without a BatchNormalization it has passed."""
    unknown = diagnose(_run(statistic_change=None)).unknown
    assert [u.lacked for u in unknown if u.rule == NAME] == [
        "change of a moving statistic was not recorded (train with ww.WeightWatch, or pass model= to ww.Watch)"
    ]
    assert NAME in diagnose(synthetic_history()).passed


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("training", "expected"), [(None, ["info"]), (True, [])])
def test_a_compiled_loop_without_training_mode(tmp_path: Path, training: Any, expected: list[str]) -> None:
    """`model(x)` in a hand-written loop is a call in inference mode."""
    import keras
    import tensorflow as tf

    import tb_weightwatch as ww

    keras.utils.set_random_seed(2)
    layers = [keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.layers.Input((4,)), *layers])
    optimizer = keras.optimizers.Adam(0.02)
    x = tf.constant(np.random.default_rng(0).normal(size=(64, 4)).astype("f"))

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            value = tf.reduce_mean((model(x, training=training) - x[:, :1]) ** 2)
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value

    with ww.Watch(str(tmp_path), model=model, optimizer=optimizer, verbose=False, overhead=None) as watch:
        for _ in range(20):
            watch.step(step())
    assert [v.severity for v in watch.diagnosis.verdicts if v.name == NAME] == expected


DETAILS = Details(
    momentum_of_one=("bn",),
    inference=(),
    duration="24 recorded steps",
    stuck=True,
    loss=LossCourse(1.1, 1.1, 1),
    affine=True,
    custom_loop=True,
)


def test_wording_of_momentum() -> None:
    """The message tells what follows in inference, and names other layers whose statistics have not moved."""
    said = text(DETAILS._replace(inference=("other",)))
    assert said.message == (
        "BatchNormalization cannot move its moving statistics, because momentum is 1: after 24 recorded steps those "
        "of 'bn' are still mean 0 and variance 1, so that the layer will normalize nothing in inference, whatever "
        "the training does; those of 'other' have not moved either"
    )
    assert "the layers will normalize" in text(DETAILS._replace(momentum_of_one=("a", "b"))).message


def test_wording_of_inference_mode() -> None:
    """The message tells the loss if it does not decrease; the fix depends on the kind of loop."""
    details = DETAILS._replace(momentum_of_one=(), inference=("bn",))
    assert text(details).message == (
        "BatchNormalization runs in inference mode: the moving statistics of 'bn' are still mean 0 and variance 1 "
        "after 24 recorded steps, although the layer trains, so it normalizes nothing, and the loss does not fall "
        "(loss 1.1 -> 1.1)"
    )
    assert "model(x, training=True)" in text(details).fix
    several = text(details._replace(inference=("a", "b"), stuck=False, custom_loop=False))
    assert several.message.endswith("although the layers train, so they normalize nothing")
    assert "training=False" in several.fix and several.severity == "info"
