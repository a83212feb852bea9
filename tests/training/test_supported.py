"""Each row of the table in docs/recording.md: the numbers agree with an independent computation in float64."""

from __future__ import annotations

from pathlib import Path

import pytest

import tb_weightwatch as ww
from tests.support.document_tables import block
from tests.support.synthetic_runs import same
from tests.supported.__main__ import PAGE, table
from tests.supported.case import CASES, compare


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.run])
def test_numbers_are_those_of_an_independent_observer(name: str, tmp_path: Path) -> None:
    """What was recorded agrees with numpy, and reads back as it was."""
    case = CASES[name]
    assert case.run
    history, steps = case.run(tmp_path)
    assert steps
    compare(history, steps, **case.numbers)
    if history.ended:  # what an interrupted training still holds is written when its process ends
        same(next(h for h in ww.read(tmp_path) if h.launch == history.launch), history)


def test_the_table_in_the_documentation_is_what_is_tested() -> None:
    """docs/recording.md has the table that the cases make (`python -m tests.supported` writes it)."""
    assert block("supported", table()) in PAGE.read_text(encoding="utf-8")
