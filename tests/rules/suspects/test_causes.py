"""Tests of the table: cause x symptom x fact."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tb_weightwatch.diagnosis import catalogue
from tb_weightwatch.diagnosis.suspects import TABLE
from tb_weightwatch.diagnosis.suspects.observation import Observation
from tb_weightwatch.history import History
from tests.support.strategies import histories
from tests.support.synthetic_history import synthetic_history

FACTS = {weighing.fact.__name__: weighing.fact for cause in TABLE.values() for weighing in cause.facts}
SYMPTOMS = {
    "weights-do-not-move", "weights-barely-move", "loss-no-better-than-constant", "loss-has-blown-up",
    "loss-is-not-finite", "predictions-are-equal", "ended-by-exception",
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_a_row(name: str) -> None:
    """A cause is a rule, makes symptoms that exist, says what settles it, and has a fact that speaks for it."""
    cause = TABLE[name]
    assert name in catalogue() and set(cause.symptoms) <= SYMPTOMS and cause.symptoms
    assert cause.settle and not cause.settle.endswith(".")
    weights = [weight for weighing in cause.facts for weight in (weighing.if_so, weighing.if_not)]
    assert all(math.isfinite(weight) and abs(weight) <= 8 for weight in weights) and max(weights) > 0
    facts = [weighing.fact for weighing in cause.facts]
    assert len(facts) == len(set(facts)), "a fact counts once"


def test_every_symptom_has_causes() -> None:
    """Whatever the symptom, some cause fits."""
    for symptom in SYMPTOMS:
        assert sum(symptom in cause.symptoms for cause in TABLE.values()) >= 2, symptom


@pytest.mark.parametrize("name", FACTS)
def test_a_fact(name: str) -> None:
    """A fact is documented, is known of a healthy run or says why not, and is unknown where nothing was recorded."""
    fact = FACTS[name]
    assert (inspect.getdoc(fact) or "").endswith(".")
    with np.errstate(all="ignore"):
        healthy, empty = fact(synthetic_history()), fact(synthetic_history(3, variables=(), layers=(), **NOTHING))
    assert healthy.holds is None or (healthy.text and not healthy.text.endswith("."))
    assert isinstance(empty, Observation)


NOTHING = dict.fromkeys(
    (
        "loss", "learning_rate", "iterations", "input_mean", "input_std", "input_max", "input_scale_ratio",
        "input_nonfinite", "input_constant_share", "target_mean", "target_std", "target_low", "target_high",
        "target_fraction_share", "target_nonfinite", "batch_size", "prediction_mean", "prediction_std",
    )
)  # fmt: skip


@pytest.mark.parametrize(("own", "expected"), [(True, "the program itself"), (False, "Keras"), (None, "")])
def test_who_defines_the_update_rule_is_recorded_and_not_guessed_by_its_name(own: bool | None, expected: str) -> None:
    """Keras gets new optimizers, and a program may give its own one a known name."""
    facts = {"optimizers": [{"class": "Novograd", **({} if own is None else {"own": own})}]}
    observation = FACTS["update_rule_is_own"](synthetic_history(facts=facts))
    assert observation.holds is own
    assert observation.text == (f"{expected} defines the update rule of Novograd" if expected else "")


def test_equal_kernels_are_those_of_poor_initialization() -> None:
    """A kernel of a single unit has no other unit that it could be a copy of."""
    fact = FACTS["kernels_start_constant"]
    assert fact(synthetic_history()).holds is False
    observation = fact(synthetic_history(weight_std=0.0))
    assert observation.holds is True and "started with equal elements" in observation.text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(most=40))
def test_no_fact_ever_raises(history: History) -> None:
    """Whatever was recorded, every fact answers; `diagnose` asks for facts only where there is a symptom."""
    if len(history):
        with np.errstate(all="ignore"):
            assert all(isinstance(fact(history), Observation) for fact in FACTS.values())
