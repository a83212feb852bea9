"""The table of what records hold: all that trainings write fits it, and anything else is left out and counted."""

from __future__ import annotations

from typing import Any

import pytest

from tb_weightwatch import schema
from tb_weightwatch.history import Record
from tb_weightwatch.schema import DecodeError, Problems, RecordReader, ValueBudget, bounds
from tb_weightwatch.schema.field_types import MAX_LABEL
from tb_weightwatch.schema.finding_schema import checked_diagnosis
from tb_weightwatch.schema.record_schema import KINDS
from tb_weightwatch.schema.wire_fields import NotAMessage, check_field_count
from tb_weightwatch.verdict import Diagnosis
from tests.harm.honest_records import DIAGNOSIS, RECORDS, SOURCE


def read(*records: Record) -> tuple[list[Record], Problems]:
    reader = RecordReader()
    return reader.read(schema.encode_records(records)), reader.problems


def test_records_with_every_field_are_read_unchanged() -> None:
    """The honest records have all kinds of the table, and nothing is left out of them."""
    assert RECORDS.keys() == KINDS.keys()
    for kind, data in [*RECORDS.items(), ("facts", {"foreign": SOURCE})]:
        (record,), problems = read(Record(1, kind, data, 2.0))
        assert repr(record) == repr(Record(1, kind, data, 2.0))
        assert repr(record.data) == repr(data)
        assert not problems


def test_a_diagnosis_with_every_part_is_read_unchanged() -> None:
    """Verdicts that explain others, symptoms, suspects, experiments and their curves come back."""
    assert Diagnosis.from_dict(checked_diagnosis(DIAGNOSIS.as_dict())) == DIAGNOSIS


@pytest.mark.parametrize(
    ("kind", "data", "kept"),
    [
        ("facts", {"gradients": 3, "precision": "float32"}, {"precision": "float32"}),
        ("facts", {"model": {"name": "m", "layers": [{"name": "a"}, 3]}}, {"model": {"name": "m"}}),
        ("facts", {"target_shape": [32, -1]}, {}),
        ("facts", {"optimizers": [{"class": "Adam", "config": {"gradient_accumulation_steps": float("inf")}}]},
         {"optimizers": [{"class": "Adam", "config": {}}]}),
        ("facts", {"made_anew": {"names": ["a", 3]}}, {"made_anew": {}}),
        ("facts", {"made_anew": {"names": "ab"}}, {"made_anew": {}}),
        ("facts", {"made_anew": {"names": ["a" * (MAX_LABEL + 1)], "start": "a" * MAX_LABEL}},
         {"made_anew": {"start": "a" * MAX_LABEL}}),
        ("facts", {"released": True}, {}),
        ("facts", {"foreign": {"shifted": float("inf"), "unit": "epoch"}}, {"foreign": {"unit": "epoch"}}),
        ("cost", {"overhead": -1, "seconds": float("nan"), "once": 2.0}, {"once": 2.0}),
        ("variables", {"items": [{"name": "a", "shape": [1 << 60], "trainable": 1}]}, {"items": [{"name": "a"}]}),
        ("end", {"how": "exception", "step": 1 << 60}, {"how": "exception"}),
        ("config", {"rules": {"a": False}, "overhead": 2}, {"rules": {"a": False}}),
        ("later", {"a": 1 << 70, "b": [1]}, {"b": [1]}),
    ],
)  # fmt: skip
def test_fields_that_do_not_fit_are_left_out(kind: str, data: dict[str, Any], kept: dict[str, Any]) -> None:
    """A field of a wrong type or range is left out, the others stay, and the reason is counted."""
    (record,), problems = read(Record(0, kind, data))
    assert record.data == kept
    assert problems


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("variables", {"items": [{"name": "a"}, {"name": "a"}]}),
        ("variables", {"items": [{"name": ""}]}),
        ("layers", {"items": "a"}),
        ("layers", {}),
        ("features", {"which": "inputs", "features": [{"mean": 1.0}]}),
        ("verdict", {**RECORDS["verdict"], "severity": "fatal"}),
        ("experiment", {**RECORDS["experiment"], "causes": 3}),
    ],
)
def test_a_record_without_what_it_needs_is_skipped(kind: str, data: dict[str, Any]) -> None:
    """Names that are missing, empty or repeated, and findings with anything wrong, make a record useless."""
    records, problems = read(Record(0, kind, data), Record(0, "cost", {"once": 1.0}))
    assert [record.kind for record in records] == ["cost"]
    assert problems.total() == 1


