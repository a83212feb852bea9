"""Which steps are recorded, and what that may cost."""

from __future__ import annotations

import itertools

import pytest

from tb_weightwatch.capture.schedule.bursts import (
    ALWAYS_UNTIL,
    BURST,
    DENSE_UNTIL,
    Budget,
    Schedule,
    burst_offset,
    next_burst_start,
    scheduled,
)


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def recorded(schedule: Schedule, steps: int) -> list[int]:
    return [step for step in range(1, steps + 1) if schedule.due(step)]


def test_the_first_steps_are_all_recorded() -> None:
    """Every step up to 64 is recorded where the budget affords it, and every one up to 16 in any case."""
    assert recorded(Schedule(Budget(0.02, Clock())), DENSE_UNTIL) == list(range(1, DENSE_UNTIL + 1))
    budget = Budget(0.001, Clock())
    budget.spent(1000.0)
    steps = recorded(Schedule(budget), DENSE_UNTIL)
    assert steps[:ALWAYS_UNTIL] == list(range(1, ALWAYS_UNTIL + 1)) and len(steps) < DENSE_UNTIL


@pytest.mark.parametrize(("plain", "missing"), [(0.005, []), (0.3, [17, 18, 19, 20])])
def test_slow_steps_are_learnt_before_more_are_recorded(plain: float, missing: list[int]) -> None:
    """Of quick steps all of the first 64 are recorded; of slow ones some not, to learn what a plain one takes."""
    clock = Clock()
    budget = Budget(0.02, clock)
    schedule, found = Schedule(budget), []
    for step in range(1, DENSE_UNTIL + 1):
        found += [step] if schedule.due(step) else []
        clock.now += plain
        budget.stepped(plain, recorded=schedule.due(step))
    assert [step for step in range(1, DENSE_UNTIL + 1) if step not in found] == missing


def test_rows_stay_bounded() -> None:
    """10,000 steps give at most 3,400 rows, a million at most 9,000."""
    assert sum(map(scheduled, range(1, 10_001))) <= 3_400
    assert sum(map(scheduled, range(1, 1_000_001))) <= 9_000


def test_bursts_are_whole_and_start_irregularly() -> None:
    """Later on, steps are recorded in runs of at least a burst, and their starts follow no period."""
    steps = recorded(Schedule(Budget(None)), 20_000)
    late = [s for s in steps if s > 3_000]
    starts = [s for s in late if s - 1 not in set(steps)]
    lengths = [next(n for n in range(1, 100) if s + n not in set(steps)) for s in starts[:-1]]
    assert min(lengths) >= BURST
    gaps = {b - a for a, b in itertools.pairwise(starts)}
    assert len(gaps) > 10
    assert len({s % 4 for s in starts}) == 4  # no aliasing with accumulation over four steps


@pytest.mark.parametrize("start", [0, 4_000, 65_000, 2_000_000])
def test_between_bursts_nothing_need_be_asked(start: int) -> None:
    """`next_burst_start` names the next step at which a burst begins; before it none does."""
    begins = [
        s for s in range(start + 1, start + 6_000) if (burst_offset(s) == 0 if s > DENSE_UNTIL else s <= DENSE_UNTIL)
    ]
    for step in range(start, begins[-1]):
        assert next_burst_start(step) == next(s for s in begins if s > step)
        begins = begins[1:] if step + 1 >= begins[0] else begins


def test_it_is_the_same_each_time() -> None:
    """The schedule draws from no random generator: it is a function of the step."""
    assert recorded(Schedule(Budget(None)), 5_000) == recorded(Schedule(Budget(None)), 5_000)


def test_asking_twice_gives_the_same_answer() -> None:
    """The answer for a step does not change when it is asked for again."""
    schedule = Schedule(Budget(None))
    for step in range(1, 3_000):
        assert schedule.due(step) == schedule.due(step)


def test_the_budget_holds_over_a_long_run() -> None:
    """With rows that cost as much as a step, a run of ten minutes spends about its share, and never starves."""
    clock = Clock()
    budget = Budget(0.02, clock)
    schedule = Schedule(budget)
    budget.begin()
    count = 0
    for step in range(1, 60_001):
        due = schedule.due(step)
        count += due
        clock.now += 0.02 if due else 0.01
        budget.stepped(0.02 if due else 0.01, recorded=due)
    assert 0.005 < budget.cost < 0.025
    assert count > 500


def test_a_tight_budget_sees_a_run_to_its_end() -> None:
    """Where nothing can be afforded, a burst is still recorded each time the steps have grown by half."""
    budget = Budget(0.02, Clock())
    budget.spent(1000.0)
    steps = recorded(Schedule(budget), 10_000)
    assert steps[-1] > 10_000 / 1.6
    assert len(steps) < 500


def test_pauses_are_not_training_time() -> None:
    """Time between two fits does not count."""
    clock = Clock()
    budget = Budget(0.02, clock)
    clock.now = 10.0
    budget.pause()
    clock.now = 1000.0
    budget.begin()
    clock.now = 1010.0
    assert budget.elapsed == 20.0
