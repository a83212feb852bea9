"""What recording has cost, in all, once, per step and per hour: of a run of seconds and of one of hours."""

from __future__ import annotations

from typing import Any

import pytest

from tb_weightwatch.answers.recording_cost import cost
from tb_weightwatch.history import Record
from tests.support.histories import recorded_history


def cost_of(data: dict[str, Any], *, budget: Any = 0.02, rows: int = 40, ended: bool = False) -> str:
    history = recorded_history(rows)
    history.add(Record(0, "config", {"rules": {}, "overhead": budget}))
    history.add(Record(rows, "cost", data))
    if ended:
        history.add(Record(rows, "end", {"how": "completed"}))
    return cost(history)


def test_a_run_of_five_seconds_does_not_look_like_a_broken_promise() -> None:
    """It says what was paid once, what a step costs, and to what it is limited from the first minute on."""
    assert cost_of({"overhead": 0.3, "seconds": 5.0, "once": 1.1}) == (
        "Recording took 1.5 s of 5 s of training (30 %): 1.1 s once, to start, and 10 ms for each of 40 recorded steps."
        " After the first minute it is limited to 2 %, 72 s per hour."
    )


def test_a_short_run_that_has_ended_says_what_a_longer_one_costs() -> None:
    """There is no "after the first minute" of a training that is over."""
    text = cost_of({"overhead": 0.3, "seconds": 2.0, "once": 0.1}, ended=True)
    assert text.endswith(" In trainings of more than a minute it is limited to 2 %, 72 s per hour.")


def test_a_long_run_says_what_recording_costs_per_hour() -> None:
    """The rate is measured and leaves out what was paid once."""
    assert cost_of({"overhead": 0.01, "seconds": 7200.0, "once": 2.0}) == (
        "Recording took 72 s of 7,200 s of training (1 %): 2 s once, to start, and 1.8 s for each of 40 recorded "
        "steps. Without the start this is 35 s per hour."
    )


def test_without_a_limit_none_is_promised() -> None:
    """A run on a fixed schedule has no budget, and an odd one is none."""
    for budget in (None, "much", 7.0, True):
        assert "limited" not in cost_of({"overhead": 0.3, "seconds": 5.0, "once": 1.1}, budget=budget)


def test_the_parts_never_exceed_the_whole() -> None:
    """The cost of rows is a difference of durations; where noise makes it negative, the start alone is the cost."""
    assert cost_of({"overhead": 0.009, "seconds": 1.7, "once": 0.18}).startswith(
        "Recording took 0.18 s of 1.7 s of training (11 %): 0.18 s once, to start, and no measurable time for each"
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"overhead": None, "seconds": 2.0, "once": 0.3}, "was recorded; 0.3 s of 2 s were spent once, to start."),
        ({"overhead": None, "seconds": 2.0, "once": 0.0}, "is not known because nearly every step was recorded."),
        ({"overhead": 0.013}, "Recording took 1.3 % of the training time."),
        ({"overhead": "much"}, ""),
        ({}, ""),
    ],
)
def test_what_was_not_measured_is_not_told(data: dict[str, Any], text: str) -> None:
    """Without plain steps to compare with the cost is not known; data of another type are no cost."""
    assert cost_of(data).endswith(text)
    assert bool(cost_of(data)) == bool(text)
