"""Tests of the ranking, and of which likely verdicts give way to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.verdict import Diagnosis
from tests.support.growing_history import check_growing
from tests.support.rule_runs import ROOT_SIZES, STEP, open_verdict
from tests.support.synthetic_history import VARIABLES, synthetic_history

FLAT = 1.1 + 0.02 * np.sin(STEP)
NO_OPTIMIZER: dict[str, Any] = {
    "facts": {"optimizers": [], "recorder": {"kind": "loop"}}, "learning_rate": None, "iterations": None,
}  # fmt: skip
BARELY = {**NO_OPTIMIZER, "loss": FLAT, "update_norm": 2e-6 * ROOT_SIZES, "gradient_norm": ROOT_SIZES}


def test_a_symptom_makes_a_run_sick_and_names_the_first_suspect() -> None:
    """Nothing is known of the optimizer, but an update is its gradient times a tiny number."""
    diagnosis = diagnose(synthetic_history(**BARELY))
    assert diagnosis.status == "sick" and not diagnosis.verdicts
    first = diagnosis.suspects[0]
    assert (first.name, first.code, first.link) == ("learning-rate-too-small", 502, "optimizer")
    assert "an update is its gradient times 2e-6 (0.01 is usual)" in first.supports
    assert first.settle and first.fix and 0.5 < first.probability < 1
    assert diagnosis.sentence.startswith("The weights barely move: ")
    assert "Most probable cause: learning-rate-too-small (" in diagnosis.sentence


def test_suspects_are_ranked() -> None:
    """Several may be right, so their probabilities need not add up to 1."""
    suspects = diagnose(synthetic_history(**BARELY)).suspects
    probabilities = [suspect.probability for suspect in suspects]
    assert probabilities == sorted(probabilities, reverse=True) and all(0 < p < 1 for p in probabilities)
    assert len({suspect.name for suspect in suspects}) == len(suspects)


@pytest.mark.parametrize("columns", [{}, {"loss": None}, {"loss": np.full(120, 0.01)}])
def test_a_healthy_run_has_no_suspects(columns: dict[str, Any]) -> None:
    """Suspects need a symptom."""
    diagnosis = diagnose(synthetic_history(**columns))
    assert diagnosis.suspects == () and diagnosis.symptoms == ()


def test_a_certain_verdict_leaves_no_suspects() -> None:
    """A learning rate of exactly 0 explains weights that stand."""
    diagnosis = diagnose(synthetic_history(loss=FLAT, update_norm=0.0, learning_rate=0.0))
    assert diagnosis.verdicts[0].name == "learning-rate-zero" and diagnosis.suspects == ()
    assert [symptom.name for symptom in diagnosis.symptoms] == ["weights-do-not-move"]


def test_a_likely_verdict_gives_way_to_a_far_more_probable_cause() -> None:
    """The loss stays at ln 3 because a single bias moves, and not because there is no signal."""
    update = np.where([v["name"] == "last/bias" for v in VARIABLES], 0.01 * ROOT_SIZES, 0.0)
    history = synthetic_history(loss=FLAT, update_norm=update, iterations=None)
    assert open_verdict(history, "no-learning-signal") is not None
    diagnosis = diagnose(history)
    assert not diagnosis.verdicts and diagnosis.suspects[0].name == "updates-not-applied"
    assert any(
        "have not moved in any recorded step, while others have" in fact for fact in diagnosis.suspects[0].supports
    )


def test_a_diagnosis_with_suspects_survives_json() -> None:
    """What is written is what is read; a diagnosis of an earlier version has neither symptoms nor suspects."""
    diagnosis = diagnose(synthetic_history(**BARELY))
    data = diagnosis.as_dict()
    assert Diagnosis.from_dict(data) == diagnosis
    del data["symptoms"], data["suspects"]
    assert Diagnosis.from_dict(data).suspects == ()


def test_a_growing_run_gets_the_same_suspects() -> None:
    """What was derived from earlier rows is used again."""
    check_growing(synthetic_history(**BARELY), [1, 20, 45, 80, 119])
