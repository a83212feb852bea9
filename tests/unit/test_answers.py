"""The answers that panel, command line and report show, without HTTP."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch import answers, schema
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.reader import Launch
from tb_weightwatch.verdict import Diagnosis, Evidence
from tests.support import synthetic_runs
from tests.support.histories import history_of, recorded_history

LIB = Path(__file__).resolve().parents[2] / "frontend" / "src" / "lib"
API = "".join((LIB / name).read_text() for name in ("api.ts", "api-chain.ts", "api-values.ts"))


def fields(interface: str) -> set[str]:
    body = re.search(rf"export interface {interface}(?: extends (\w+))? {{(.*?)\n}}", API, re.S)
    own = set(re.findall(r"^  (\w+):", body.group(2), re.M))
    return own | (fields(body.group(1)) if body.group(1) else set())


def overview(of: History, diagnosis: Diagnosis | None = None, **more: Any) -> dict[str, Any]:
    launch = Launch(of)
    return answers.overview("r", launch, diagnosis or answers.safe_diagnose(of), synthetic_runs.STARTED, **more)


def test_answers_have_the_shape_that_the_panel_expects() -> None:
    """An answer has the fields of its interface in api.ts and no others, and is JSON without NaN."""
    for sick in (None, 200):
        history = recorded_history(nan_from=sick)
        answer = overview(history)
        entry = answers.launch_entry(Launch(history), answers.safe_diagnose(history), synthetic_runs.STARTED)
        runs = answers.runs("x", {"a/weightwatch": [entry]})
        heatmap = answers.heatmap(history, "update_ratio", 50)
        curves = answers.curves(history, synthetic_runs.NAMES[0], 50)
        json.dumps([answer, runs, heatmap, curves], allow_nan=False)
        shapes = [
            ("OverviewAnswer", [answer]),
            ("RunsAnswer", [runs]),
            ("RunEntry", runs["runs"]),
            ("LaunchEntry", [entry]),
            ("VerdictAnswer", answer["verdicts"]),
            ("EvidenceAnswer", [e for v in answer["verdicts"] for e in v["evidence"]]),
            ("LinkAnswer", answer["chain"]),
            ("EquationAnswer", [answer["equation"]]),
            ("TermAnswer", [*answer["equation"]["left"], *answer["equation"]["update"]]),
            ("RuleRef", answer["passed"]),
            ("UnknownAnswer", answer["unknown"]),
            ("QuantityAnswer", answer["quantities"]),
            ("VariableAnswer", answer["variables"]),
            ("FactAnswer", answer["facts"]),
            ("HeatmapAnswer", [heatmap]),
            ("CurvesAnswer", [curves]),
            ("CurveAnswer", curves["curves"]),
            ("BandAnswer", [c["usual"] for c in curves["curves"] if c["usual"]]),
        ]
        for interface, items in shapes:
            for item in items:
                assert set(item) == fields(interface), interface
        assert answer["verdicts"] or sick is None


def test_an_empty_run_list_says_what_to_do() -> None:
    """The hint is there when there are no runs."""
    assert "ww.WeightWatch" in answers.runs("x", {})["hint"]


def test_runs_are_shown_without_our_directory() -> None:
    """The suffix is stripped, the root is ".", and runs whose labels would be equal keep their full names."""
    entries = answers.run_entries({"b/weightwatch": [], "weightwatch": [], "c": [], "c/weightwatch": [], "name/.": []})
    labels = {e["run"]: e["label"] for e in entries}
    assert labels == {
        "b/weightwatch": "b",
        "weightwatch": ".",
        "c": "c",
        "c/weightwatch": "c/weightwatch",
        "name/.": "name/.",
    }
    assert [e["label"] for e in entries] == sorted(e["label"] for e in entries)


@pytest.mark.parametrize(
    ("record", "now", "after", "state", "text"),
    [
        ({"how": "completed", "detail": ""}, None, 1e9, "ended", "ended after 40 steps"),
        ({"how": "closed"}, None, 0, "ended", "ended after 40 steps"),
        ({"how": "exception", "detail": "ValueError"}, None, 0, "stopped", "stopped by ValueError after 40 steps"),
        ({"how": "exception", "detail": "KeyError", "step": 41}, None, 0, "stopped", "stopped by KeyError in step 41"),
        ({"how": "exception", "detail": "X", "step": "41"}, None, 0, "stopped", "stopped by X after 40 steps"),
        ({"how": "signal"}, None, 0, "stopped", "stopped by a signal after 40 steps"),
        (None, 2.0, 20, "training", "training, at step 77"),
        (None, 60.0, 200, "training", "training, at step 77"),
        (None, 2.0, 100, "died", "no end was recorded; last sign of life at step 77"),
        (None, None, 100, "training", "training, at step 40"),
        (None, None, 1000, "died", "last sign of life at step 40"),
    ],
)
def test_states(record: dict[str, Any] | None, now: float | None, after: float, state: str, text: str) -> None:
    """A launch without a recorded end is training if its last sign of life is recent, and has died otherwise."""
    history = recorded_history(40)
    if record:
        history.add(Record(40, "end", record))
    alive = schema.LaunchStatus(synthetic_runs.STARTED, due=now, step=77) if now else None
    stands = answers.state(Launch(history, alive), synthetic_runs.STARTED + after)
    assert stands.name == state
    assert text in stands.text


def test_a_launch_without_a_step_says_so() -> None:
    """No text counts "0 steps", and counts are never shortened."""
    empty = History("x")
    assert answers.state(Launch(empty), 1e9).text.startswith(
        "no end was recorded; last sign of life before its first step"
    )
    for how, text in (
        ("completed", "ended before its first step"),
        ("exception", "stopped by an exception before its"),
    ):
        empty.add(Record(0, "end", {"how": how}))
        assert answers.state(Launch(empty), 0.0).text.startswith(text)
    long = History("x")
    long.add(Record(5_408, "end", {"how": "completed"}))
    assert answers.state(Launch(long), 0.0).text == "ended after 5,408 steps"


def test_percent_is_none_or_all_only_when_it_is() -> None:
    """Only a share of exactly 1 is shown as 100 %."""
    from tb_weightwatch.answers.launch_state import percent

    assert [percent(x) for x in (0.0, 1.0, 0.5, 0.99999, 1e-9)] == ["0 %", "100 %", "50 %", "> 99.9 %", "1e-7 %"]


def test_buckets_keep_extremes_and_nonfinite_values() -> None:
    """A one-step spike, NaN, infinities and None survive; a value that was not recorded is null."""
    steps = 160
    values = np.ones((steps, 5))
    values[37, 0], values[38, 1], values[39, 2] = 1e6, np.nan, np.inf
    known = np.ones((steps, 5), bool)
    known[30:40, 3] = False
    history = history_of(values.tolist(), known.tolist())
    none = np.zeros((steps, 5))
    none[35, 4] = 1
    rows = Rows(history.steps, np.zeros(steps), {"gradient_none": Column(none, np.ones((steps, 5), bool))})
    both = History("x")
    both.add(history.records[0])
    both.append(Rows(rows.steps, rows.times, {**rows.variable, **history.rows(0, steps).variable}))
    heatmap = answers.heatmap(both, "gradient_norm", 16)
    assert (heatmap["first"][3], heatmap["last"][3]) == (31, 40)
    low, high = [row[3] for row in heatmap["low"]], [row[3] for row in heatmap["high"]]
    assert low == [1.0, "NaN", "Infinity", None, "None"]
    assert high == [1e6, "NaN", "Infinity", None, "None"]
    assert heatmap["domain"] == [1.0, 1e6]
    curves = answers.curves(both, "v0", 16)
    (norm,) = [c for c in curves["curves"] if c["quantity"]["name"] == "gradient_norm"]
    assert (norm["low"][3], norm["high"][3], norm["last"][3]) == (1.0, 1e6, 1.0)
    assert curves["steps"] == heatmap["last"]


def test_a_share_below_one_is_not_rounded_to_one() -> None:
    """0.99999 stays below 1 although few digits are sent; 0 and 1 stay exact."""
    history = history_of([[0.99999, 1.0, 0.0, 1e-9]], name="changed_share")
    cells = [row[0] for row in answers.heatmap(history, "changed_share", 16)["high"]]
    assert cells[0] == pytest.approx(0.99999, abs=1e-7)
    assert cells[1:3] == [1.0, 0.0]
    assert cells[3] == pytest.approx(1e-9)
    assert answers.heatmap(history, "changed_share", 16)["quantity"]["scale"] == "share"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.floats(width=32), min_size=2, max_size=2), min_size=1, max_size=80),
    st.integers(16, 40),
)
def test_buckets_lose_nothing(values: list[list[float]], columns: int) -> None:
    """The smallest and the largest number of all buckets are those of all rows; NaN is never lost."""
    history = history_of(values)
    heatmap = answers.heatmap(history, "gradient_norm", columns)
    json.dumps(heatmap, allow_nan=False)
    assert len(heatmap["first"]) <= columns
    for place in range(2):
        row = np.array(values)[:, place].astype(np.float32)
        numbers = [c for c in heatmap["low"][place] + heatmap["high"][place] if isinstance(c, float)]
        odd = [c for c in heatmap["low"][place] + heatmap["high"][place] if not isinstance(c, float)]
        if np.isfinite(row).all():
            assert min(numbers) == pytest.approx(float(row.min()), rel=1e-3)
            assert max(numbers) == pytest.approx(float(row.max()), rel=1e-3)
        assert ("NaN" in odd) == bool(np.isnan(row).any())


def test_many_variables_get_fewer_buckets_in_heat_map_and_curves() -> None:
    """The size of an answer is bounded, and heat map and curves share their steps."""
    width = 20_000
    history = history_of(np.ones((100, width)).tolist())
    heatmap = answers.heatmap(history, "gradient_norm", 1000)
    assert len(heatmap["first"]) <= 20
    assert len(heatmap["names"]) == width
    assert answers.curves(history, "v7", 1000)["steps"] == heatmap["last"]


def test_unknown_names_are_key_errors() -> None:
    """A quantity that was not recorded or does not exist, and an unknown variable, raise KeyError."""
    history = recorded_history(40)
    for name in ("nothing", "", "__class__"):
        with pytest.raises(KeyError):
            answers.heatmap(history, name, 50)
    with pytest.raises(KeyError):
        answers.curves(history, "nothing", 50)
    assert answers.curves(history, "", 50)["curves"][0]["quantity"]["axis"] == "run"
    assert answers.curves(history, "dense_1", 50)["curves"][0]["quantity"]["axis"] == "layer"
    assert answers.heatmap(history, "loss", 50)["names"] == ["loss"]


def test_the_default_quantity_is_the_update_ratio() -> None:
    """The update ratio comes first where it was recorded."""
    assert answers.quantities(recorded_history(40))[0]["name"] == "update_ratio"
    assert answers.quantities(history_of([[1.0]]))[0]["name"] == "gradient_norm"
    assert answers.quantities(History("x")) == []


@pytest.mark.parametrize(
    "data",
    [
        {"optimizers": 3, "loss": [], "model": "x", "versions": [1], "input_shape": {"a": 1}, "recorder": 1},
        {"optimizers": [1, {"class": 3, "config": []}], "model": {"parameters": "many"}, "precision": None},
        {"optimizers": [{"class": "SGD", "config": {"learning_rate": {"class_name": "Decay", "config": {"a": 1.0}}}}]},
    ],
)
def test_odd_facts_do_not_raise(data: dict[str, Any]) -> None:
    """There is an overview whatever the types of the recorded facts are."""
    history = recorded_history(40)
    history.add(Record(0, "facts", data))
    history.add(Record(0, "cost", {"overhead": "much"}))
    history.add(Record(0, "config", {"rules": {"no-such-rule": False}}))
    history.add(Record(40, "end", {"how": ["x"], "detail": {}}))
    json.dumps(overview(history), allow_nan=False)


def test_a_recorded_setting_of_another_version_is_ignored_with_a_remark() -> None:
    """The setting of a rule that no longer exists does not prevent a diagnosis."""
    history = recorded_history(400)
    history.add(Record(0, "config", {"rules": {"no-such-rule": False}}))
    with pytest.raises(ValueError, match="no-such-rule"):
        diagnose(history)
    diagnosis = answers.safe_diagnose(history)
    assert diagnosis.status == "healthy"
    assert "no-such-rule" in diagnosis.sentence


def test_the_detail_line_says_what_is_missing() -> None:
    """Skipped records, missing rows, the cost and a different logged diagnosis are in the detail line."""
    history = recorded_history(40)
    history.complete = False
    history.add(Record(40, "cost", {"overhead": 0.013}))
    launch = Launch(history, schema.LaunchStatus(0.0, diagnosis=Diagnosis("sick", "Trainer's words.", rules="older")))
    launch.skipped["rows: damaged"] += 2
    launch.unknown_columns.add("novelty")
    answer = answers.overview("r", launch, answers.safe_diagnose(history), 0.0, 3)
    assert answer["skipped"] == 5
    for text in ("could not be read", "2 x rows: damaged", "novelty", "1.3 % slower", "Trainer's words."):
        assert text in answer["detail"]


def test_evidence_is_ready_to_show() -> None:
    """The text of evidence has name, number, step and context, whichever of them the rule wrote itself."""
    cases = [
        (Evidence("learning rate", 1e-9, "1e-3 is usual", step=5), "learning rate 1e-9 at step 5 (1e-3 is usual)"),
        (Evidence("NaN/Inf in inputs", 60.0, "60 elements"), "NaN/Inf in inputs: 60 elements"),
        (Evidence("loss", 2.0, "Loss 2 at step 7"), "Loss 2 at step 7"),
        (Evidence("dead", 0.5, "", unit="share"), "dead 50 %"),
        (Evidence("saturated", 1.0, "slope < 1 %", quantity="saturated_share"), "saturated 100 % (slope < 1 %)"),
    ]
    for evidence, text in cases:
        assert answers.evidence_text(evidence) == text
