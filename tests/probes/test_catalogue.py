"""The form of every experiment: its name, its file, its docstring, the causes that it tests, its row in the page."""

from __future__ import annotations

import ast
import re

import pytest

from tb_weightwatch.diagnosis import catalogue as rules
from tb_weightwatch.probes import ExperimentKind, catalogue
from tb_weightwatch.probes.experiment import HEADINGS
from tests.support.document_tables import EXPERIMENTS, block, experiments_table

KINDS = list(catalogue().values())
each = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@each
def test_an_experiment_has_the_name_of_its_file(kind: ExperimentKind) -> None:
    """The experiment `learning-rate-sweep` is the function `learning_rate_sweep` of the module of that name."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.name)
    name = kind.name.replace("-", "_")
    assert (kind.check.__name__, kind.check.__module__) == (name, f"tb_weightwatch.probes.experiments.{name}")


def test_names_are_unique() -> None:
    """The catalogue is made of names, so two experiments of one name would be one."""
    names = [kind.name for kind in KINDS]
    assert len(names) > 7 and len(set(names)) == len(names) and list(catalogue()) == names


@each
def test_an_experiment_explains_itself(kind: ExperimentKind) -> None:
    """The docstring has a summary of one line, all headings in order with text below each, and two examples."""
    assert kind.summary.endswith(".") and kind.doc.split("\n")[1] == ""
    positions = [kind.doc.find(f"\n{heading}:\n    ") for heading in HEADINGS]
    assert -1 not in positions and positions == sorted(positions)
    for heading in ("Confirming example", "Refuting example"):
        code = kind.example(heading)
        ast.parse(code)
        assert f'experiments=["{kind.name}"]' in code, heading


@each
def test_an_experiment_tests_causes_that_are_rules(kind: ExperimentKind) -> None:
    """Each cause once, so that verdicts and suspects of that name can bear the outcome."""
    assert kind.tests and len(set(kind.tests)) == len(kind.tests)
    assert set(kind.tests) <= set(rules())
    assert kind.steps > 0 and kind.traces > 0


def test_the_table_of_experiments_is_that_of_the_catalogue() -> None:
    """docs/experiments.md lists every experiment (`python -m tests.support.document_tables` writes the table)."""
    assert block("experiments", experiments_table()) in EXPERIMENTS.read_text(encoding="utf-8")
