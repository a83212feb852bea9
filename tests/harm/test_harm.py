"""The bounded part of every attack does no harm; `python -m tests.harm` tries all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harm import registry
from tests.harm.document import table
from tests.harm.outcome import Effort


@pytest.mark.parametrize("name", registry.names())
def test_an_attack_does_no_harm(name: str, tmp_path: Path) -> None:
    """Everything that was tried was survived, and each loss was told."""
    outcomes = registry.attack(name)(Effort(tmp_path, quick=True, jobs=6))
    assert sum(outcome.tried for outcome in outcomes) > 0
    assert all(outcome.passed for outcome in outcomes), f"\n{table(outcomes)}"
