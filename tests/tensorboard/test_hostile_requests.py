"""Requests that nobody should make, sent to a real TensorBoard; all of them: `tests.harm.routes`."""

from __future__ import annotations

from pathlib import Path

from tests.harm import routes
from tests.harm.route_cases import Case, cases, sample
from tests.support.tensorboard_process import tensorboard, wait_for_runs


def test_odd_requests_get_valid_answers(tmp_path: Path) -> None:
    """No request fails the server or its console; what is wrong with one is told; the server lists its runs after."""
    log = tmp_path / "console"
    routes.write_runs(tmp_path / "logs")
    with tensorboard(tmp_path / "logs", "--load_fast=false", tensorflow=False, log=log) as address:
        wait_for_runs(address, 2)
        counts = routes.attack(address, log, "python", sample(300))
        (response, _) = routes.sent(address, Case("/data/plugin/weightwatch/overview?run=nothing"))
        assert response.status == 404
    assert counts.faults == ()
    assert counts.survived == counts.tried == 300
    assert 50 < counts.told < 290


def test_there_are_enough_cases() -> None:
    """All cases are different, and there are as many as the attack sends."""
    assert len(set(cases())) >= routes.CASES
