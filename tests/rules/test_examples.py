"""Runs the sick and the healthy example of each rule as `weightwatch rule` prints them."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tb_weightwatch.capture.schedule.budget import Budget
from tb_weightwatch.cli import main
from tb_weightwatch.diagnosis import PREAMBLE, Rule, catalogue, example
from tb_weightwatch.verdict import MOST_CHARACTERS, Verdict, verdict_headline
from tests.support.chain_truth import assert_chain_is_true

each = pytest.mark.parametrize("rule", catalogue().values(), ids=lambda rule: rule.name)


def run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs an example in an empty folder and returns its diagnosis; its chain must be true, too.

    The cost budget affords nothing, as on a very slow machine, so only the steps that are always recorded are recorded.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setattr(Budget, "affords_burst", lambda budget: False)
    names: dict[str, Any] = {}
    exec(compile(f"{PREAMBLE}\n{code}", "example", "exec"), names)
    assert_chain_is_true(names["watch"].history, names["watch"].diagnosis)
    return names["watch"].diagnosis


def flat(verdicts: tuple[Verdict, ...]) -> list[Verdict]:
    """Verdicts with the ones that they explain."""
    return [verdict for v in verdicts for verdict in (v, *flat(v.explains))]


@pytest.mark.filterwarnings("ignore")  # the sick ones make TensorFlow, Keras and numpy warn
@each
def test_the_sick_example_gets_the_verdict_and_the_healthy_one_none(
    rule: Rule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule holds for the sick example, with a short headline and valid code; no rule makes the healthy one sick."""
    sick = run(example(rule, "Sick example"), tmp_path, monkeypatch)
    verdict = next((v for v in flat(sick.verdicts) if v.name == rule.name), None)
    assert sick.status == "sick" and verdict is not None, sick.sentence
    lines = [line for line in verdict.fix.split("\n") if line.startswith("    ")]
    assert lines, verdict.fix
    ast.parse(textwrap.dedent("\n".join(lines)))
    headline = verdict_headline(verdict, summary=rule.summary).text
    stated = headline.removesuffix("; a likely cause").removesuffix(" (confirmed by an experiment)")
    assert len(headline) <= MOST_CHARACTERS and verdict.message.startswith(stated)
    healthy = run(example(rule, "Healthy example"), tmp_path, monkeypatch)
    assert healthy.status != "sick" and rule.name not in [v.name for v in flat(healthy.verdicts)], healthy.sentence


def test_the_command_line_prints_both_examples_with_their_preamble(capsys: pytest.CaptureFixture[str]) -> None:
    """The printed code is complete."""
    assert main(["rule", "502"]) == 0
    output = capsys.readouterr().out
    assert "optimizers.Adam(1e-10)" in output and "Healthy example:" in output
    assert "def fit(model, x, y, loss" in output and "import keras" in output
