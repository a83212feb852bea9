"""The table of all runs: its rows, its columns of settings; and the learning rate that an experiment recommends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tb_weightwatch import answers, schema
from tb_weightwatch.answers.chain import chain
from tb_weightwatch.answers.setting_columns import MOST_COLUMNS, setting_columns
from tb_weightwatch.history import History, Record
from tb_weightwatch.reader import Launch
from tests.support import synthetic_runs

NOW = synthetic_runs.STARTED + 3600.0


def history_of(rate: float, *, rows: int = 32, nan_from: int | None = None, **facts: Any) -> History:
    """Returns a launch with this learning rate and further facts."""
    history = History("a1", started=synthetic_runs.STARTED)
    for record in synthetic_runs.facts():
        history.add(record)
    history.add(schema.record_as_stored(Record(0, "facts", facts, synthetic_runs.STARTED)))
    if rows:
        block = synthetic_runs.rows(1, rows, nan_from=nan_from)
        block.run["learning_rate"].values[:] = rate
        history.append(schema.as_stored(block))
    return history


def row_of(history: History, *, read: bool = True) -> tuple[dict[str, Any], answers.RunSummary | None]:
    launch, diagnosis = Launch(history), answers.safe_diagnose(history)
    return answers.launch_entry(launch, diagnosis, NOW), answers.summary_of(launch, diagnosis) if read else None


def columns(*launches: dict[str, str] | None) -> list[tuple[str, tuple[str, ...], tuple[str | None, ...]]]:
    return [(c.label, c.also, c.values) for c in setting_columns(launches)]


def test_a_row_is_the_entry_of_the_run_list_with_links_loss_and_settings() -> None:
    """The links are those of the overview; runs are sorted by label; one that was not read has neither."""
    histories = {"b/weightwatch": history_of(1e-3), "a": history_of(0.5, nan_from=1), "c": history_of(1e-3)}
    runs = [(name, *row_of(history, read=name != "c")) for name, history in histories.items()]
    table = json.loads(json.dumps(answers.run_table(runs, 1)))
    assert [(r["run"], r["label"]) for r in table["rows"]] == [("a", "a"), ("b/weightwatch", "b"), ("c", "c")]
    first, second, unread = table["rows"]
    assert first.items() >= row_of(histories["a"])[0].items()
    expected = chain(histories["a"], answers.safe_diagnose(histories["a"]))
    assert [link.items() <= whole.items() for link, whole in zip(first["links"], expected, strict=True)] == [True] * 7
    assert [(link["link"], link["state"]) for link in first["links"] if link["first"]] == [("loss", "broken")]
    assert (first["loss"], second["loss"]) == ("NaN", pytest.approx(1.82, rel=0.02))
    assert [s["label"] for s in table["settings"]] == ["initial learning rate"]
    assert [r["settings"] for r in table["rows"]] == [["0.5"], ["1e-3"], []]
    assert (unread["links"], unread["loss"], unread["headline"]) == ([], None, "healthy")
    assert (table["pending"], table["settings_left_out"]) == (1, 0)


def test_a_table_without_runs_rows_or_differences() -> None:
    """No run, runs of which nothing was recorded yet, and equal runs give a table without columns for settings."""
    assert answers.run_table([]) == {"pending": 0, "settings": [], "settings_left_out": 0, "rows": []}
    alike = answers.run_table([(name, *row_of(history_of(1e-3, rows=0))) for name in "ab"])
    assert alike["settings"] == []
    assert [(r["settings"], r["loss"]) for r in alike["rows"]] == [([], None)] * 2
    assert [link["number"] for link in alike["rows"][0]["links"]] == [""] * 7


def test_a_loss_that_was_not_recorded_is_none_and_one_that_is_not_finite_is_named() -> None:
    """None, NaN and infinity are told apart, in JSON."""
    history = history_of(1e-3)
    history.column("loss")[-1] = float("inf")
    assert answers.summary_of(Launch(history), answers.safe_diagnose(history)).loss == "Infinity"
    empty = History("a1")
    assert answers.summary_of(Launch(empty), answers.safe_diagnose(empty)).loss is None


def test_settings_that_differ_get_a_column_each_in_order_of_what_users_set() -> None:
    """What is equal everywhere has no column; the learning rate comes first, versions last; numbers are text."""
    one = {"versions.keras": "3.1", "model.layers[0].units": "8", "initial learning rate": "0.1", "precision": "f32"}
    two = {"versions.keras": "3.2", "model.layers[0].units": "9", "initial learning rate": "0.2", "precision": "f32"}
    three = {**two, "initial learning rate": "0.1"}
    four = {**one, "model.layers[0].units": "9"}
    assert [label for label, _, _ in columns(one, two, three, four)] == [
        "initial learning rate",
        "model: layers[0].units",
        "version: keras",
    ]


def test_settings_that_change_together_share_a_column() -> None:
    """They cannot be told apart; the same setting of several layers is counted in the label."""
    runs: list[dict[str, str] | None] = [
        {f"model.layers[{i}].activation": name for i in range(3)} | {"model.parameters": size, "optimizers.class": opt}
        for name, size, opt in (("relu", "96", "Adam"), ("tanh", "97", "Adam"), ("relu", "96", "SGD"))
    ]
    assert columns(*runs, None) == [
        ("optimizer", (), ("Adam", "Adam", "SGD", None)),
        ("activation of 3 layers", ("model: parameters",), ("relu", "tanh", "relu", None)),
    ]


def test_numbers_that_differ_from_run_to_run_keep_their_own_columns() -> None:
    """Random numbers in another order are another setting; what rises or falls with one is not."""
    values = (("0.1", "3", "8", "1,600"), ("0.2", "2", "4", "1,400"), ("0.3", "9", "2", "1,200"))
    names = ("initial learning rate", "model.depth", "model.units", "model.parameters")
    assert [(label, also) for label, also, _ in columns(*(dict(zip(names, v, strict=True)) for v in values))] == [
        ("initial learning rate", ("model: units", "model: parameters")),
        ("model: depth", ()),
    ]


def test_a_setting_that_is_off_is_told_from_one_that_was_not_recorded() -> None:
    """A fact is recorded as a whole: where its section is there, a setting that lacks is None or off."""
    runs = ({"optimizers.clipnorm": "1", "loss.name": "a"}, {"optimizers.class": "SGD"}, {"loss.name": "b"})
    assert {label: values for label, _, values in columns(*runs)} == {
        "optimizer: clipnorm": ("1", "", None),
        "loss: name": ("a", None, "b"),
    }


def test_many_settings_are_cut_and_counted() -> None:
    """A wide table says how many columns it leaves out."""
    count = MOST_COLUMNS + 5
    runs = []
    for i in range(count + 1):  # run i differs from the others in setting i, so that no two settings change together
        settings = {f"model.s{j}": str(i == j) for j in range(count)}
        history = history_of(1e-3)
        summary = answers.summary_of(Launch(history), answers.safe_diagnose(history))
        runs.append((f"run-{i}", row_of(history)[0], summary._replace(settings=settings)))
    table = answers.run_table(runs)
    assert (len(table["settings"]), table["settings_left_out"]) == (MOST_COLUMNS, 5)
    assert all(len(row["settings"]) == MOST_COLUMNS for row in table["rows"])
