"""Tests of dead-relu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.activations.dead_relu import (
    Details,
    GradientDetails,
    Repair,
    evidence,
    gradient_text,
    text,
)
from tb_weightwatch.diagnosis.signals import LossCourse
from tb_weightwatch.diagnosis.statements import Onset, Streak
from tests.support.rule_runs import dense_net, open_verdict, train_compiled
from tests.support.synthetic_history import synthetic_history

trains = pytest.mark.filterwarnings("ignore")  # Keras itself warns of some of these programs


def test_a_dead_layer_explains_the_zero_gradients() -> None:
    """A layer that is dead as a whole is certain; the zero gradients before it are its consequence."""
    gradient = np.array([0.0, 0.0, 0.3, 0.3])
    history = synthetic_history(
        dead_share=1.0, always_dead_share=1.0, gradient_norm=gradient, gradient_max=gradient, loss=1.1
    )
    verdict = diagnose(history).verdicts[0]
    assert verdict.name == "dead-relu" and verdict.certainty == "certain" and "'first'" in verdict.message
    # The loss of 1.1 is ln 3, that of a constant prediction: 106 reports it, and is a consequence as well.
    assert [v.name for v in verdict.explains] == ["no-learning-signal", "zero-gradient"]
    assert verdict.variables == ("first/kernel", "first/bias")


def test_many_dead_units_in_a_network_that_trains_are_healthy() -> None:
    """A partly dead layer is reported only where the loss does not decrease."""
    assert open_verdict(synthetic_history(dead_share=0.7, always_dead_share=0.7), "dead-relu") is None
    verdict = open_verdict(synthetic_history(dead_share=0.7, always_dead_share=0.7, loss=1.1), "dead-relu")
    assert verdict and verdict.certainty == "likely" and verdict.first_step == 20


@trains
@pytest.mark.parametrize("loss_alone", [False, True])
@pytest.mark.parametrize("dies", [True, False])
def test_a_dead_layer_is_found_by_the_next_one(loss_alone: bool, dies: bool, tmp_path: Path) -> None:
    """Without layer outputs, a gradient of zero of the next kernel beside one of its bias that is not proves it."""
    import keras

    from tests.support.loops import diabetes

    model = dense_net(1)
    if dies:
        model.layers[2].bias.assign(np.full(16, -1e4, "f"))
    loss, optimizer = keras.losses.MeanSquaredError(), keras.optimizers.Adam(1e-2)
    diagnosis = train_compiled(tmp_path, model, optimizer, loss, diabetes(), loss_alone=loss_alone)
    if not dies:
        assert diagnosis.status != "sick", diagnosis.sentence
        return
    verdict = diagnosis.verdicts[0]
    assert verdict.name == "dead-relu" and verdict.certainty == "certain" and "'dense_" in verdict.message
    assert model.layers[2].kernel.path in {v.path for v in model.variables if v.path.endswith(verdict.variables[0])}


@trains
def test_biases_that_are_trained_alone_are_no_dead_layer(tmp_path: Path) -> None:
    """Kernels that never move beside biases that do are left out on purpose."""
    import keras
    import tensorflow as tf

    import tb_weightwatch as ww
    from tests.support.loops import diabetes

    model, (x, y) = dense_net(1), diabetes()
    biases = [v for v in model.trainable_variables if "bias" in v.path]
    optimizer = keras.optimizers.Adam(1e-2)

    @tf.function
    def train_step(xb: Any, yb: Any) -> Any:
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(tf.square(model(xb) - yb))
        optimizer.apply_gradients(zip(tape.gradient(value, biases), biases, strict=True))
        return value

    with ww.Watch(str(tmp_path), model=model, optimizer=optimizer, verbose=False) as watch:
        for start in range(0, 240, 8):
            watch.step(train_step(tf.constant(x[start : start + 8]), tf.constant(y[start : start + 8])))
    assert "dead-relu" not in [v.name for v in watch.diagnosis.verdicts]


REPAIR = Repair(current=0.1, lower=0.01, code="    optimizer.learning_rate = 0.01")
DETAILS = Details(
    layers=("dense_1",),
    entirely=True,
    since=Onset(1_003, 1_002),
    zero_shares=(1.0,),
    dead_share=1.0,
    loss=LossCourse(1.2, 1.1, 1),
    improving=False,
    repair=REPAIR,
    variables=("dense_1/kernel", "dense_1/bias"),
)


def test_wording() -> None:
    """A dead layer is certain and has a date; a partly dead one has its share and the loss."""
    verdict = text(DETAILS)
    assert (verdict.severity, verdict.certainty, verdict.variables) == ("error", "certain", DETAILS.variables)
    assert verdict.message == (
        "The ReLU layer is dead: every unit of 'dense_1' has been zero for every recorded sample from step 1,003 on, "
        "so no gradient passes to the weights before it"
    )
    assert verdict.fix == (
        "Start the training again with an activation that can recover, and lower the learning rate from 0.1 to 0.01:\n"
        "    keras.layers.Dense(units, activation='leaky_relu', kernel_initializer='he_normal')\n"
        "    optimizer.learning_rate = 0.01"
    )
    two = text(DETAILS._replace(layers=("dense_1", "dense_2"), improving=True))
    assert two.severity == "warning" and two.message.startswith("The ReLU layers are dead: every unit of 'dense_1' and")
    assert two.message.endswith("no gradient passes to the weights before them")
    gap = text(DETAILS._replace(since=Onset(1_003, 990))).message
    assert "between step 990 and step 1,003 (steps 991 to 1,002 were not recorded) and since" in gap
    assert "from the first step on" in text(DETAILS._replace(since=Onset(1, 0))).message
    partly = text(DETAILS._replace(entirely=False, dead_share=0.7, since=Streak(8)))
    assert partly.certainty == "likely" and partly.message == (
        "ReLU units are dead: 70 % of those of layer 'dense_1' were zero for every sample in each of the last 8 "
        "recorded steps, and the loss has fallen too little (loss 1.2 -> 1.1)"
    )


def test_the_fix_names_no_learning_rate_that_is_not_known() -> None:
    """Without a recorded learning rate there is only one to change to."""
    unknown = Repair(current=float("nan"), lower=1e-4, code="    pass")
    assert "lower the learning rate to 1e-4:" in text(DETAILS._replace(repair=unknown)).fix


def test_evidence_has_the_first_three_layers() -> None:
    """One number for each layer, of three layers at most."""
    layers = evidence(DETAILS._replace(layers=tuple("abcd"), zero_shares=(1.0, 0.9, 0.8, 0.7)))
    assert [(e.name, e.value) for e in layers] == [
        ("dead units of a", 1.0), ("dead units of b", 0.9), ("dead units of c", 0.8),
    ]  # fmt: skip


def test_wording_where_layer_outputs_were_not_recorded() -> None:
    """The message names the two variables that prove it."""
    details = GradientDetails(
        relus=("dense_1",), quantity="gradient", kernel="dense_2/kernel", bias="dense_2/bias", improving=False,
        repair=REPAIR, variables=("dense_1/kernel",),
    )  # fmt: skip
    assert gradient_text(details).message == (
        "The ReLU layer is dead: 'dense_1' outputs only zeros, since in the next layer the gradient of "
        "'dense_2/kernel' is exactly zero while that of 'dense_2/bias' is not, so the weights before it cannot change"
    )
    two = gradient_text(details._replace(relus=("dense", "dense_1"), quantity="update")).message
    assert two.startswith("The ReLU layers are dead: 'dense' and 'dense_1' output only zeros, since in the next layer")
    assert "the update of 'dense_2/kernel'" in two and two.endswith("the weights before them cannot change")


def test_a_layer_whose_input_is_zero_is_a_consequence() -> None:
    """All units of a random kernel without bias are zero in the very first step: nothing has killed them."""
    gradient = np.array([0.0, 0.0, 0.0, 0.3])
    columns: dict[str, Any] = {
        "dead_share": 1.0, "always_dead_share": 1.0, "zero_share": 1.0, "loss": 1.1, "prediction_std": 0.0,
        "gradient_norm": gradient, "gradient_max": gradient, "update_norm": gradient,
    }  # fmt: skip
    weight = np.array([3.6, 0.0, 1.4, 0.3])
    diagnosis = diagnose(synthetic_history(**columns, weight_norm=weight))
    assert diagnosis.verdicts[0].name == "constant-output"
    assert open_verdict(synthetic_history(**columns, weight_norm=weight), "dead-relu") is None
    # With a bias below zero the layer is dead itself.
    biased = synthetic_history(**columns, weight_norm=np.array([3.6, 40.0, 1.4, 0.3]))
    assert open_verdict(biased, "dead-relu") is not None
