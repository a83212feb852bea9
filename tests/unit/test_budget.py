"""What recording may cost: the budget is kept, in whole bursts, and the measured cost is right."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tb_weightwatch.capture.schedule.budget import Budget
from tb_weightwatch.capture.schedule.bursts import (
    ALWAYS_UNTIL,
    BURST,
    BURST_RESTART,
    DENSE_UNTIL,
    Schedule,
    burst_offset,
    scheduled,
)


def bursts(steps: list[int]) -> list[list[int]]:
    """Splits increasing steps into runs of consecutive ones."""
    cuts = np.flatnonzero(np.diff(steps) != 1) + 1
    return [part.tolist() for part in np.split(np.array(steps), cuts)]


def recorded(schedule: Schedule, last: int) -> list[int]:
    return [step for step in range(1, last + 1) if schedule.due(step)]


def test_rows_stay_bounded() -> None:
    """About 3,400 rows at 10,000 steps; each doubling of the steps from there adds at most 720."""
    counts = [sum(map(scheduled, range(1, n + 1))) for n in (64, 1_000, 10_000, 20_000, 40_000)]
    assert counts[0] == 64
    assert counts[2] <= 3_400
    assert all(b - a <= 720 for a, b in pairwise(counts[2:]))
    # Ten million steps are ten doublings more, and so at most 3,400 + 10 * 720 + 720 rows.


def test_bursts_are_whole_and_irregular() -> None:
    """Beyond the start, rows come in bursts of eight or more consecutive steps, at irregular distances."""
    steps = [s for s in range(5_000, 60_000) if scheduled(s)]
    found = bursts(steps)[1:-1]
    assert all(len(b) % BURST == 0 for b in found)
    pauses = np.diff([b[0] for b in found])
    assert len(set(pauses.tolist())) > 50
    # Every phase of an accumulation over four steps, and of an epoch of ten, is met about equally often.
    for period in (4, 10, 13):
        share = np.bincount(np.array(steps) % period, minlength=period) / len(steps)
        np.testing.assert_allclose(share, 1 / period, rtol=0.25)


def test_the_schedule_is_private() -> None:
    """Asking which steps are due draws from no global random generator."""
    import random

    np.random.seed(0)
    random.seed(0)
    before = np.random.get_state()[1].tolist(), random.getstate()
    recorded(Schedule(Budget(0.02)), 5_000)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


class Clock:
    """A clock that training moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def trained(share: float | None, steps: int, plain: float, extra: float) -> tuple[list[int], Budget]:
    """Simulates steps of `plain` seconds, and `extra` on recorded ones."""
    clock = Clock()
    budget = Budget(share, clock)
    schedule = Schedule(budget)
    found = []
    for step in range(1, steps + 1):
        due = schedule.due(step)
        clock.now += plain + (extra if due else 0.0)
        budget.add_step(plain + (extra if due else 0.0), recorded=due)
        found += [step] if due else []
    return found, budget


@pytest.mark.parametrize(("plain", "extra"), [(0.05, 0.02), (0.05, 0.2), (0.2, 0.1)])
def test_the_budget_is_kept(plain: float, extra: float) -> None:
    """However expensive a recorded step is, the measured share of a long training stays at what was allowed."""
    steps, budget = trained(0.02, 60_000, plain, extra)
    truth = len(steps) * extra / budget.elapsed
    assert truth < 0.025
    assert budget.cost == pytest.approx(truth, rel=0.1)
    assert steps[:ALWAYS_UNTIL] == list(range(1, ALWAYS_UNTIL + 1))


def test_the_budget_holds_where_bursts_follow_each_other() -> None:
    """In the first thousand steps the schedule leaves no step out, so only the budget limits the recording."""
    steps, budget = trained(0.02, 7_000, 0.01, 0.006)
    assert budget.elapsed > 70 and len(steps) < 400
    assert budget.cost == pytest.approx(len(steps) * 0.006 / budget.elapsed, rel=0.1)
    assert budget.cost < 0.025


def test_an_error_in_what_a_plain_step_takes_is_noticed() -> None:
    """If the first plain steps happen to be slow, recording seems to cost nothing; the next plain steps tell."""
    clock = Clock()
    budget = Budget(0.02, clock)
    schedule, recorded = Schedule(budget), list[int]()
    for step in range(1, 1001):
        due = schedule.due(step)
        seconds = 0.026 if due else 0.036 if step < 40 else 0.018
        clock.now += seconds
        budget.add_step(seconds, recorded=due)
        recorded += [step] * due
    assert len(recorded) <= 300
    assert len([step for step in recorded if step > 500]) == BURST  # the schedule's own; 500, if it is not noticed
    assert budget.cost is not None and budget.cost > 0.03


