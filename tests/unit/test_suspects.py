"""A run without a verdict: its symptom and its suspects in answers, texts, and on the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tb_weightwatch import answers
from tb_weightwatch.cli import review_table
from tb_weightwatch.cli.formats import FORMATS
from tb_weightwatch.cli.review_result import Job, JobResult, LaunchResult, Review
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.reader import Launch
from tb_weightwatch.schema import LaunchStatus
from tb_weightwatch.verdict import Diagnosis, Symptom, Verdict, headline, probability_text, suspect_lines
from tests.support import synthetic_runs
from tests.support.histories import recorded_history
from tests.support.suspected_run import MESSAGE, suspected
from tests.unit.test_answers import fields

SUSPECTED = suspected()
NOTE = Verdict(102, "unscaled-input", "data", "info", "likely", (), 1, 9, False, "Inputs reach 255", (), "Scale them.")
CAUSE = replace(NOTE, code=501, name="learning-rate-zero", link="optimizer", severity="error", message="It is 0")


def overview(diagnosis: Diagnosis) -> dict[str, Any]:
    return answers.overview("r", Launch(recorded_history(64)), diagnosis, synthetic_runs.STARTED)


def states(diagnosis: Diagnosis) -> dict[str, str]:
    return {link["link"]: link["state"] for link in overview(diagnosis)["chain"]}


# -- answers


def test_the_overview_holds_symptoms_and_suspects_as_the_panel_expects_them() -> None:
    """Each has the fields of its interface in api.ts; a suspect has the summary of its rule."""
    answer = overview(SUSPECTED)
    for interface, items in (("SymptomAnswer", answer["symptoms"]), ("SuspectAnswer", answer["suspects"])):
        assert items
        for item in items:
            assert set(item) == fields(interface), interface
    assert (answer["severity"], answer["symptoms"][0]["title"]) == ("error", "weights do not move")
    assert [s["probability_text"] for s in answer["suspects"]] == ["62 %", "21 %", "8 %"]
    assert answer["suspects"][0]["summary"].startswith("A learning rate so small")


def test_no_link_with_a_suspect_is_said_to_work() -> None:
    """Links of suspects are suspected, that of the symptom is affected, and none is the first broken one."""
    expected = {"data": "suspected", "gradient": "suspected", "optimizer": "suspected", "weight": "affected"}
    assert {name: state for name, state in states(SUSPECTED).items() if name in expected} == expected
    refuted = replace(SUSPECTED, suspects=tuple(replace(s, outcome="refuted") for s in SUSPECTED.suspects))
    assert "suspected" not in states(refuted).values()  # an experiment has refuted all of them
    chain = {link["link"]: link for link in overview(SUSPECTED)["chain"]}
    assert not any(link["first"] for link in chain.values())
    assert (chain["optimizer"]["codes"], chain["optimizer"]["text"]) == (
        [502],
        "suspected: 502 learning-rate-too-small (62 %)",
    )
    on_weight = replace(SUSPECTED.suspects[0], code=701, name="frozen-weights", link="weight")
    chain = {link["link"]: link for link in overview(replace(SUSPECTED, suspects=(on_weight,)))["chain"]}
    assert chain["weight"]["state"] == "suspected"
    assert chain["weight"]["text"] == f"{MESSAGE}; suspected: 701 frozen-weights (62 %)"


def test_a_symptom_that_a_verdict_explains_is_its_consequence() -> None:
    """A symptom after the cause follows from it; one before it does not; an open suspicion explains nothing."""
    explained = replace(SUSPECTED, verdicts=(CAUSE,), suspects=())
    assert {states(explained)[link] for link in ("optimizer", "weight")} == {"broken", "affected"}
    chain = {link["link"]: link for link in overview(explained)["chain"]}
    assert chain["weight"]["text"] == f"follows from learning-rate-zero: {MESSAGE}"
    assert chain["optimizer"]["first"]
    before = replace(explained, symptoms=(replace(SUSPECTED.symptoms[0], link="loss"),))
    assert states(before)["loss"] == "affected"
    chain = {link["link"]: link for link in overview(replace(SUSPECTED, verdicts=(CAUSE,)))["chain"]}
    assert (chain["weight"]["state"], chain["weight"]["text"]) == ("affected", MESSAGE)


def test_a_note_is_not_the_answer() -> None:
    """Where a sick run has only a note beside its symptom, the symptom is headline and comes first."""
    noted = replace(SUSPECTED, verdicts=(NOTE,))
    assert headline(noted) == "weights do not move; probably learning-rate-too-small"
    assert answers.launch_entry(Launch(recorded_history(8)), noted, 0.0)["severity"] == "error"
    assert not any(link["first"] for link in overview(noted)["chain"])


@pytest.mark.parametrize(
    ("diagnosis", "expected"),
    [
        (SUSPECTED, "weights do not move; probably learning-rate-too-small"),
        (replace(SUSPECTED, suspects=SUSPECTED.suspects[1:]), "weights do not move; possibly no-learning-signal"),
        (replace(SUSPECTED, suspects=()), "weights do not move"),
        (replace(SUSPECTED, verdicts=(CAUSE,)), "learning-rate-zero"),
        (replace(SUSPECTED, status="undecided"), "undecided"),
        (Diagnosis("healthy", "Healthy."), "healthy"),
    ],
)
def test_the_headline_of_the_run_list(diagnosis: Diagnosis, expected: str) -> None:
    """A verdict is the headline; else the symptom with its first suspect, probable or possible; else the status."""
    assert answers.launch_entry(Launch(recorded_history(8)), diagnosis, 0.0)["headline"] == expected


def test_variables_with_a_symptom_are_marked_and_come_first() -> None:
    """A variable that a symptom names has its severity in the overview and is first in the order of the heat map."""
    history, name = recorded_history(64), synthetic_runs.NAMES[3]
    diagnosis = replace(SUSPECTED, symptoms=(replace(SUSPECTED.symptoms[0], variables=(name,)),))
    worst = {v["name"]: v["worst"] for v in overview(diagnosis)["variables"]}
    assert [x for x, severity in worst.items() if severity == "error"] == [name]
    assert answers.heatmap(history, "weight_std", 16, diagnosis=diagnosis)["worst"][0] == 3


def test_a_comparison_says_what_is_suspected_of_the_worse_run() -> None:
    """Without a verdict the conclusion names symptom and suspect, and settings of the suspected link come first."""
    sick, healthy = recorded_history(400), recorded_history(400)
    answer = answers.compare(sick, healthy, (suspected(400), diagnose(healthy)))
    assert answer["better"] == 1
    assert answer["conclusion"].endswith(
        "The other run: weights do not move; probably learning-rate-too-small (optimizer)."
    )
    weight = next(link for link in answer["links"] if link["link"] == "weight")
    assert weight["differs"] and weight["one"]["state"] == "affected"


# -- texts


def test_a_probability_is_never_certain() -> None:
    """Only percentages between 1 and 99 are given as they are."""
    shares = (0.0, 0.004, 0.01, 0.625, 0.994, 0.999, 1.0)
    assert [probability_text(p) for p in shares] == ["< 1 %", "< 1 %", "1 %", "62 %", "99 %", "> 99 %", "> 99 %"]


def test_suspects_as_lines_of_text() -> None:
    """A title per suspect, its facts below it, code as it is typed; the brief form keeps what is to be done."""
    lines = suspect_lines(SUSPECTED)
    assert lines[0] == (
        "probably 502 learning-rate-too-small (62 %): A learning rate of 1e-10 is too small to move float32 weights"
    )
    titles = [line for line in lines if not line.startswith(" ") and line]
    assert [title.split()[:2] for title in titles] == [["probably", "502"], ["possibly", "106"], ["possibly", "403"]]
    assert any(line.startswith("  for: the update ratio is 8.1e-11, and 1e-3 is usual; gradients") for line in lines)
    assert "      x, y = x[p], y[p]" in lines
    brief = suspect_lines(SUSPECTED, most=1, brief=True)
    assert [line.split(":")[0].strip() for line in brief[1:3]] == ["to settle it", "fix"]
    assert brief[-1] == "other suspects: 106 no-learning-signal (21 %), 403 vanishing-gradient (8 %)"
    assert suspect_lines(Diagnosis("healthy", "Healthy.")) == []


# -- command line


def result(diagnosis: Diagnosis, run: str = "a") -> LaunchResult:
    job = Job("logs", run, f"logs/{run}", 1)
    return LaunchResult(job, "a1", synthetic_runs.STARTED, "ended", "ended", diagnosis, None, {}, {}, "")


def test_the_table_names_the_suspects_and_the_details_describe_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Symptom, suspects, facts for and against, what would settle it, and fix; a note comes after them."""
    monkeypatch.setenv("COLUMNS", "240")
    noted = replace(SUSPECTED, verdicts=(NOTE,))
    review_table.show([result(noted), result(Diagnosis("healthy", "Healthy."), "b")], details=True)
    shown = " ".join(capsys.readouterr().out.split())
    assert "weights do not move: The weights have not moved" in shown
    assert "Suspects: 502 learning-rate-too-small (62 %), 106 no-learning-signal (21 %)" in shown
    parts = (
        "Suspect: 502 learning-rate-too-small, probability 62 %", "For: the update ratio", "Against: the first 24",
        "To settle it: Train 50 steps", "Fix: Set a learning rate", "Suspect: 106 no-learning-signal",
        "102 unscaled-input (info, likely)", "Inputs reach 255",
    )  # fmt: skip
    positions = [shown.find(part) for part in parts]
    assert -1 not in positions and positions == sorted(positions)
    assert shown.count(MESSAGE) == 2  # the sentence, in table and details


