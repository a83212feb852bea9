"""Which steps are recorded, and what that may cost."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from tb_weightwatch.capture.schedule.budget import Budget
from tb_weightwatch.capture.schedule.bursts import (
    ALWAYS_UNTIL,
    BURST,
    DENSE_UNTIL,
    Schedule,
    burst_offset,
    next_burst_start,
    scheduled,
)
from tb_weightwatch.capture.schedule.recording_gate import RecordingGate


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def recorded(schedule: Schedule, steps: int) -> list[int]:
    return [step for step in range(1, steps + 1) if schedule.due(step)]


def test_the_first_steps_are_all_recorded() -> None:
    """Every step up to 64 is recorded if the budget allows, and every step up to 16 whatever it costs."""
    assert recorded(Schedule(Budget(0.02, Clock())), DENSE_UNTIL) == list(range(1, DENSE_UNTIL + 1))
    budget = Budget(0.001, Clock())
    budget.add_row_cost(1000.0)
    steps = recorded(Schedule(budget), DENSE_UNTIL)
    assert steps[:ALWAYS_UNTIL] == list(range(1, ALWAYS_UNTIL + 1)) and len(steps) < DENSE_UNTIL


@pytest.mark.parametrize(
    ("plain", "missing"), [(0.005, []), (0.3, [s for s in range(17, 65) if (s - 1) % 8 < 4])], ids=["fast", "slow"]
)
def test_plain_steps_are_timed_before_many_slow_ones_are_recorded(plain: float, missing: list[int]) -> None:
    """All of the first 64 steps are recorded if they are fast; of slow ones some are left out, to compare with."""
    clock = Clock()
    budget = Budget(0.02, clock)
    schedule, found = Schedule(budget), []
    for step in range(1, DENSE_UNTIL + 1):
        found += [step] if schedule.due(step) else []
        clock.now += plain
        budget.add_step(plain, recorded=schedule.due(step))
    assert [step for step in range(1, DENSE_UNTIL + 1) if step not in found] == missing


def test_rows_stay_bounded() -> None:
    """10,000 steps give at most 3,400 rows, 200,000 at most 6,500."""
    assert sum(map(scheduled, range(1, 10_001))) <= 3_400
    assert sum(map(scheduled, range(1, 200_001))) <= 6_500


def test_bursts_are_whole_and_start_irregularly() -> None:
    """Later steps are recorded in runs of at least one burst, and the starts of bursts have no period."""
    steps = recorded(Schedule(Budget(None)), 20_000)
    late = [s for s in steps if s > 3_000]
    starts = [s for s in late if s - 1 not in set(steps)]
    lengths = [next(n for n in range(1, 100) if s + n not in set(steps)) for s in starts[:-1]]
    assert min(lengths) >= BURST
    gaps = {b - a for a, b in itertools.pairwise(starts)}
    assert len(gaps) > 10
    assert len({s % 4 for s in starts}) == 4  # no aliasing with accumulation over four steps


@pytest.mark.parametrize("start", [0, 4_000, 65_000, 2_000_000])
def test_no_burst_begins_before_the_next_start(start: int) -> None:
    """`next_burst_start` gives the next step at which a burst begins, so no earlier step has to be asked for."""
    begins = [
        s for s in range(start + 1, start + 6_000) if (burst_offset(s) == 0 if s > DENSE_UNTIL else s <= DENSE_UNTIL)
    ]
    for step in range(start, begins[-1]):
        assert next_burst_start(step) == next(s for s in begins if s > step)
        begins = begins[1:] if step + 1 >= begins[0] else begins


def test_it_is_the_same_each_time() -> None:
    """Two schedules record the same steps: they depend on nothing but the step."""
    assert recorded(Schedule(Budget(None)), 5_000) == recorded(Schedule(Budget(None)), 5_000)


def test_asking_twice_gives_the_same_answer() -> None:
    """Asking again for the same step gives the same answer."""
    schedule = Schedule(Budget(None))
    for step in range(1, 3_000):
        assert schedule.due(step) == schedule.due(step)


def test_the_budget_holds_over_a_long_run() -> None:
    """If a row costs as much as a step, a run of ten minutes spends about its share, and still records bursts."""
    clock = Clock()
    budget = Budget(0.02, clock)
    schedule = Schedule(budget)
    budget.begin()
    count = 0
    for step in range(1, 60_001):
        due = schedule.due(step)
        count += due
        clock.now += 0.02 if due else 0.01
        budget.add_step(0.02 if due else 0.01, recorded=due)
    assert 0.005 < budget.cost < 0.025
    assert count > 500


def test_a_tight_budget_sees_a_run_to_its_end() -> None:
    """If nothing can be afforded, a burst is still recorded each time the step count has grown by half."""
    budget = Budget(0.02, Clock())
    budget.add_row_cost(1000.0)
    steps = recorded(Schedule(budget), 10_000)
    assert steps[-1] > 10_000 / 1.6
    assert len(steps) < 500


def test_pauses_are_not_training_time() -> None:
    """The time between two calls of `fit` does not count."""
    clock = Clock()
    budget = Budget(0.02, clock)
    clock.now = 10.0
    budget.pause()
    clock.now = 1000.0
    budget.begin()
    clock.now = 1010.0
    assert budget.elapsed == 20.0


@pytest.mark.parametrize("share", [0.0, 1.5, -0.1, float("nan")])
def test_a_budget_is_a_share(share: float) -> None:
    """A share of training time that is not between 0 and 1 is an error that says so."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        Budget(share)


