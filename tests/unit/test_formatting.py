"""Numbers and shares as text: the backend writes them as the panel does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tb_weightwatch.answers.launch_state import percent
from tb_weightwatch.verdict import number

TABLE = json.loads((Path(__file__).parents[2] / "frontend" / "tests" / "numbers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("value", "text"), TABLE["numbers"])
def test_numbers_are_written_as_in_the_panel(value: float | str, text: str) -> None:
    """The table of frontend/tests/numbers.json, which the panel's tests read too, holds for the backend."""
    assert number(float(value)) == text


@pytest.mark.parametrize(("share", "text"), TABLE["shares"])
def test_shares_are_written_as_in_the_panel(share: float, text: str) -> None:
    """A share is a percentage with a space, and only none and all are 0 % and 100 %."""
    assert percent(share) == text
