"""Small variables that are measured together get the numbers of their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_weightwatch.capture.measure.grouped_statistics import FEW, variable_columns
from tb_weightwatch.statistics import NOT_OBSERVED, VariableStep
from tb_weightwatch.statistics.reference import sample, variable_statistics

KINDS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float64": {"dtype": "float64"},
    "no gradient": {"gradient": None},
    "gradient not observed": {"gradient": NOT_OBSERVED},
    "before not known": {"before": False},
    "not finite": {"spoil": np.nan},
    "squares overflow": {"dtype": "float64", "spoil": 1e200},
    "squares vanish": {"dtype": "float64", "scale": 1e-200},
}


def changes(
    dtype: str = "float32", gradient: Any = True, before: bool = True, spoil: float = 0.0, scale: float = 1.0
) -> dict[str, VariableStep]:
    rng = np.random.default_rng(0)

    def array(size: int) -> Any:
        values = (scale * rng.normal(size=size)).astype(dtype)
        values[0] = spoil
        return values

    made = {}
    for i in range(FEW + 3):
        size = i + 2
        given = array(size) if gradient is True else gradient
        previous = sample(array(size)) if gradient is True else None
        made[f"w{i}"] = VariableStep(given, array(size) if before else None, array(size), NOT_OBSERVED, previous)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_as_by_definition(kind: str) -> None:
    """Each quantity of each variable is known where its definition gives it, and has the same value."""
    steps = changes(**KINDS[kind])
    columns = variable_columns(steps, {name: i for i, name in enumerate(reversed(steps))})
    assert "weight_norm" in columns
    for i, (gradient, before, after, _, previous, _) in enumerate(reversed(steps.values())):
        with np.errstate(all="ignore"):
            expected = variable_statistics(gradient, before, after, previous_sample=previous)
        assert {name for name, column in columns.items() if column.known[0, i]} == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(columns[name].values[0, i], value, rtol=1e-6, err_msg=name)
