"""Which calls of the summary functions are recorded."""

from __future__ import annotations

from tb_weightwatch.capture.schedule.affordable_calls import AffordableCalls
from tb_weightwatch.capture.schedule.budget import Budget


def recorded(share: float | None, row: float, step: float, calls: int) -> list[int]:
    """Returns the recorded calls of a training whose steps take `step` seconds, and whose rows take `row` seconds."""
    time = 0.0
    budget = Budget(share, clock=lambda: time)
    which = AffordableCalls(budget)
    due = []
    for call in range(1, calls + 1):
        time += step
        if which.next_is_due():
            due.append(call)
            time += row
            budget.add_row_cost(row)
    return due


def test_without_a_limit_all_are() -> None:
    """None records every call, whatever it costs."""
    assert recorded(None, row=10.0, step=0.1, calls=50) == list(range(1, 51))


def test_cheap_rows_are_all_recorded() -> None:
    """Where rows cost less than the share, no call is left out."""
    assert recorded(0.02, row=0.001, step=0.1, calls=2000) == list(range(1, 2001))


def test_costly_rows_come_in_bursts() -> None:
    """The first 16 calls are recorded, then bursts of 8 successive calls; the number of rows stays small."""
    due = recorded(0.02, row=1.0, step=0.1, calls=2000)
    assert due[:16] == list(range(1, 17))
    later = due[16:]
    assert len(later) % 8 == 0 and len(later) < 120
    for i in range(0, len(later), 8):
        assert later[i : i + 8] == list(range(later[i], later[i] + 8))
    assert due[-1] > 1000  # a burst each time the number of calls has grown by half
