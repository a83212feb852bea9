"""The bounded part of every attack does no harm; `python -m tests.harm` tries all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harm import registry
from tests.harm.document import table
from tests.harm.outcome import Effort
from tests.support.document_tables import ROOT


@pytest.mark.parametrize("name", [name for name in registry.names() if not registry.tested_in(name)])
def test_an_attack_does_no_harm(name: str, tmp_path: Path) -> None:
    """Everything that was tried was survived, and each loss was told."""
    outcomes = registry.attack(name)(Effort(tmp_path, quick=True, jobs=6))
    assert sum(outcome.tried for outcome in outcomes) > 0
    assert all(outcome.passed for outcome in outcomes), f"\n{table(outcomes)}"


@pytest.mark.parametrize("name", [name for name in registry.names() if registry.tested_in(name)])
def test_the_other_attacks_are_tested_elsewhere(name: str) -> None:
    """The file that is named uses what the attack uses."""
    module = {"faults": "fault_injection", "route-cases": "routes"}.get(name, name.replace("-", "_"))
    assert f"{module}" in (ROOT / registry.tested_in(name)).read_text(encoding="utf-8")
