"""The fix of a cause that the learning-rate sweep confirms begins with the rate that it recommends."""

from __future__ import annotations

from dataclasses import replace

from tb_weightwatch import answers
from tb_weightwatch.diagnosis import diagnose, with_experiments
from tb_weightwatch.reader import Launch
from tests.support.suspected_run import suspected
from tests.support.synthetic_history import synthetic_history
from tests.support.tested_run import CURVE, EXPERIMENTS, diagnosis_with_experiments, experiment_records

ADVICE = "Set the learning rate to 1e-3, which the experiment recommends.\n\nIn general: "


def test_only_the_confirmed_cause_gets_the_advice() -> None:
    """Not the suspects that are refuted or open, and none where the experiment recommends no rate."""
    untested, tested = {s.name: s.fix for s in suspected(96).suspects}, diagnosis_with_experiments()
    assert [s.outcome for s in tested.suspects].count("confirmed") == 1
    for suspect in tested.suspects:
        assert suspect.fix == (ADVICE if suspect.outcome == "confirmed" else "") + untested[suspect.name]
    without = (replace(EXPERIMENTS[0], curve=replace(CURVE, recommended=None)), *EXPERIMENTS[1:])
    assert {s.name: s.fix for s in with_experiments(suspected(96), without).suspects} == untested


def test_a_later_experiment_replaces_the_advice_of_an_earlier_one() -> None:
    """The fix of the rule stands once."""
    later = replace(EXPERIMENTS[0], curve=replace(CURVE, recommended=0.1))
    fix = with_experiments(diagnosis_with_experiments(), (later, *EXPERIMENTS[1:])).suspects[0].fix
    assert fix == diagnosis_with_experiments().suspects[0].fix.replace("1e-3, which", "0.1, which")


def test_a_history_with_experiments_gives_the_same_fix_to_all() -> None:
    """What `diagnose` returns is what the panel shows."""
    history = synthetic_history(96, loss=1.1, update_norm=1e-11, weight_norm=1.0, learning_rate=1e-10)
    for record in experiment_records():
        history.add(record)
    diagnosis = diagnose(history)
    (verdict,) = (v for v in diagnosis.verdicts if v.name == "learning-rate-too-small")
    assert verdict.outcome == "confirmed" and verdict.fix.startswith(ADVICE)
    shown = answers.overview("r", Launch(history), diagnosis, 0.0)["verdicts"]
    assert [v["fix"] for v in shown if v["name"] == verdict.name] == [verdict.fix]