def test_after_a_lost_record_new_names_have_no_place() -> None:
    """Columns are named by their order, so that variables which come after an unreadable record cannot be named."""
    known, bad = {"items": [{"name": "a"}]}, {"items": [{"name": 4}]}
    later = {"items": [{"name": "a", "trainable": False}, {"name": "b"}]}
    records, problems = read(*(Record(0, "variables", data) for data in (known, bad, later)))
    assert [record.data["items"] for record in records] == [[{"name": "a"}], [{"name": "a", "trainable": False}]]
    assert "variables: an earlier record is missing, so they cannot be named" in problems


def test_a_mistake_of_ours_is_found_in_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the recorder writes must fit: else it raises in the tests, and a user's training goes on without it."""
    record = Record(3, "cost", {"overhead": "much", "once": 1.0}, 1.0)
    with pytest.raises(ValueError, match=r"cost.*overhead"):
        schema.record_as_stored(record)
    monkeypatch.delenv("TB_WEIGHTWATCH_STRICT")
    assert schema.record_as_stored(record) == Record(3, "cost", {"once": 1.0}, 1.0)


@pytest.mark.parametrize("text", ["", "t" * (1 << 15)])
def test_runs_with_equal_descriptions_share_nothing_that_is_counted_or_changed(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their records have the same text: what is left out counts for each, and a change of the one is its own."""
    monkeypatch.delenv("TB_WEIGHTWATCH_STRICT")
    data = schema.encode_records([Record(0, "cost", {"once": 1.0, "seconds": "many", "later": text}, 1.0)])
    for _ in range(2):
        run = schema.RecordReader()
        (record,) = run.read(data)
        assert record.data == {"once": 1.0, "later": text}
        assert sum(run.problems.values()) == 1
        vars(record)["data"]["once"] = 2.0


def test_what_one_run_takes_leaves_something_for_the_others() -> None:
    """Runs share a bound, but each may hold a small description whatever the others hold."""
    shared = ValueBudget(left=1000)
    greedy, modest = (ValueBudget(shared=shared, guaranteed=100) for _ in range(2))
    greedy.take(1100)
    modest.take(90)
    with pytest.raises(DecodeError, match="all runs"):
        modest.take(20)
    greedy.give_back()
    modest.take(20)
    with pytest.raises(DecodeError, match="of a run"):
        modest.take(bounds.MAX_RUN_VALUES)


def test_fields_are_counted_before_a_message_is_parsed() -> None:
    """Top-level fields, those of inner messages, and the bytes of their packed numbers."""
    pb = schema.envelope.pb
    message = pb.Maps(step=1, arrays=[pb.Array(variable="v", shape=[2, 3])] * 5)
    raw = message.SerializeToString()
    check_field_count(raw, 6, 3, 20, 3)
    for bound in ((5, 3, 20, 3), (6, 3, 19, 3), (6, 3, 9, 0)):
        with pytest.raises(DecodeError, match="out of bounds"):
            check_field_count(raw, *bound)
    with pytest.raises(NotAMessage):
        check_field_count(raw + b"\xff", 9)
    for end in range(len(raw)):  # a field may end behind the bytes that there are, also one of inner messages
        try:
            check_field_count(raw[:end], 6, 3, 20, 3)
        except NotAMessage:
            continue
