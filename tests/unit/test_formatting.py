"""Numbers and shares as text: the backend writes them as the panel does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tb_weightwatch.answers.launch_state import percent
from tb_weightwatch.verdict import factor, number

TABLE = json.loads((Path(__file__).parents[2] / "frontend" / "tests" / "numbers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("value", "text"), TABLE["numbers"])
def test_numbers_are_written_as_in_the_panel(value: float | str, text: str) -> None:
    """The table of frontend/tests/numbers.json, which the panel's tests read too, holds for the backend."""
    assert number(float(value)) == text


@pytest.mark.parametrize(("share", "text"), TABLE["shares"])
def test_shares_are_written_as_in_the_panel(share: float, text: str) -> None:
    """A share is a percentage with a space, and only none and all are 0 % and 100 %."""
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.31, "0.31"), (4e-3, "4e-3"), (10_000, "10,000"), (999_999.7, "1 million"), (1e7, "10 million"),
        (2.345e9, "2.35 billion"), (3e15, "3e15"), (float("inf"), "Inf"), (float("nan"), "NaN"),
    ],
)  # fmt: skip
def test_factors_are_written_in_words_from_a_million_on(value: float, text: str) -> None:
    """How many times as large something is has no exponent up to a thousand billion."""
    assert factor(value) == text
