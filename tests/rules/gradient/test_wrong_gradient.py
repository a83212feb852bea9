"""Tests of wrong-gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch import verdict as types
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.diagnosis.rules.gradient.wrong_gradient import Details, text
from tb_weightwatch.diagnosis.signals import LossCourse, all_experiments
from tb_weightwatch.history import History, Record
from tests.support.rule_runs import STEP, open_verdict
from tests.support.synthetic_history import synthetic_history

NAME = "wrong-gradient"
SHOWN = "at dense the loss changes by -1 times what the gradient says (1 of 2 layers disagree)"
LEVEL = 1.1 + 0.01 * np.sin(STEP)  # a loss that stays


def record(step: int, outcome: types.Outcome = "confirmed", message: str = SHOWN) -> Record:
    experiment = types.Experiment("gradient-check", message, (types.TestedCause(NAME, outcome, message),), step=step)
    return Record(step, "experiment", experiment.as_dict())


def run_with(*records: Record, **columns: Any) -> History:
    history = synthetic_history(**columns)
    for one in records:
        history.add(one)
    return history


def test_a_confirmed_difference_is_the_cause_where_the_run_does_not_learn() -> None:
    """It holds from the row that the experiment examined, and comes first."""
    history = run_with(record(80), loss=LEVEL)
    verdict = open_verdict(history, NAME)
    assert verdict and (verdict.severity, verdict.certainty, verdict.first_step) == ("error", "likely", 80)
    diagnosis = diagnose(history)
    assert diagnosis.status == "sick" and diagnosis.verdicts[0].name == NAME
    assert (diagnosis.verdicts[0].outcome, diagnosis.suspects) == ("confirmed", ())
    assert open_verdict(history[:79], NAME) is None
    first = [open_verdict(history[:n], NAME) for n in (80, 100)]
    assert [v and v.first_step for v in first] == [80, 80]


@pytest.mark.parametrize("columns", [{}, {"loss": LEVEL, "update_norm": 0.0}], ids=["learns", "does not move"])
def test_it_is_a_note_where_the_gradient_is_not_what_keeps_the_run_from_learning(columns: dict[str, Any]) -> None:
    """Straight-through estimators differ on purpose; weights that do not move use no gradient."""
    verdict = open_verdict(run_with(record(80), **columns), NAME)
    assert verdict and verdict.severity == "info" and "on purpose" in verdict.message


def test_it_is_resolved_when_a_later_experiment_refutes_it() -> None:
    """A custom gradient that was repaired during training; an experiment that decides nothing changes nothing."""
    history = run_with(record(40), record(60, "open"), record(80, "refuted"), loss=LEVEL)
    resolved = {v.name: v for v in diagnose(history).resolved}
    assert (resolved[NAME].first_step, resolved[NAME].last_step) == (40, 79)
    assert open_verdict(run_with(record(40), record(60, "open"), loss=LEVEL), NAME)


def test_an_experiment_between_two_recorded_steps_belongs_to_the_row_before_it() -> None:
    """So a verdict is there before the next row, and its first step stays when the row comes."""
    history = synthetic_history(30, steps=[*range(1, 21), *range(101, 111)], loss=LEVEL[:30])
    history.add(record(60))
    verdict = open_verdict(history, NAME)
    assert verdict and verdict.first_step == 20
    early = synthetic_history(20, loss=LEVEL[:20])
    early.add(record(60))
    verdict = open_verdict(early, NAME)
    assert verdict and verdict.first_step == 20


def test_without_an_experiment_it_is_open_only_where_nothing_is_learned() -> None:
    """A run that learns is not asked for an experiment; one that a check left open is told so."""

    def lacked(history: History) -> list[str]:
        return [unknown.lacked for unknown in diagnose(history).unknown if unknown.rule == NAME]

    assert lacked(synthetic_history()) == lacked(run_with(record(80, "refuted"), loss=LEVEL)) == []
    assert lacked(synthetic_history(loss=LEVEL)) == [
        "whether the gradient is that of the loss shows in an experiment only: "
        "ww.probe(model, x, y, experiments=['gradient-check'])"
    ]
    assert "left it open (the slope is too small)" in lacked(
        run_with(record(80, "open", "the slope is too small"), loss=LEVEL)
    )[0]  # fmt: skip


DAMAGED: list[dict[str, Any]] = [
    {}, {"name": "gradient-check"}, {**record(1).data, "causes": "no"}, {**record(1).data, "name": ["a"]},
    {**record(1).data, "causes": [{"name": NAME, "outcome": "surely", "message": "x"}]},
    {**record(1).data, "causes": [{"name": NAME, "outcome": "confirmed", "message": 7}]},
    {**record(1).data, "curve": 3}, {**record(1).data, "steps": "many"}, {**record(1).data, "novelty": 1},
    {**record(1).data, "seconds": float("nan")}, {**record(1).data, "curve": {"rates": [10**400], "falls": [0.0]}},
]  # fmt: skip


@pytest.mark.parametrize("data", DAMAGED, ids=str)
def test_a_damaged_record_is_left_out(data: dict[str, Any]) -> None:
    """Files may hold anything; the diagnosis is that without the record."""
    history = run_with(Record(80, "experiment", data), loss=LEVEL)
    assert all_experiments(history) == ()
    assert diagnose(history) == diagnose(synthetic_history(loss=LEVEL))


def test_a_confirmed_cause_that_is_no_rule_is_no_suspect() -> None:
    """An experiment of a later version may test causes that this one does not know."""
    experiment = types.Experiment("other", "x", (types.TestedCause("unheard-of", "confirmed", "x"),), step=80)
    history = run_with(Record(80, "experiment", experiment.as_dict()), loss=LEVEL)
    assert "unheard-of" not in [suspect.name for suspect in diagnose(history).suspects]


DETAILS = Details(SHOWN, 80, learns_nothing=True, loss=LossCourse(2.83, 3.89, 3, (1, 1), (22, 24)))


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (
            DETAILS,
            f"The gradient is not that of the loss: {SHOWN}, and the loss does not fall (loss 2.83 -> 3.89, mean of "
            "the last 3 recorded steps)",
        ),
        (
            DETAILS._replace(learns_nothing=False),
            f"The gradient is not that of the loss: {SHOWN}; this is harmless if it is on purpose (a straight-through "
            "estimator, gradient reversal)",
        ),
    ],
)
def test_wording(details: Details, message: str) -> None:
    """The sentence names the layer as the experiment does, and the fix is a custom gradient that is right."""
    assert text(details).message == message
    assert "return z * z, lambda upstream: upstream * 2 * z" in text(details).fix
