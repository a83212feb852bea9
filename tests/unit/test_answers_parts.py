"""The answers behind the panel's views: zoom, row order, clipping, usual ranges, maps, and two runs compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch import answers, schema
from tb_weightwatch.answers.run_comparison import link_of
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import Column, History, Record
from tb_weightwatch.maps import Map
from tb_weightwatch.reader import Launch
from tb_weightwatch.statistics import QUANTITIES
from tb_weightwatch.verdict import LINKS
from tests.support import synthetic_runs
from tests.support.histories import history_of, recorded_history


def test_a_zoom_divides_its_steps_into_buckets_again() -> None:
    """A range of steps has finer buckets, in heat map and curves, and no rows from outside."""
    history = recorded_history(400)
    part = answers.StepRange(101, 140)
    near = answers.heatmap(history, "update_ratio", 40, steps=part)
    far = answers.heatmap(history, "update_ratio", 40)
    assert near["first"] == near["last"] == list(range(101, 141))
    assert near["whole"] == far["whole"] == [1, 400]
    assert len(far["first"]) == 40
    assert answers.curves(history, "", 40, steps=part)["steps"] == near["last"]
    nothing = answers.heatmap(history, "update_ratio", 40, steps=answers.StepRange(500, 600))
    assert (nothing["first"], nothing["domain"]) == ([], None)


def test_the_worst_rows_come_first() -> None:
    """Rows that a verdict names come first, then rows with NaN, then outliers."""
    values = [[1.0, 1.0, 1.0, 1.0, 1.0, 1e-6]] * 6
    history = history_of(values)
    found_nan = history_of([[1.0, np.nan, 1.0, 1.0, 1.0, 1e-6]] * 6)
    assert answers.heatmap(history, "gradient_norm", 16)["worst"][0] == 5
    assert answers.heatmap(found_nan, "gradient_norm", 16)["worst"][:2] == [1, 5]
    sick = recorded_history(400, nan_from=200)
    diagnosis = diagnose(sick)
    order = answers.heatmap(sick, "weight_std", 16, diagnosis=diagnosis)["worst"]
    assert sorted(order) == list(range(len(synthetic_runs.NAMES)))
    named = [synthetic_runs.NAMES.index(name) for name in diagnosis.verdicts[0].variables]
    assert set(order[: len(named)]) == set(named)


def test_clipping_is_a_curve_of_its_own() -> None:
    """The clip ratio is the norm after clipping over that before; it is there only where both were recorded."""
    history = recorded_history(8)
    block = synthetic_runs.rows(9, 8)
    block.variable["raw_gradient_norm"] = Column(4.0 * block.variable["gradient_norm"].values, np.ones((8, 6), bool))
    history.append(schema.as_stored(block))
    curves = {c["quantity"]["name"]: c for c in answers.curves(history, synthetic_runs.NAMES[0], 100)["curves"]}
    assert curves["clip_ratio"]["last"][-1] == pytest.approx(0.25, rel=0.01)
    assert curves["clip_ratio"]["lead"]
    first = [c["quantity"]["name"] for c in answers.curves(history, synthetic_runs.NAMES[0], 100)["curves"]][:5]
    assert first == ["update_ratio", "gradient_norm", "update_norm", "weight_norm", "changed_share"]


def optimized(name: str, **config: float) -> History:
    history = recorded_history(16)
    history.add(Record(0, "facts", {"optimizers": [{"class": name, "name": name, "config": config}]}))
    return history


def test_the_usual_range_depends_on_the_optimizer() -> None:
    """SGD's usual learning rate is ten times Adam's, and a clipping threshold is a band."""

    def band(history: History, quantity: str, name: str = "") -> dict[str, float] | None:
        return next(
            c["usual"] for c in answers.curves(history, name, 16)["curves"] if c["quantity"]["name"] == quantity
        )

    adam, sgd = (band(optimized(name), "learning_rate") for name in ("Adam", "SGD"))
    assert adam and sgd
    assert sgd["high"] == pytest.approx(10 * adam["high"])
    assert adam["low"] < 1e-3 < adam["high"]
    clipped = band(optimized("SGD", clipnorm=0.5), "gradient_norm", synthetic_runs.NAMES[0])
    assert clipped and clipped["high"] == 0.5
    assert band(optimized("SGD"), "gradient_norm", synthetic_runs.NAMES[0]) is None
    assert band(optimized("SGD", clipnorm=float("inf")), "gradient_norm", synthetic_runs.NAMES[0]) is None
    kernel = band(optimized("Adam"), "update_ratio", synthetic_runs.NAMES[0])
    assert kernel and kernel["low"] < 1e-3 < kernel["high"]
    odd = recorded_history(16)
    odd.add(Record(0, "facts", {"optimizers": "none of your business"}))
    assert band(odd, "learning_rate") is None


def recorded_map(step: int, kind: str, values: object) -> Map:
    return Map(step, "a", kind, np.asarray(values, np.float64))


def test_histograms_and_motion_maps_lose_no_element() -> None:
    """Shares, zeros and non-finite elements sum to 1; a row that does not move is counted; NaN stays."""
    variable = recorded_history(8).variables[0]
    counts = np.zeros(256)
    counts[[0, 120, 122, 255]] = 1, 2, 4, 1
    maps = [recorded_map(step, "update_histogram", counts) for step in range(1, 41)]
    maps += [
        recorded_map(9, "update_map", [[0.0, 0.0], [1e-3, np.nan]]),
        recorded_map(3, "update_map", [[1, 1], [1, 1]]),
    ]
    answer = answers.maps(variable, maps, left_out=2)
    (histogram,) = answer["histograms"]
    assert (len(histogram["steps"]), histogram["steps"][0], histogram["steps"][-1]) == (16, 1, 40)
    assert [len(row) for row in histogram["shares"]] == [3] * 16
    assert sum(histogram["shares"][0]) + histogram["zero"][0] + histogram["odd"][0] == pytest.approx(1)
    (motion,) = answer["motion"]
    assert [f["step"] for f in motion["frames"]] == [3, 9]
    assert motion["frames"][1]["values"] == [[0.0, 0.0], [0.001, "NaN"]]
    assert motion["frames"][1]["text"].startswith("1 of 2 rows")
    assert answer["left_out"] == 2
    assert answers.maps(variable, [])["histograms"] == []


def comparison(one: History, other: History) -> dict[str, Any]:
    return answers.compare(one, other, (diagnose(one), diagnose(other)))


def test_two_runs_first_differ_at_the_first_number_that_differs() -> None:
    """The same run does not differ; a learning rate that changes is named before what follows from it."""
    one, other = recorded_history(64), History("b2", started=synthetic_runs.STARTED)
    for record in synthetic_runs.facts():
        other.add(record)
    for start in range(1, 65, 8):
        block = synthetic_runs.rows(start, 8)
        if start >= 33:
            block.run["learning_rate"].values[:] = 1e-10
            block.run["loss"].values[4:] *= 2
        other.append(block)
    same = comparison(one, recorded_history(64))
    assert (same["first_step"], same["settings"], same["first_links"]) == (None, [], [])
    assert "every number agrees to within 1 %" in same["text"]
    different = comparison(one, other)
    assert (different["first_step"], different["clear_step"], different["first_links"]) == (33, 37, ["optimizer"])
    assert different["numbers"] == [{"label": "learning rate", "one": "1e-3", "other": "1e-10"}]
    assert different["text"].startswith("The runs first differ at step 33: learning rate 1e-3 vs. 1e-10.")
    other.add(Record(0, "facts", {"precision": "mixed_float16"}))
    assert comparison(one, other)["settings"] == [
        {"name": "precision", "label": "precision", "one": "float32", "other": "mixed_float16"}
    ]
    assert comparison(one, History("c"))["text"] == "No step was recorded in both runs."


def test_the_conclusion_names_the_better_run() -> None:
    """The healthy run is better than the sick one, whichever comes first, by the names that were given."""
    healthy, sick = recorded_history(400), recorded_history(400, nan_from=200)
    for pair, better in (((healthy, sick), 0), ((sick, healthy), 1)):
        answer = answers.compare(*pair, (diagnose(pair[0]), diagnose(pair[1])), ("first", "second"))
        assert answer["better"] == better
        name = ("first", "second")[better]
        assert answer["conclusion"].startswith(f"{name} is better: it is healthy, the other run is sick.")
        assert "nonfinite" in answer["conclusion"]
    assert comparison(healthy, recorded_history(400))["conclusion"].startswith("No clear winner: both are healthy")


def test_every_quantity_belongs_to_a_link() -> None:
    """A new quantity must say on which link a difference in it shows."""
    links = {name: link_of(name) for name in QUANTITIES}
    assert set(links.values()) == set(LINKS)
    assert (links["loss"], links["loss_scale"], links["raw_gradient_norm"]) == ("loss", "optimizer", "gradient")


def test_a_change_of_a_small_cosine_is_no_difference() -> None:
    """A cosine is compared on its own scale from -1 to 1: near 0, rounding changes it by far more than 1 %."""
    one, other = (history_of([[value]], name="gradient_cosine") for value in (1e-6, 2e-6))
    assert comparison(one, other)["first_step"] is None
    assert comparison(one, history_of([[0.2]], name="gradient_cosine"))["first_step"] == 1


def test_muted_rules_are_listed_apart() -> None:
    """A muted rule gives no verdict; the verdict that it would give is listed beside it."""
    sick = recorded_history(400, nan_from=200)
    (first, *_) = diagnose(sick).verdicts
    sick.add(Record(0, "config", {"rules": {first.name: False}}))
    answer = answers.overview("r", Launch(sick), answers.safe_diagnose(sick), synthetic_runs.STARTED)
    assert first.name not in [v["name"] for v in answer["verdicts"]]
    (muted,) = answer["muted"]
    assert (muted["name"], muted["verdict"]["message"]) == (first.name, first.message)
