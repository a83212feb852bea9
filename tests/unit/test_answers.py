"""What panel, command line and report are told, without HTTP."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch import answers, schema
from tb_weightwatch.diagnosis import catalogue, diagnose
from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.reader import Launch
from tb_weightwatch.verdict import LINKS, Diagnosis, Evidence, Unknown, Verdict
from tests.support import synthetic_runs

API = (Path(__file__).resolve().parents[2] / "frontend" / "src" / "lib" / "api.ts").read_text()


def history(steps: int = 400, nan_from: int | None = None) -> History:
    found = History("a1", started=synthetic_runs.STARTED)
    for record in synthetic_runs.facts():
        found.add(record)
    for start in range(1, steps + 1, 8):
        found.append(synthetic_runs.rows(start, 8, nan_from=nan_from))
    return found


def fields(interface: str) -> set[str]:
    body = re.search(rf"export interface {interface}(?: extends (\w+))? {{(.*?)\n}}", API, re.S)
    own = set(re.findall(r"^  (\w+):", body.group(2), re.M))
    return own | (fields(body.group(1)) if body.group(1) else set())


def overview(of: History, diagnosis: Diagnosis | None = None, **more: Any) -> dict[str, Any]:
    launch = Launch(of)
    return answers.overview("r", launch, diagnosis or answers.safe_diagnose(of), synthetic_runs.STARTED, **more)


def test_answers_have_the_shape_that_the_panel_expects() -> None:
    """Every field of api.ts is there, and no other; all of it is JSON without NaN."""
    for sick in (None, 200):
        found = history(nan_from=sick)
        answer = overview(found)
        entry = answers.launch_entry(Launch(found), answers.safe_diagnose(found), synthetic_runs.STARTED)
        runs = answers.runs("x", {"a/weightwatch": [entry]})
        heatmap = answers.heatmap(found, "update_ratio", 50)
        curves = answers.curves(found, synthetic_runs.NAMES[0], 50)
        json.dumps([answer, runs, heatmap, curves], allow_nan=False)
        shapes = [
            ("OverviewAnswer", [answer]),
            ("RunsAnswer", [runs]),
            ("RunEntry", runs["runs"]),
            ("LaunchEntry", [entry]),
            ("VerdictAnswer", answer["verdicts"]),
            ("EvidenceAnswer", [e for v in answer["verdicts"] for e in v["evidence"]]),
            ("LinkAnswer", answer["chain"]),
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
    """The hint is there when nothing else is."""
    assert "ww.WeightWatch" in answers.runs("x", {})["hint"]


def test_runs_are_shown_without_our_directory() -> None:
    """The suffix is stripped, the root is ".", and what would be shown alike keeps its full name."""
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
        ({"how": "signal"}, None, 0, "stopped", "stopped by a signal after 40 steps"),
        (None, 2.0, 20, "training", "training, at step 77"),
        (None, 60.0, 200, "training", "training, at step 77"),
        (None, 2.0, 100, "died", "no end was recorded; last sign of life at step 77"),
        (None, None, 100, "training", "training, at step 40"),
        (None, None, 1000, "died", "last sign of life at step 40"),
    ],
)
def test_states(record: dict[str, Any] | None, now: float | None, after: float, state: str, text: str) -> None:
    """Ended and stopped are recorded; training has shown a sign of life within three times what was due; else died."""
    found = history(40)
    if record:
        found.add(Record(40, "end", record))
    alive = schema.LaunchStatus(synthetic_runs.STARTED, due=now, step=77) if now else None
    stands = answers.state(Launch(found, alive), synthetic_runs.STARTED + after)
    assert stands.name == state
    assert text in stands.text


def one(name: str, link: str, severity: Any = "error", explains: tuple[Verdict, ...] = ()) -> Verdict:
    return Verdict(1, name, link, severity, "certain", (), 1, 9, False, f"{name} is wrong.", (), "fix", explains)


def test_the_chain_tells_causes_from_consequences() -> None:
    """Broken, consequence, note, unknown and ok; the first broken link is that of the answer."""
    effect = one("effect", "update")
    diagnosis = Diagnosis(
        "sick",
        "cause is wrong.",
        (one("cause", "optimizer", explains=(effect,)), one("hint", "data", "info")),
        passed=tuple(r.name for r in catalogue().values() if r.link == "gradient"),
        unknown=tuple(Unknown(r.name, r.code, "the outputs") for r in catalogue().values() if r.link == "activations"),
    )
    empty = History("x")
    chain = {link["link"]: link for link in overview(empty, diagnosis)["chain"]}
    assert tuple(chain) == LINKS
    states = {name: link["state"] for name, link in chain.items()}
    assert states == {
        "data": "note",
        "activations": "unknown",
        "loss": "unknown",
        "gradient": "ok",
        "optimizer": "broken",
        "update": "consequence",
        "weight": "unknown",
    }
    assert [name for name, link in chain.items() if link["first"]] == ["optimizer"]
    assert chain["optimizer"]["text"] == "cause is wrong"
    assert chain["update"]["text"] == "follows from cause: effect is wrong"
    assert chain["activations"]["text"] == "the outputs"
    assert chain["update"]["codes"] == [1]


def test_a_broken_link_shows_the_number_that_condemns_it() -> None:
    """The first evidence stands on it; an update of exactly 0 behind a break does not "work"."""
    evidence = Evidence("saturated outputs of dense", 1.0, "", quantity="saturated_share")
    diagnosis = Diagnosis("sick", "s", (replace(one("cause", "activations"), evidence=(evidence,)),))
    chain = {link["link"]: link for link in overview(history(8), diagnosis)["chain"]}
    assert (chain["activations"]["number"], chain["activations"]["meaning"]) == ("100 %", evidence.name)
    assert chain["update"]["state"] != "consequence"
    still, block = history(8), synthetic_runs.rows(9, 1)
    block.variable["update_norm"].values[:] = 0
    still.append(block)
    assert {link["link"]: link["state"] for link in overview(still, diagnosis)["chain"]}["update"] == "consequence"


def test_what_proves_the_cause_further_down_does_not_work() -> None:
    """A far too small step and NaN are consequences, though no rule accuses them; what comes before is not."""
    proof = (Evidence("learning rate", 1e-9, ""), Evidence("update ratio", 1e-9, "", quantity="update_ratio"))
    diagnosis = Diagnosis("sick", "s", (replace(one("cause", "optimizer"), evidence=proof),))
    links = {link["link"]: link for link in overview(history(8), diagnosis)["chain"]}
    assert (links["update"]["state"], links["gradient"]["state"]) == ("consequence", "ok")
    assert links["update"]["text"] == "follows from cause: update ratio 1e-9"
    links = {link["link"]: link for link in overview(history(nan_from=200), diagnosis)["chain"]}
    assert {name for name, link in links.items() if link["state"] == "consequence"} == {"update", "weight"}


def test_the_chain_has_a_number_where_one_was_recorded() -> None:
    """NaN wins over numbers; shares are percentages."""
    numbers = {link["link"]: link["number"] for link in overview(history(nan_from=200))["chain"]}
    assert numbers["gradient"] == numbers["loss"] == "NaN"
    assert numbers["activations"] == "0 %"
    assert numbers["optimizer"] == "0.001"
    assert all(link["number"] == "" for link in overview(History("x"))["chain"])


def test_percent_is_none_or_all_only_when_it_is() -> None:
    """A share that is nearly all is not all."""
    from tb_weightwatch.answers.chain import percent

    assert [percent(x) for x in (0.0, 1.0, 0.5, 0.99999, 1e-9)] == ["0 %", "100 %", "50 %", "> 99.9 %", "1e-7 %"]


def grown(values: list[list[float]], known: list[list[bool]] | None = None, name: str = "gradient_norm") -> History:
    found = History("x")
    array = np.array(values, np.float64)
    names = [{"name": f"v{i}"} for i in range(array.shape[1])]
    found.add(Record(0, "variables", {"items": names}))
    mask = np.ones(array.shape, bool) if known is None else np.array(known)
    found.append(Rows(np.arange(1, len(array) + 1), np.zeros(len(array)), {name: Column(array, mask)}))
    return found


def test_buckets_keep_extremes_and_what_is_no_number() -> None:
    """A one-step spike, NaN, infinities and None survive; what was not recorded is null."""
    steps = 160
    values = np.ones((steps, 5))
    values[37, 0], values[38, 1], values[39, 2] = 1e6, np.nan, np.inf
    known = np.ones((steps, 5), bool)
    known[30:40, 3] = False
    found = grown(values.tolist(), known.tolist())
    none = np.zeros((steps, 5))
    none[35, 4] = 1
    rows = Rows(found.steps, np.zeros(steps), {"gradient_none": Column(none, np.ones((steps, 5), bool))})
    both = History("x")
    both.add(found.records[0])
    both.append(Rows(rows.steps, rows.times, {**rows.variable, **found.rows(0, steps).variable}))
    map_ = answers.heatmap(both, "gradient_norm", 16)
    assert (map_["first"][3], map_["last"][3]) == (31, 40)
    low, high = [row[3] for row in map_["low"]], [row[3] for row in map_["high"]]
    assert low == [1.0, "NaN", "Infinity", None, "None"]
    assert high == [1e6, "NaN", "Infinity", None, "None"]
    assert map_["domain"] == [1.0, 1e6]
    curves = answers.curves(both, "v0", 16)
    (norm,) = [c for c in curves["curves"] if c["quantity"]["name"] == "gradient_norm"]
    assert (norm["low"][3], norm["high"][3], norm["last"][3]) == (1.0, 1e6, 1.0)
    assert curves["steps"] == map_["last"]


def test_an_inner_share_is_not_rounded_to_all() -> None:
    """0.99999 stays below 1 however few digits are sent; exact ends stay exact."""
    found = grown([[0.99999, 1.0, 0.0, 1e-9]], name="changed_share")
    cells = [row[0] for row in answers.heatmap(found, "changed_share", 16)["high"]]
    assert cells[0] == pytest.approx(0.99999, abs=1e-7)
    assert cells[1:3] == [1.0, 0.0]
    assert cells[3] == pytest.approx(1e-9)
    assert answers.heatmap(found, "changed_share", 16)["quantity"]["scale"] == "share"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.floats(width=32), min_size=2, max_size=2), min_size=1, max_size=80),
    st.integers(16, 40),
)
def test_buckets_lose_nothing(values: list[list[float]], columns: int) -> None:
    """Smallest and largest finite number of all buckets are those of all rows; any non-finite one shows."""
    found = grown(values)
    map_ = answers.heatmap(found, "gradient_norm", columns)
    json.dumps(map_, allow_nan=False)
    assert len(map_["first"]) <= columns
    for place in range(2):
        row = np.array(values)[:, place].astype(np.float32)
        numbers = [c for c in map_["low"][place] + map_["high"][place] if isinstance(c, float)]
        odd = [c for c in map_["low"][place] + map_["high"][place] if not isinstance(c, float)]
        if np.isfinite(row).all():
            assert min(numbers) == pytest.approx(float(row.min()), rel=1e-3)
            assert max(numbers) == pytest.approx(float(row.max()), rel=1e-3)
        assert ("NaN" in odd) == bool(np.isnan(row).any())


def test_many_variables_get_fewer_buckets_in_map_and_curves_alike() -> None:
    """The size of an answer is bounded, and the shared cursor fits both."""
    width = 20_000
    found = grown(np.ones((100, width)).tolist())
    map_ = answers.heatmap(found, "gradient_norm", 1000)
    assert len(map_["first"]) <= 20
    assert len(map_["names"]) == width
    assert answers.curves(found, "v7", 1000)["steps"] == map_["last"]


def test_unknown_names_are_key_errors() -> None:
    """A quantity that was not recorded, or does not exist; a variable that does not exist."""
    found = history(40)
    for name in ("nothing", "", "__class__"):
        with pytest.raises(KeyError):
            answers.heatmap(found, name, 50)
    with pytest.raises(KeyError):
        answers.curves(found, "nothing", 50)
    assert answers.curves(found, "", 50)["curves"][0]["quantity"]["axis"] == "run"
    assert answers.curves(found, "dense_1", 50)["curves"][0]["quantity"]["axis"] == "layer"
    assert answers.heatmap(found, "loss", 50)["names"] == ["loss"]


def test_the_default_quantity_is_the_update_ratio() -> None:
    """It comes first where it was recorded."""
    assert answers.quantities(history(40))[0]["name"] == "update_ratio"
    assert answers.quantities(grown([[1.0]]))[0]["name"] == "gradient_norm"
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
    """Facts come from disk; whatever their types, there is an overview."""
    found = history(40)
    found.add(Record(0, "facts", data))
    found.add(Record(0, "cost", {"overhead": "much"}))
    found.add(Record(0, "config", {"rules": {"no-such-rule": False}}))
    found.add(Record(40, "end", {"how": ["x"], "detail": {}}))
    json.dumps(overview(found), allow_nan=False)


def test_a_recorded_setting_of_another_version_is_left_out_and_told() -> None:
    """A rule that is gone does not keep the others from judging."""
    found = history(400)
    found.add(Record(0, "config", {"rules": {"no-such-rule": False}}))
    with pytest.raises(ValueError, match="no-such-rule"):
        diagnose(found)
    judged = answers.safe_diagnose(found)
    assert judged.status == "healthy"
    assert "no-such-rule" in judged.sentence


def test_what_is_missing_is_told() -> None:
    """Skipped records, incomplete rows, cost and the trainer's other opinion stand in the detail line."""
    found = history(40)
    found.complete = False
    found.add(Record(40, "cost", {"overhead": 0.013}))
    launch = Launch(found, schema.LaunchStatus(0.0, diagnosis=Diagnosis("sick", "Trainer's words.", rules="older")))
    launch.skipped["rows: damaged"] += 2
    launch.unknown_columns.add("novelty")
    answer = answers.overview("r", launch, answers.safe_diagnose(found), 0.0, 3)
    assert answer["skipped"] == 5
    for text in ("could not be read", "2 x rows: damaged", "novelty", "cost 1.3 % of", "Trainer's words."):
        assert text in answer["detail"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            {"overhead": 0.25, "seconds": 6.8, "once": 1.1},
            "Recording took 1.7 of 6.8 seconds, 1.1 of them once, at the start.",
        ),
        ({"overhead": 0.25, "seconds": 6.8, "once": 0.0}, "Recording took 1.7 of 6.8 seconds."),
        ({"overhead": 0.02, "seconds": 100.0, "once": 1.1}, "Recording cost 2 % of the training time."),
        ({"overhead": None, "seconds": 2.0, "once": 0.3}, "What recording cost is not known: nearly every step"),
    ],
)
def test_the_cost_is_told_in_what_matters(data: dict[str, float | None], says: str) -> None:
    """A short run is mostly its own start, so seconds are told; of a longer one, the share."""
    found = history(40)
    found.add(Record(40, "cost", data))
    launch = Launch(found)
    assert says in answers.overview("r", launch, answers.safe_diagnose(found), 0.0, 3)["detail"]


