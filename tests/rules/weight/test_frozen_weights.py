"""Tests of frozen-weights."""

from __future__ import annotations

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.weight.frozen_weights import Details, text
from tb_weightwatch.history import History, Record
from tests.support.rule_runs import NAMES, open_verdict
from tests.support.synthetic_history import VARIABLES, synthetic_history


def _frozen(*layers: str) -> History:
    """Returns the history of a model with these layers frozen."""
    variables = [{**v, "trainable": v["layer"] not in layers} for v in VARIABLES]
    moves = np.array([0.0 if v["layer"] in layers else 0.01 for v in VARIABLES])
    return synthetic_history(variables=variables, update_norm=moves)


@pytest.mark.parametrize(
    ("layers", "severity"), [(("first", "last"), "error"), (("last",), "warning"), (("first",), "info"), ((), None)]
)
def test_everything_frozen_the_head_or_the_base(layers: tuple[str, ...], severity: str | None) -> None:
    """All frozen is an error, the head a warning, the base a remark."""
    verdict = open_verdict(_frozen(*layers), "frozen-weights")
    assert (verdict.severity if verdict else None) == severity


def test_a_frozen_base_is_healthy() -> None:
    """A remark does not make a run sick."""
    assert diagnose(_frozen("first")).status == "healthy"


def test_freezing_later_keeps_its_date() -> None:
    """`trainable` is a dated fact: the verdict begins where it changed."""
    history = synthetic_history(update_norm=np.where(np.arange(120) < 99, 0.01, 0.0)[:, None])
    history.add(Record(100, "variables", {"items": [{"name": name, "trainable": False} for name in NAMES]}))
    verdict = open_verdict(history, "frozen-weights")
    assert verdict and verdict.first_step == 100


DETAILS = Details(
    names=NAMES[2:],
    elements=131,
    weights=4,
    everything=False,
    last_layer="",
    layer="last",
    custom_loop=False,
)
COMPILE = "\n    model.compile(...)   # again: otherwise the change has no effect"


@pytest.mark.parametrize(
    ("details", "message", "fix"),
    [
        (
            DETAILS._replace(everything=True),
            "Everything is frozen: all 4 weight variables have trainable=False (131 elements), so nothing can learn",
            f"Unfreeze the layers that should train:\n    model.trainable = True{COMPILE}",
        ),
        (
            DETAILS._replace(last_layer="last"),
            "The layer nearest to the loss is frozen (trainable=False): it is 'last', and layers before it are "
            "trainable; 'last/kernel' and 'last/bias' cannot change",
            f"If they should train:\n    model.get_layer('last').trainable = True{COMPILE}",
        ),
        (
            DETAILS._replace(names=("base/kernel",), layer="base", custom_loop=True),
            "1 of 4 weight variables is frozen (trainable=False): 'base/kernel'; the others are trainable",
            "If they should train:\n    model.get_layer('base').trainable = True",
        ),
    ],
)
def test_wording(details: Details, message: str, fix: str) -> None:
    """The message tells which part is frozen; the fix unfreezes it, and compiles again in `fit`."""
    assert text(details).message == message
    assert text(details).fix == fix


@pytest.mark.parametrize(("loss", "severity"), [(1.0986, "error"), (0.8, "info")])
def test_a_frozen_base_that_leaves_too_little_to_learn(loss: float, severity: str) -> None:
    """Where nearly all is frozen and the loss is that of a constant prediction, freezing is the cause of it."""
    variables = [{**v, "trainable": v["name"] == "last/bias"} for v in VARIABLES]
    moves = np.array([0.01 if v["name"] == "last/bias" else np.nan for v in VARIABLES])
    level = loss + 0.01 * np.sin(np.arange(120))
    diagnosis = diagnose(synthetic_history(variables=variables, update_norm=moves, loss=level))
    verdict = next(v for v in diagnosis.verdicts if v.name == "frozen-weights")
    assert verdict.severity == severity
    assert ("does not bring the loss clearly below 1.1" in verdict.message) is (severity == "error")
    assert [v.name for v in verdict.explains] == (["no-learning-signal"] if severity == "error" else [])
