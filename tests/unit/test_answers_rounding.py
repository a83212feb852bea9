"""What is shown does not depend on the last bits of a number, which differ from processor to processor."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tb_weightwatch import answers
from tb_weightwatch.answers.rounding import (
    dense_ranks,
    first_largest,
    significant,
    significant_array,
)
from tb_weightwatch.diagnosis import diagnose
from tb_weightwatch.history import History
from tb_weightwatch.reader import Launch
from tb_weightwatch.verdict import number
from tests.support import synthetic_runs
from tests.support.histories import RoundedHistory, history_of, recorded_history
from tests.support.synthetic_history import synthetic_history

SEEDS = range(8)
HEALTHY, SICK = recorded_history(96), recorded_history(96, nan_from=48)
# Two rows are equally far from the median of four, on a log scale and on a linear one; and halves of the last digit.
TIES = history_of([[1e-3, 3e-3, 1e-2, 1e-1, 1.00005, 0.123450]] * 6)
COSINES = history_of([[-0.3, 0.1, 0.5, 0.7]] * 6, name="gradient_cosine")
SLOW = synthetic_history(120, learning_rate=0.0, update_norm=0.0, loss=1.1)
FAST = synthetic_history(120)


def payloads(history: History, other: History) -> dict[str, Any]:
    """Every answer about a launch, and its comparison with another."""
    diagnosis = diagnose(history)
    heatmaps = {q["name"]: answers.heatmap(history, q["name"], 24) for q in answers.quantities(history)}
    names = ["", *(v.name for v in history.variables), *(x.name for x in history.layers)]
    return {
        "overview": answers.overview("run", Launch(history), diagnosis, synthetic_runs.STARTED),
        "heatmaps": heatmaps,
        "curves": {name: answers.curves(history, name, 24) for name in names},
        "comparison": answers.compare(history, other, (diagnosis, diagnose(other))),
    }


def without_evidence_values(payload: Any) -> Any:
    """Leaves out the raw values of evidence: a machine reads them, a person reads the text beside them."""
    if isinstance(payload, dict):
        evidence = payload.keys() >= {"value", "quantity", "text"}
        return {k: without_evidence_values(v) for k, v in payload.items() if not (evidence and k == "value")}
    return [without_evidence_values(item) for item in payload] if isinstance(payload, list) else payload


@pytest.mark.parametrize(
    ("history", "other"),
    [(HEALTHY, SICK), (SICK, HEALTHY), (TIES, TIES), (COSINES, COSINES), (SLOW, FAST)],
    ids=["healthy", "nan", "ties", "cosines", "slow"],
)
def test_answers_do_not_depend_on_the_last_bits(history: History, other: History) -> None:
    """With every number times 1 ± 1e-15, all answers have the same text and the same order."""
    expected = json.dumps(without_evidence_values(payloads(history, other)))
    for seed in SEEDS:
        rounded = payloads(RoundedHistory(history, seed), RoundedHistory(other, seed + 100))
        assert json.dumps(without_evidence_values(rounded)) == expected


def test_rows_equally_far_from_the_median_keep_their_position() -> None:
    """The order of ties in the heat map is their order in the model."""
    assert answers.heatmap(history_of([[1e-2, 1e-4, 1e-2, 1e-4]]), "gradient_norm", 16)["worst"] == [0, 1, 2, 3]
    assert answers.heatmap(history_of([[0.1, 1.0, 1.1, 12.0]]), "gradient_norm", 16)["worst"][:2] == [3, 0]


def test_equal_values_share_a_rank() -> None:
    """Values that differ by rounding errors share a rank; others are ranked by size."""
    values = np.array([0.3, 0.1 + 0.2, 0.1, 5.0, 0.30000001, 0.0])
    assert dense_ranks(values).tolist() == [2, 2, 1, 4, 3, 0]
    assert dense_ranks([]).tolist() == []
    assert dense_ranks([0.0, 0.0]).tolist() == [0, 0]
    assert first_largest([0.1, 0.3, 0.1 + 0.2]) == 1


@pytest.mark.parametrize("value", [1.125, 0.00125, 1234.5, 0.30005, -2.5e-30])
def test_halfway_between_two_roundings_is_one_of_them(value: float) -> None:
    """A number halfway between two roundings gives the same text and number, whatever its last bits are."""
    neighbours = [np.nextafter(value, np.inf), value, np.nextafter(value, -np.inf)]
    for digits in (2, 3, 4):
        assert len({number(x, digits) for x in neighbours}) == 1
        assert len({significant(x, digits) for x in neighbours}) == 1
        assert len(set(significant_array(np.array(neighbours), digits).tolist())) == 1


def test_arrays_keep_what_cannot_be_rounded() -> None:
    """NaN, infinities, zeros and the smallest float32 survive rounding."""
    values = np.array([[np.nan, np.inf, -np.inf, 0.0], [1e-45, 3.4e38, -1.23456e-7, 5e-324]])
    rounded = significant_array(values, 4)
    assert np.array_equal(rounded[0], values[0], equal_nan=True)
    assert rounded[1, :3] == pytest.approx([1e-45, 3.4e38, -1.235e-7], rel=1e-12)
    assert rounded[1, 3] >= 0