def test_evidence_is_ready_to_show() -> None:
    """Name, number, step and context stand in the text, whatever of them the rule left to others."""
    cases = [
        (Evidence("learning rate", 1e-9, "1e-3 is usual", step=5), "learning rate 1e-9 at step 5 (1e-3 is usual)"),
        (Evidence("NaN/Inf in inputs", 60.0, "60 elements"), "NaN/Inf in inputs: 60 elements"),
        (Evidence("loss", 2.0, "Loss 2 at step 7"), "Loss 2 at step 7"),
        (Evidence("dead", 0.5, "", unit="share"), "dead 50 %"),
        (Evidence("saturated", 1.0, "slope < 1 %", quantity="saturated_share"), "saturated 100 % (slope < 1 %)"),
    ]
    for evidence, text in cases:
        assert answers.evidence_text(evidence) == text


def test_one_small_variable_does_not_decide_the_chain() -> None:
    """The update's number is the step of the whole model; a frozen variable takes no part."""
    found = History("x")
    items = [{"name": "kernel"}, {"name": "bias"}, {"name": "frozen", "trainable": False}]
    found.add(Record(0, "variables", {"items": items}))
    known = np.ones((1, 3), bool)
    columns = {
        "update_norm": Column(np.array([[3e-9, 4e-9, 1e9]]), known),
        "weight_norm": Column(np.array([[5.0, 0, 0]]), known),
    }
    found.append(Rows(np.array([1]), np.zeros(1), columns))
    numbers = {link["link"]: link["number"] for link in overview(found, Diagnosis("undecided", ""))["chain"]}
    assert (numbers["update"], numbers["weight"]) == ("1e-9", "5")
