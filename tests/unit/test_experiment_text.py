"""What experiments have shown, as text: in a diagnosis, for suspects, on the command line and in a JUnit file."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from tb_weightwatch import verdict as types
from tb_weightwatch.cli import review_table
from tb_weightwatch.cli.formats import FORMATS
from tb_weightwatch.cli.review_result import JobResult, Review
from tb_weightwatch.diagnosis import with_experiments
from tb_weightwatch.diagnosis.engine.summary_sentence import overall_status
from tb_weightwatch.verdict import (
    Diagnosis,
    Experiment,
    experiment_answer,
    experiment_fact,
    experiment_lines,
    headline,
    outcome_lines,
    suspect_facts,
    suspect_lines,
    suspect_title,
)
from tests.support.histories import recorded_history
from tests.support.suspected_run import MESSAGE, suspected
from tests.unit.test_suspects import CAUSE, NOTE, result

FALLS = "with a learning rate of 1e-3 the loss falls by 41 % in 12 steps; with the present 1e-10 it does not change"
SWEEP = Experiment(
    "learning-rate-sweep",
    FALLS,
    (
        types.TestedCause("learning-rate-too-small", "confirmed", FALLS),
        types.TestedCause("learning-rate-too-large", "refuted", FALLS),
    ),
    step=96,
    steps=1104,
    seconds=0.94,
)
CHECK = Experiment(
    "gradient-check",
    "gradient and finite differences agree at all layers",
    (types.TestedCause("vanishing-gradient", "open", "the slope is too small"),),
    steps=1,
    seconds=0.1,
)
FAILED = Experiment("optimizer-swap", "TypeError ended it; the state was restored", end="failed", steps=3)
SKIPPED = tuple(
    Experiment(name, reason, end="skipped")
    for name, reason in (("a", "no suspected cause to test"), ("b", "too large"), ("c", "no suspected cause to test"))
)
ALL = (SWEEP, CHECK, FAILED, *SKIPPED)
RATE, DATA, GRADIENT = suspected().suspects
CONFIRMED = replace(RATE, probability=0.97, outcome="confirmed", experiment=FALLS)
REFUTED = replace(DATA, probability=0.02, outcome="refuted", experiment="given labels are learned better")
OPEN = replace(GRADIENT, outcome="open", experiment="the slope is too small")
TESTED = replace(suspected(), suspects=(CONFIRMED, OPEN, REFUTED), experiments=ALL)


def test_each_experiment_is_a_line_and_those_that_did_not_run_are_one() -> None:
    """The line has outcome, cost and sentence; reasons are said once."""
    assert experiment_lines(ALL) == [
        f"learning-rate-sweep (confirmed, 1,104 steps, 0.9 s): {FALLS}",
        "gradient-check (open, 1 step, 0.1 s): gradient and finite differences agree at all layers",
        "optimizer-swap (failed, 3 steps, 0.0 s): TypeError ended it; the state was restored",
        "not run: a, c (no suspected cause to test); b (too large)",
    ]
    assert experiment_lines(()) == []
    expected = [
        "confirmed: learning-rate-too-small",
        "refuted: learning-rate-too-large",
        "left open: vanishing-gradient",
    ]
    assert outcome_lines(ALL) == expected
    assert outcome_lines(ALL, without="confirmed") == expected[1:]


def test_the_answer_of_experiments() -> None:
    """It names what is confirmed, or says that nothing is, or why nothing ran."""
    assert experiment_answer(ALL) == "Confirmed by an experiment: learning-rate-too-small."
    assert experiment_answer([CHECK]) == "No experiment confirms a cause."
    assert experiment_answer([]) == "No experiment has run."
    assert experiment_answer(SKIPPED[:1]) == "No experiment has run: no suspected cause to test."
    assert experiment_answer(SKIPPED) == "No experiment has run."


def test_experiments_that_contradict_each_other_leave_a_cause_open() -> None:
    """However many there are, and in whatever order; what was left open counts only if nothing was decided."""
    yes, no, maybe = (
        Experiment(outcome, outcome, (types.TestedCause("dead-relu", outcome, f"it is {outcome}"),))
        for outcome in ("confirmed", "refuted", "open")
    )
    for experiments in ((yes, no), (no, yes), (yes, no, yes), (maybe, no, maybe, yes)):
        assert types.tested_causes(experiments)["dead-relu"].outcome == "open"
    assert types.tested_causes((yes, no))["dead-relu"].message == "it is confirmed; but it is refuted"
    assert types.tested_causes((maybe, no, maybe))["dead-relu"].outcome == "refuted"
    assert types.tested_causes((maybe,))["dead-relu"].outcome == "open"


def test_what_an_experiment_says_of_a_suspect() -> None:
    """It has a label with the outcome; a suspect that none tested has none, and what is decided needs no settling."""
    assert suspect_facts(CONFIRMED)["experiment, confirmed"] == FALLS
    assert "to settle it" in suspect_facts(OPEN) and "to settle it" not in suspect_facts(CONFIRMED)
    assert not [label for label in suspect_facts(RATE) if label.startswith("experiment")]
    assert experiment_fact("", "text") == experiment_fact("open", "") == {}
    assert [suspect_title(suspect) for suspect in (CONFIRMED, OPEN, REFUTED)] == [
        "502 learning-rate-too-small (97 %, confirmed)",
        "403 vanishing-gradient (8 %)",
        "106 no-learning-signal (2 %, refuted)",
    ]
    assert suspect_lines(TESTED)[0] == f"confirmed 502 learning-rate-too-small (97 %): {RATE.message}"
    said = replace(TESTED, sentence=f"{MESSAGE}. Cause, confirmed by an experiment: {RATE.name} ({FALLS}).")
    assert not [line for line in suspect_lines(said, most=1, brief=True) if "experiment, confirmed" in line]


def test_no_headline_names_a_cause_that_is_refuted() -> None:
    """The first suspect that is not refuted is named; none if all are."""
    assert headline(TESTED) == "weights do not move; confirmed learning-rate-too-small"
    assert headline(replace(TESTED, suspects=(REFUTED, OPEN))) == "weights do not move; possibly vanishing-gradient"
    assert headline(replace(TESTED, suspects=(REFUTED,))) == "weights do not move"
    sentences = [
        overall_status(recorded_history(8), [], TESTED.symptoms, suspects, [])[1]
        for suspects in ((CONFIRMED, REFUTED), (REFUTED, OPEN), (REFUTED,))
    ]
    assert sentences == [
        f"{MESSAGE}. Cause, confirmed by an experiment: learning-rate-too-small ({FALLS}).",
        f"{MESSAGE}. Most probable cause: vanishing-gradient (8 %).",
        f"{MESSAGE}. Experiments refute every cause that fits.",
    ]


def test_a_diagnosis_prints_what_experiments_say() -> None:
    """Below the fix of the first verdict or suspect, unless its sentence says it, and below each other finding."""
    tested = replace(CAUSE, outcome="confirmed", experiment=FALLS)
    note = replace(NOTE, outcome="refuted", experiment="it makes no difference")
    printed = str(Diagnosis("sick", "It is 0.", verdicts=(tested, note))).split("\n")
    assert printed == [
        "It is 0.", f"  fix: {CAUSE.fix}", f"  experiment, confirmed: {FALLS}",
        "  also: 102 unscaled-input: Inputs reach 255", "    experiment, refuted: it makes no difference",
    ]  # fmt: skip
    assert str(Diagnosis("sick", f"It is 0: {FALLS}.", verdicts=(tested,))).count(FALLS) == 1
    lines = str(TESTED).split("\n")
    assert lines[1].startswith("  fix: Set a learning rate") and lines[-1] == f"  experiment, confirmed: {FALLS}"
    assert str(replace(TESTED, suspects=(OPEN,))) == f"{MESSAGE}.\n  experiment, open: the slope is too small"
    assert str(suspected()) == f"{MESSAGE}."


def test_the_review_shows_outcomes_and_experiments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table has the outcome beside each suspect; the details have what the experiments have shown, then all."""
    monkeypatch.setenv("COLUMNS", "240")
    note = replace(NOTE, outcome="refuted", experiment="it makes no difference")
    launches = [result(replace(TESTED, verdicts=(note,))), result(Diagnosis("healthy", "Healthy."), "b")]
    review_table.show(launches, details=True)
    shown = " ".join(capsys.readouterr().out.replace("- ", "").split())
    parts = (
        "Suspects: 502 learning-rate-too-small (97 %, confirmed), 403", "Suspect: 502 learning-rate-too-small",
        f"Experiment, confirmed: {FALLS}", "Experiment, open: the slope is too small",
        "Experiment, refuted: given labels", "Inputs reach 255", "Experiment, refuted: it makes no difference",
        "Experiments confirmed: learning-rate-too-small refuted: learning-rate-too-large",
        "learning-rate-sweep (confirmed, 1,104 steps, 0.9 s)", "not run: a, c (no suspected cause to test)",
    )  # fmt: skip
    positions = [shown.find(part) for part in parts]
    assert -1 not in positions and positions == sorted(positions)