def test_the_cost_is_unknown_without_plain_steps() -> None:
    """Without plain steps the cost of recording is unknown; with them even an unfinished burst is counted."""
    clock = Clock()
    budget = Budget(0.02, clock)
    for _ in range(6):
        clock.now += 0.03
        budget.add_step(0.03, recorded=True)
    assert budget.cost is None
    for _ in range(Budget.MIN_PLAIN_STEPS):
        clock.now += 0.01
        budget.add_step(0.01, recorded=False)
    assert budget.cost == pytest.approx(6 * 0.02 / budget.elapsed)
    clock.now += 0.03
    budget.add_step(0.03, recorded=True)
    assert budget.cost == pytest.approx(7 * 0.02 / budget.elapsed)


def test_the_training_inside_a_traced_step_is_no_cost() -> None:
    """A step in which a function was traced has also trained: that much of it, as plain steps show, is not charged."""
    clock = Clock()
    budget = Budget(0.02, clock)
    clock.now += 1.2
    budget.add_one_off(1.2, steps=1)
    assert budget.one_off == pytest.approx(1.2)  # as long as no plain step is known
    for _ in range(Budget.MIN_PLAIN_STEPS):
        clock.now += 0.2
        budget.add_step(0.2, recorded=False)
    assert budget.one_off == pytest.approx(1.0)
    assert budget.cost == pytest.approx(1.0 / budget.elapsed)
    budget.add_one_off(0.1, steps=1)
    assert budget.one_off == pytest.approx(0.9)
    budget.add_one_off(0.0, steps=9)
    assert budget.one_off == 0


def test_what_is_spent_before_and_after_training_is_training_time() -> None:
    """Training waits for the recorder to begin and to end: the clock runs meanwhile, and stands or runs afterwards."""
    clock = Clock()
    budget = Budget(0.02, clock)
    budget.pause()
    clock.now += 5.0  # the user's own time
    with budget.spent_once():
        clock.now += 0.3
    clock.now += 5.0
    assert budget.one_off == pytest.approx(0.3)
    assert budget.elapsed == pytest.approx(0.3)
    budget.begin()
    clock.now += 0.6
    with pytest.raises(ValueError, match="ours"), budget.spent_once():
        clock.now += 0.1
        raise ValueError("ours")
    clock.now += 1.0
    assert budget.one_off == pytest.approx(0.4)
    assert budget.elapsed == pytest.approx(2.0)
    assert budget.cost == pytest.approx(0.2)


def test_a_recorded_step_that_was_not_timed_does_not_cost_nothing() -> None:
    """The first step of a new model is traced in place of the user's own: without plain steps nothing is known."""
    clock = Clock()
    budget = Budget(0.02, clock)
    budget.compares_steps = True
    clock.now += 2.0
    assert budget.cost is None
    for _ in range(Budget.MIN_PLAIN_STEPS):
        clock.now += 0.1
        budget.add_step(0.1, recorded=False)
    assert budget.cost == 0


def test_no_budget_is_the_fixed_schedule() -> None:
    """Without a budget the recorded steps are a function of the step alone."""
    steps, _ = trained(None, 5_000, 0.01, 10.0)
    assert steps == [s for s in range(1, 5_001) if scheduled(s)]


def test_a_tight_budget_leaves_out_whole_bursts() -> None:
    """Under a tight budget rows still come in whole bursts: a lone row aliases with accumulation and epochs."""
    steps, _ = trained(0.001, 20_000, 0.01, 0.05)
    assert len(steps) < 1_000
    found = bursts(steps)[:-1]
    early, late = [b for b in found if b[0] <= DENSE_UNTIL], [b for b in found if b[0] > DENSE_UNTIL]
    assert all(len(b) % BURST_RESTART == 0 and burst_offset(b[0]) % BURST_RESTART == 0 for b in early)
    assert all(len(b) % BURST == 0 and burst_offset(b[0]) == 0 for b in late)
    # Yet no part of the run goes unseen: something is recorded each time the step count has grown by half.
    assert max(b / a for a, b in pairwise(steps[DENSE_UNTIL:])) < 1.65