def test_more_than_five_suspects_are_only_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The five most probable ones are described, the others named."""
    many = tuple(replace(SUSPECTED.suspects[0], code=500 + i, name=f"s{i}", probability=0.1) for i in range(7))
    review_table.show([result(replace(SUSPECTED, suspects=many))], details=True)
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count("Suspect: ") == 5
    assert "Other suspects: 505 s5 (10 %), 506 s6 (10 %)" in shown


def test_junit_and_json_hold_the_suspects() -> None:
    """A failure has the symptom as its type, also beside a note, and the suspects in its text; JSON loses nothing."""
    launch = result(replace(SUSPECTED, verdicts=(NOTE,)))
    job = JobResult(launch.job, [launch])
    failure = ET.fromstring(FORMATS["junit"](Review([job], "warning"))).find(".//failure")
    assert failure is not None and failure.text
    assert failure.get("type") == "weights-do-not-move"
    assert "probably 502 learning-rate-too-small (62 %)" in failure.text
    assert "to settle it: Train 50 steps" in failure.text
    assert JobResult.from_json(job.to_json()).launches[0].diagnosis == launch.diagnosis


def test_a_logged_diagnosis_without_the_symptom_is_diagnosed_again() -> None:
    """A symptom that only today's rules find is listed as new, a note is not."""
    note = Symptom("flat-loss", "loss", "info", "The loss is flat", (), 1, 8)
    logged = Diagnosis("undecided", "Undecided.", step=8, rules="old")
    launch = Launch(recorded_history(8), LaunchStatus(synthetic_runs.STARTED, step=8, diagnosis=logged))
    again = answers.rejudged(launch, replace(SUSPECTED, symptoms=(*SUSPECTED.symptoms, note)))
    assert again is not None
    assert (again["new"], again["gone"], again["same"]) == (["weights do not move"], [], False)
