"""Tests of single-sample-batch-norm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.activations.single_sample_batch_norm import Details, text
from tb_weightwatch.history import History
from tests.support.rule_runs import STEP, open_verdict
from tests.support.synthetic_history import FACTS, synthetic_history

NAME = "single-sample-batch-norm"
VARIABLES = [
    {"name": "d/kernel", "shape": [16, 9], "layer": "d"},
    {"name": "bn/gamma", "shape": [9], "layer": "bn"},
    {"name": "bn/beta", "shape": [9], "layer": "bn"},
    {"name": "bn/moving_mean", "shape": [9], "layer": "bn", "trainable": False},
    {"name": "bn/moving_variance", "shape": [9], "layer": "bn", "trainable": False},
]


def _statistics(momentum: float, batch_variance: Any = 0.0) -> dict[str, Any]:
    """Returns the columns of a moving mean that moves, and of a moving variance that averages these variances."""
    variance, norms, changes = 1.0, [], []
    for seen in np.broadcast_to(batch_variance, 120):
        before, variance = variance, momentum * variance + (1 - momentum) * seen
        norms.append(3 * variance)
        changes.append(3 * abs(variance - before))
    unknown, mean = np.full((120, 3), np.nan), np.full(120, 0.1)
    return {
        "statistic_norm": np.column_stack([unknown, mean, norms]),
        "statistic_change": np.column_stack([unknown, mean, changes]),
    }


def _run(
    momentum: float = 0.9, rank: int = 2, synchronized: bool = False, facts: Any = None, kind: str = "", **columns: Any
) -> History:
    """Returns the history of a BatchNormalization over batches of one sample, unless columns say otherwise."""
    settings = {"momentum": momentum, "input_rank": rank, "synchronized": synchronized}
    layer = {"name": "bn", "class": kind or "BatchNormalization", "batch_normalization": settings}
    model = {**FACTS["model"], "layers": [{"name": "d", "class": "Dense", "weights": 144}, layer]}
    columns = {"batch_size": 1, "prediction_std": None, **_statistics(momentum), **columns}
    return synthetic_history(variables=VARIABLES, facts={"model": model, **(facts or {})}, **columns)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99, 0.999])
def test_batches_of_one_sample_are_a_certain_error(momentum: float) -> None:
    """Whatever the momentum, the variance shrinks as it does for batches without variance, down to exactly 0."""
    verdict = open_verdict(_run(momentum), NAME)
    assert verdict and (verdict.severity, verdict.certainty, verdict.first_step) == ("error", "certain", 5)
    assert verdict.variables == ("bn/moving_variance",)
    assert open_verdict(_run(momentum)[:4], NAME) is None


@pytest.mark.parametrize(
    "run",
    [
        {"rank": 4},
        {"rank": None},  # not built when it was described
        {"batch_size": 2},
        {"kind": "GhostNormalization"},  # a derived class may compute anything
        {"statistic_change": 0.0},  # inference mode
        _statistics(0.9, 1.0),  # a set of several samples, reshaped into rows
        _statistics(0.9, np.linspace(0.5, 2, 120)),
        {"batch_size": np.where(STEP % 3 == 0, 1, 32)},
    ],
)
def test_other_batches_are_silent(run: dict[str, Any]) -> None:
    """Positions, other layers, inference mode, samples in another axis, and smaller last batches are healthy."""
    assert open_verdict(_run(**run), NAME) is None


@pytest.mark.parametrize(
    ("strategy", "batch_size", "synchronized", "fires"),
    [
        ("MirroredStrategy", 2, False, True),
        ("MirroredStrategy", 2, True, False),
        ("MirroredStrategy", 4, False, False),
        ("MultiWorkerMirroredStrategy", 2, False, False),  # a worker records its own part of the batch
        ("MultiWorkerMirroredStrategy", 1, False, True),
        ("MultiWorkerMirroredStrategy", 1, True, False),
    ],
)
def test_replicas_divide_the_batch(strategy: str, batch_size: int, synchronized: bool, fires: bool) -> None:
    """Each of two replicas normalizes over its own samples, unless the layer is synchronized."""
    facts = {"distribution": {"strategy": strategy, "replicas": 2}}
    verdict = open_verdict(_run(facts=facts, batch_size=batch_size, synchronized=synchronized), NAME)
    assert bool(verdict) is fires
    assert verdict is None or ("on each of 2 replicas" in verdict.message and "synchronized=True" in verdict.fix)


def test_larger_batches_resolve_it() -> None:
    """The verdict ends when most of the latest batches have several samples."""
    run = _run(batch_size=np.where(STEP < 60, 1, 32), **_statistics(0.9, np.where(STEP < 60, 0.0, 1.0)))
    assert [(v.name, v.last_step) for v in diagnose(run).resolved] == [(NAME, 75)]


def test_it_explains_what_follows() -> None:
    """A dead ReLU and a gradient of zero are its consequences."""
    run = _run(gradient_norm=np.zeros(5), gradient_max=np.zeros(5), dead_share=1.0, always_dead_share=1.0, loss=1.1)
    verdicts = diagnose(run).verdicts
    assert verdicts[0].name == NAME
    assert {v.name for v in verdicts[0].explains} >= {"dead-relu"}


def test_without_the_batch_size_it_is_unknown_only_if_the_variance_shrinks() -> None:
    """Batches of equal samples have no variance either; other batches are no reason for doubt."""

    def lacked(**run: Any) -> list[str]:
        return [u.lacked for u in diagnose(_run(batch_size=None, **run)).unknown if u.rule == NAME]

    assert lacked() == ["batch size was not recorded"]
    assert lacked(**_statistics(0.9, 1.0)) == []
    assert lacked(statistic_norm=None) == [
        "moving statistic was not recorded (train with ww.WeightWatch, or pass model= to ww.Watch)"
    ]
    assert NAME in diagnose(synthetic_history()).passed


@pytest.mark.filterwarnings("ignore")
def test_no_gradient_passes_and_the_output_is_beta(tmp_path: Path) -> None:
    """What the message states, in a real training: all gradients before the layer and that of gamma are exactly 0."""
    import keras
    import tensorflow as tf

    import tb_weightwatch as ww

    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.Activation("tanh")]
    model = keras.Sequential([keras.layers.Input((4,)), *layers, keras.layers.Dense(1)])
    x = np.random.default_rng(0).normal(size=(40, 4)).astype("f")
    watch = ww.WeightWatch(str(tmp_path), verbose=False)
    model.compile(keras.optimizers.SGD(0.05), "mse")
    model.fit(x, x[:, :1], batch_size=1, verbose=0, callbacks=[watch])
    assert watch.diagnosis.verdicts[0].name == NAME
    norms = watch.history.column("gradient_norm")
    assert [v.name.rpartition("/")[2] for v in watch.history.variables[:4]] == ["kernel", "bias", "gamma", "beta"]
    assert np.nanmax(norms[:, :3]) == 0 < np.nanmax(norms[:, 3])
    normalize = layers[1]
    normalize.gamma.assign(np.full(8, 2.0))
    outputs = normalize(tf.constant(10 * x[:1] @ np.ones((4, 8), "f")), training=True)
    np.testing.assert_allclose(outputs[0], normalize.beta, atol=1e-3)  # up to rounding


DETAILS = Details(
    layers=("bn",), output="beta", share=0.9375, recent=32, replicas=1, loss="loss 1.1 -> 1.1", custom_loop=False
)


def test_wording() -> None:
    """The message tells what the layer outputs; the fix fits the kind of loop."""
    assert text(DETAILS).message == (
        "Batches of one sample are normalized: 'bn' normalizes over one sample (in 93.8 % of the last 32 recorded "
        "steps), whose variance is exactly 0, so it outputs beta whatever the input, and no gradient passes through "
        "it to the layers before (loss 1.1 -> 1.1)"
    )
    several = text(DETAILS._replace(layers=("a", "b"), output="0", replicas=2, share=1.0, loss="", custom_loop=True))
    assert several.message == (
        "Batches of one sample are normalized: 'a' and 'b' normalize over one sample on each of 2 replicas, whose "
        "variance is exactly 0, so they output 0 whatever the input, and no gradient passes through them to the "
        "layers before"
    )
    assert "batch_size=32" in text(DETAILS).fix and "dataset.batch(32)" in several.fix
