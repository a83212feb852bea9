"""The sick and the healthy example of each rule are run, as `weightwatch rule` prints them."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tb_weightwatch.capture.schedule.budget import Budget
from tb_weightwatch.cli import main
from tb_weightwatch.diagnosis import PREAMBLE, Rule, catalogue, example
from tb_weightwatch.verdict import Verdict

each = pytest.mark.parametrize("rule", catalogue().values(), ids=lambda rule: rule.name)


def run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs an example in an empty folder and returns its diagnosis, as drawn on the slowest of machines.

    There nothing is affordable, and only those steps are recorded that are recorded in any case.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setattr(Budget, "affords_burst", lambda budget: False)
    names: dict[str, Any] = {}
    exec(compile(f"{PREAMBLE}\n{code}", "example", "exec"), names)
    return names["watch"].diagnosis


def flat(verdicts: tuple[Verdict, ...]) -> list[Verdict]:
    """Verdicts and what they explain."""
    return [one for v in verdicts for one in (v, *flat(v.explains))]


@pytest.mark.filterwarnings("ignore")  # the sick ones make TensorFlow, Keras and numpy warn
@each
def test_the_examples_of_a_rule_get_the_answers_they_are_there_for(
    rule: Rule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule fires on the sick one, whose fix has code that can be copied, and none makes the healthy one sick."""
    sick = run(example(rule, "Sick example"), tmp_path, monkeypatch)
    told = next((v for v in flat(sick.verdicts) if v.name == rule.name), None)
    assert sick.status == "sick" and told is not None, sick.sentence
    lines = [line for line in told.fix.split("\n") if line.startswith("    ")]
    assert lines, told.fix
    ast.parse(textwrap.dedent("\n".join(lines)))
    healthy = run(example(rule, "Healthy example"), tmp_path, monkeypatch)
    assert healthy.status != "sick" and rule.name not in [v.name for v in flat(healthy.verdicts)], healthy.sentence


def test_the_command_line_shows_both_examples_and_what_they_begin_with(capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed is all it takes to run them."""
    assert main(["rule", "502"]) == 0
    shown = capsys.readouterr().out
    assert "optimizers.Adam(1e-10)" in shown and "Healthy example:" in shown
    assert "def fit(model, x, y, loss" in shown and "import keras" in shown
