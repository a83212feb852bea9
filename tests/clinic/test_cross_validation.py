"""Cross-validation by kind: no run is judged by what was fitted on its own kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.clinic.sweep.cross_validation import leave_one_kind_out

KINDS = {"a1": "a", "b1": "b", "a2": "a", "c1": "c", "b2": "b"}


def _fit(runs: Sequence[str]) -> Callable[[str], tuple[str, frozenset[str]]]:
    return lambda run: (run, frozenset(runs))


@pytest.mark.parametrize("folds", [None, 2, 9])
def test_a_run_is_judged_by_what_was_fitted_without_its_kind(folds: int | None) -> None:
    """Each run is judged once, and nothing of its kind was fitted on; other kinds were."""
    said = leave_one_kind_out(KINDS, _fit, folds)
    assert list(said) == list(KINDS)
    for run, (judged, fitted) in said.items():
        assert judged == run
        assert fitted and all(KINDS[other] != KINDS[run] for other in fitted)
    if folds != 2:
        assert said["a1"][1] == {"b1", "c1", "b2"}


def test_nothing_to_judge() -> None:
    """Without runs nothing is fitted."""
    assert leave_one_kind_out({}, _fit) == {}