def test_junit_and_json_hold_the_experiments() -> None:
    """The text of a failure says what they have shown; JSON loses nothing."""
    launch = result(replace(TESTED, verdicts=(replace(NOTE, outcome="open", experiment="it is not known"),)))
    job = JobResult(launch.job, [launch])
    failure = ET.fromstring(FORMATS["junit"](Review([job], "warning"))).find(".//failure")
    assert failure is not None and failure.text
    for text in (
        f"experiment, confirmed: {FALLS}",
        "experiment, open: it is not known",
        "experiment gradient-check (open",
    ):
        assert text in failure.text
    assert JobResult.from_json(job.to_json()).launches[0].diagnosis == launch.diagnosis


def _tested(name: str, outcome: types.Outcome) -> Experiment:
    return Experiment("some", outcome, (types.TestedCause(name, outcome, f"it is {outcome}"),), step=96)


def test_a_diagnosis_answers_anew_after_experiments() -> None:
    """The sentence follows the outcomes: another suspect, the symptom, or nothing that is left."""
    rate = "learning-rate-too-small"
    confirmed = with_experiments(suspected(), [_tested(rate, "confirmed")])
    assert confirmed.sentence == f"{MESSAGE}. Cause, confirmed by an experiment: {rate} (it is confirmed)."
    refuted = with_experiments(suspected(), [_tested(rate, "refuted")])
    assert refuted.sentence == f"{MESSAGE}. Most probable cause: no-learning-signal (21 %)."
    alone = Diagnosis("sick", "It is 0.", verdicts=(CAUSE,))
    assert with_experiments(alone, [_tested(CAUSE.name, "confirmed")]).sentence == "It is 0."
    gone = with_experiments(alone, [_tested(CAUSE.name, "refuted")])
    assert (gone.status, gone.sentence) == (
        "undecided",
        f"Undecided: experiments refute {CAUSE.name}, and no other cause is known.",
    )
    healthy = Diagnosis("healthy", "Healthy.")
    assert with_experiments(healthy, [_tested(rate, "confirmed")]).sentence == "Healthy."
