"""Alerts of a diagnosis, and the actions that they lead to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import tb_weightwatch as ww
from tb_weightwatch.actions import new_alerts
from tb_weightwatch.capture.alerts import Alerts, checked_action
from tb_weightwatch.verdict import Diagnosis, Symptom, Verdict

CERTAIN = Verdict(501, "learning-rate-zero", "optimizer", "error", "certain", ("w",), 3, 9, False,
                  "The learning rate is exactly 0", (), "Set a learning rate above 0")  # fmt: skip
LIKELY = replace(CERTAIN, code=502, name="learning-rate-too-small", certainty="likely", message="It is too small")
INFO = replace(CERTAIN, name="frozen-weights", severity="info")
SYMPTOM = Symptom("weights-do-not-move", "weight", "error", "The weights do not move", ("w",), 1, 9)


def diagnosis(*verdicts: Verdict, symptoms: tuple[Symptom, ...] = (), step: int = 9) -> Diagnosis:
    return Diagnosis("sick", "Sick.", verdicts=verdicts, symptoms=symptoms, step=step, rows=step)


def alert(verdict: Verdict | None = None, symptom: Symptom | None = None, step: int = 9) -> ww.Alert:
    """Returns the only alert of a diagnosis with this verdict or symptom."""
    of_verdict, of_symptom = (verdict,) if verdict else (), (symptom,) if symptom else ()
    (only,) = new_alerts(diagnosis(*of_verdict, symptoms=of_symptom, step=step), set(), "logs")
    return only


def test_each_finding_is_an_alert_once() -> None:
    """Verdicts and symptoms are new once, and again when they become certain or confirmed; information is none."""
    known: set[tuple[str, ...]] = set()
    first = new_alerts(diagnosis(LIKELY, INFO, symptoms=(SYMPTOM,)), known, "logs")
    assert [(a.kind, a.name, a.code) for a in first] == [
        ("verdict", "learning-rate-too-small", 502),
        ("symptom", "weights-do-not-move", 0),
    ]
    assert new_alerts(diagnosis(LIKELY, symptoms=(SYMPTOM,)), known, "logs") == []
    (confirmed,) = new_alerts(diagnosis(replace(LIKELY, outcome="confirmed")), known, "logs")
    assert confirmed.confirmed and confirmed.run == "logs"
    (certain,) = new_alerts(diagnosis(replace(LIKELY, certainty="certain")), known, "logs")
    assert certain.certainty == "certain"


def test_an_alert_reads_like_a_notification() -> None:
    """Its text has cause, step, numbers and fix."""
    assert str(alert(CERTAIN)) == (
        "501 learning-rate-zero, seen at step 9: The learning rate is exactly 0. Fix: Set a learning rate above 0"
    )
    assert str(alert(symptom=SYMPTOM)) == "weights-do-not-move, seen at step 9: The weights do not move."


@pytest.mark.parametrize(
    ("when", "fires_on"),
    [("certain", {"certain", "confirmed"}), ("likely", {"certain", "confirmed", "likely"}),
     ("symptom", {"certain", "confirmed", "likely", "symptom"})],
)  # fmt: skip
def test_an_action_never_fires_on_less_than_was_asked(when: Any, fires_on: set[str]) -> None:
    """`when` is the least certainty that is enough."""
    alerts = {
        "certain": alert(CERTAIN),
        "confirmed": alert(replace(LIKELY, outcome="confirmed")),
        "likely": alert(LIKELY),
        "symptom": alert(symptom=SYMPTOM),
    }
    fired = set()
    for name, one in alerts.items():
        try:
            ww.Raise(when)(one)
        except ww.SickTraining as error:
            assert str(error) == str(one) and error.diagnosis is one.diagnosis
            fired.add(name)
    assert fired == fires_on


def test_causes_and_first_step_restrict_an_action() -> None:
    """Only the named causes count, by name or code, and only from the given step on."""
    for causes in (["learning-rate-zero"], [501], ["501"]):
        with pytest.raises(ww.SickTraining):
            ww.Raise(causes=causes)(alert(CERTAIN))
    ww.Raise(causes=["dead-relu", 502])(alert(CERTAIN))
    ww.Raise(after=10)(alert(CERTAIN))
    with pytest.raises(ww.SickTraining):
        ww.Raise(after=10)(alert(CERTAIN, step=10))


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: ww.StopTraining("certian"), ValueError, "did you mean 'certain'"),  # type: ignore[arg-type]
        (lambda: ww.Raise(causes="dead-relu"), TypeError, "list of names or codes"),
        (lambda: ww.Raise(causes=["ded-relu"]), ValueError, "did you mean 'dead-relu'"),
        (lambda: ww.Raise(causes=[999]), ValueError, "got 999; known are"),
        (lambda: ww.Raise(after=-1), ValueError, "must not be negative"),
        (lambda: ww.Raise(after=1.5), TypeError, "whole number"),  # type: ignore[arg-type]
        (lambda: ww.PruneTrial(3), TypeError, "optuna.Trial"),
        (lambda: checked_action(ww.StopTraining), TypeError, "ww.StopTraining"),
        (lambda: checked_action("stop"), TypeError, "function of one ww.Alert"),
    ],
)
def test_wrong_arguments_are_refused(make: Any, error: type[Exception], says: str) -> None:
    """Errors come when the action is made, and say what to do."""
    with pytest.raises(error, match=says):
        make()


def test_alerts_wait_until_they_are_delivered(capsys: pytest.CaptureFixture[str]) -> None:
    """The function is called by `deliver` only, in order; a stop is told once with its reason."""
    got: list[str] = []

    def act(alert: ww.Alert) -> None:
        got.append(alert.name)
        alert.stop()

    alerts = Alerts(act)
    alerts.update(diagnosis(CERTAIN, symptoms=(SYMPTOM,)), "logs")
    assert alerts.waiting and not got
    alerts.deliver()
    assert got == ["learning-rate-zero", "weights-do-not-move"]
    assert alerts.stopped_by == "501 learning-rate-zero"
    assert capsys.readouterr().err.count("training is stopped") == 1


def test_a_stop_holds_for_the_present_training_only(capsys: pytest.CaptureFixture[str]) -> None:
    """A further `fit` goes on, and an alert that comes with the end of the training claims to stop nothing."""
    alerts = Alerts(ww.StopTraining("likely"))
    alerts.update(diagnosis(CERTAIN), "logs")
    alerts.deliver()
    alerts.begin_training()
    assert alerts.stopped_by == ""
    capsys.readouterr()
    alerts.end_training()
    alerts.update(diagnosis(CERTAIN, LIKELY), "logs")
    assert alerts.waiting
    alerts.deliver()
    assert (alerts.stopped_by, capsys.readouterr().err) == ("", "")


def test_a_notification_that_fails_is_told_once_and_other_errors_are_meant() -> None:
    """OSErrors, which network and disk raise, do not end the training; all others do."""

    def unreachable(alert: ww.Alert) -> None:
        raise ConnectionRefusedError("no server")

    alerts = Alerts(unreachable)
    alerts.update(diagnosis(CERTAIN, LIKELY), "logs")
    with pytest.warns(RuntimeWarning, match="no server") as warned:
        alerts.deliver()
    assert len(warned) == 1

    def meant(alert: ww.Alert) -> None:
        raise KeyError("meant")

    alerts = Alerts(meant)
    alerts.update(diagnosis(CERTAIN), "logs")
    with pytest.raises(KeyError, match="meant"):
        alerts.deliver()