def test_the_cost_is_settled_after_each_burst() -> None:
    """Budget and schedule agree on the length of a burst, after which its cost is settled."""
    assert Budget.SETTLE_AFTER == BURST


# -- the gate


def gate_of(tensors: Any = ()) -> RecordingGate:
    return RecordingGate(None, maps=False, tensors=tensors)


def test_a_gate_is_idle_after_a_bursts_worth_of_plain_steps() -> None:
    """The first plain steps after a burst are asked for and timed; then none before the next burst or request."""
    step = next(s for s in range(100_000, 200_000) if scheduled(s) and not any(map(scheduled, range(s + 1, s + 101))))
    gate = gate_of({"w": [step + 90]})
    gate.begin_step(recording=True, background_idle=True)
    for number in range(step + 1, step + BURST + 1):
        gate.not_recorded(number)
        assert gate.idle_until == 0
    gate.not_recorded(step + BURST + 1)
    assert gate.idle_until == step + 90
    assert gate.due(step + 90)
    gate.not_recorded(step + 91)
    assert gate.idle_until == next_burst_start(step)
    gate.never_idle()
    assert gate.idle_until == 0


def test_no_step_is_idle_beside_background_work() -> None:
    """What delays a step is not seen if the step is not timed."""
    gate = gate_of()
    for background_idle in (True,) * BURST + (False, True):
        gate.begin_step(recording=False, background_idle=background_idle)
        gate.not_recorded(100_000)
        if not background_idle:
            assert gate.idle_until == 0
    assert gate.idle_until == next_burst_start(100_000)


@pytest.mark.parametrize(("recording", "background_idle", "plain"), [(0, 1, True), (0, 0, False), (1, 1, False)])
def test_a_step_beside_background_work_is_no_plain_step(recording: int, background_idle: int, plain: bool) -> None:
    """Only steps that were not recorded, and ran alone, tell how long a plain step takes."""
    gate = gate_of()
    for _ in range(Budget.MIN_PLAIN_STEPS):
        gate.begin_step(recording=bool(recording), background_idle=bool(background_idle))
        gate.end_step(time.perf_counter())
    gate.budget.add_step(1.0, recorded=True)
    assert (gate.budget.cost is not None) == plain


def test_a_step_can_be_left_untimed() -> None:
    """A step into which other work falls is in no figure of the budget."""
    gate = gate_of()
    gate.begin_step(recording=True, background_idle=True)
    gate.leave_untimed()
    gate.end_step(time.perf_counter())
    gate.charge_once(time.perf_counter())
    assert gate.budget.one_off == 0
    assert gate.budget.cost is None


def test_of_a_traced_step_a_share_can_be_charged() -> None:
    """The plain step that is part of it is charged in the same share, and so not at all."""
    gate = gate_of()
    for share in (1.0, 0.25):
        gate.begin_step(recording=False, background_idle=True)
        assert gate.step_began is not None
        gate.charge_once(gate.step_began + 8.0, share)
    assert gate.budget.one_off == 10.0
    for _ in range(Budget.MIN_PLAIN_STEPS):
        gate.budget.add_step(0.8, recorded=False)
    assert gate.budget.one_off == pytest.approx(9.0)


def test_checks_for_something_to_write_are_rare() -> None:
    """After a check the next one is a tenth of a second later."""
    gate = gate_of()
    assert gate.time_to_write() and not gate.time_to_write()
    gate.next_check_at = time.perf_counter()
    assert gate.time_to_write()
