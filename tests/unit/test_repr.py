"""What objects say of themselves: `repr` is one short line with the main facts, whatever they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tb_weightwatch as ww
from tb_weightwatch.answers import safe_diagnose
from tb_weightwatch.display import printable, repr_of, shortened, shortened_list
from tb_weightwatch.history import Column, History, Record
from tb_weightwatch.maps import Map
from tb_weightwatch.verdict import Claim
from tests.support.suspected_run import suspected
from tests.support.synthetic_history import VARIABLES, synthetic_history
from tests.support.tested_run import CURVE, EXPERIMENTS, diagnosis_with_experiments

SICK = synthetic_history(120, learning_rate=1e-10, update_norm=1e-12, loss=1.1)
LONG = "a/very/long\nname\x1b[31m" * 4000
VERDICT = safe_diagnose(SICK).verdicts[0]
OBJECTS: dict[str, Any] = {
    "history": SICK,
    "empty history": History(),
    "hostile history": History(LONG),
    "diagnosis": safe_diagnose(SICK),
    "suspects": suspected(),
    "verdict": VERDICT,
    "hostile verdict": replace(VERDICT, name=LONG, message=LONG, fix=LONG, variables=(LONG,) * 99),
    "symptom": suspected().symptoms[0],
    "suspect": suspected().suspects[0],
    "evidence": VERDICT.evidence[0],
    "claim": Claim("is", "update_norm", 0.0, 1, 9, tuple(f"v{i}" for i in range(9999))),
    "experiment": EXPERIMENTS[0],
    "curve": CURVE,
    "report": ww.ProbeReport(EXPERIMENTS, diagnosis_with_experiments(), 177, 4.1),
    "record": SICK.of_kind("facts")[0],
    "large record": Record(3, LONG, {f"{LONG}{i}": [0] * 9999 for i in range(99)}),
    "variable": SICK.variables[0],
    "layer": SICK.layers[0],
    "rows": SICK.rows(0, 120),
    "column": Column(np.zeros((999, 99)), np.ones((999, 99), bool)),
    "map": Map(3, LONG, "weight", np.zeros((999, 99), np.float32)),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_repr_is_one_short_line(name: str) -> None:
    """It begins with the type, has no line break or control character, and at most 400 characters."""
    text = repr(OBJECTS[name])
    assert text.lstrip("<").startswith(type(OBJECTS[name]).__name__)
    assert "\n" not in text and printable(text) == text
    assert len(text) <= 400


def test_repr_says_the_main_facts() -> None:
    """Counts, spans, outcomes and the answer are in it."""
    assert repr(SICK) == "<History synthetic: 120 rows of steps 1 to 120, 4 variables, 1 layer>"
    assert repr(History("x", complete=False)) == "<History x: 0 rows, 0 variables, 0 layers, rows are missing>"
    assert repr(safe_diagnose(SICK)).startswith("<Diagnosis sick: 502 learning-rate-too-small, ")
    assert repr(suspected()).startswith("<Diagnosis sick: weights-do-not-move, 3 suspects, ")
    assert repr(OBJECTS["report"]).startswith("<ProbeReport: confirmed learning-rate-too-small, refuted ")
    assert repr(OBJECTS["column"]) == "<Column: [999, 99] float64, 98,901 values recorded>"
    assert repr(SICK.rows(0, 0)).startswith("<Rows: 0 rows")
    ended = synthetic_history(3, variables=VARIABLES[:1])
    ended.add(Record(3, "end", {"how": "exception"}))
    assert repr(ended) == "<History synthetic: 3 rows of steps 1 to 3, 1 variable, 1 layer, end: exception>"


def test_long_names_keep_both_ends() -> None:
    """A name is cut in its middle, since both the model's and the variable's part of a path tell it apart."""
    assert shortened("encoder/" + "block/" * 30 + "kernel", 20) == "encoder/bl…ck/kernel"
    assert shortened("a\n b\t\u202e c\x1b") == "a b � c�"
    assert shortened_list("abcdef", 2) == "a, b and 4 more"
    assert repr_of(SICK, "", "", "x") == "<History: x>"
