"""How much slower recording has made a training, in all, once, per step and per hour."""

from __future__ import annotations

from typing import Any

import pytest

from tb_weightwatch.answers.recording_cost import cost, slowdown
from tb_weightwatch.history import Record
from tests.support.histories import recorded_history


def cost_of(data: dict[str, Any], *, budget: Any = 0.02, rows: int = 40, ended: int = 0) -> str:
    """Returns the sentences; `ended`: after so many steps."""
    history = recorded_history(rows)
    history.add(Record(0, "config", {"rules": {}, "overhead": budget}))
    history.add(Record(rows, "cost", data))
    if ended:
        history.add(Record(ended, "end", {"how": "completed"}))
    return cost(history)


@pytest.mark.parametrize(
    ("share", "slower"), [(0.0, 0.0), (0.02, 1 / 49), (0.5, 1.0), (0.75, 3.0), (1.0, None), (-0.1, None), (None, None)]
)
def test_a_slowdown_is_over_the_time_without_recording(share: float | None, slower: float | None) -> None:
    """Who trains once with and once without the recorder sees this number: half of the time is twice as long."""
    assert slowdown({"overhead": share}) == (None if slower is None else pytest.approx(slower))


def test_what_was_saved_is_no_slowdown() -> None:
    """Of 60 s, recording has added 3 s and saved about 1.5 s: without it the training would have taken 58.5 s."""
    data = {"overhead": 0.05, "seconds": 60.0, "once": 1.0, "saved": 1.5}
    assert slowdown(data) == pytest.approx(1.5 / 58.5)
    assert cost_of(data).startswith(
        "Recording has made training about 2.6 % slower: of 60 s it added 3 s (1 s once, to start and to end, and "
        "50 ms in each of 40 recorded steps), and saved about 1.5 s (the first step was traced once, not twice). "
        "Without what it adds once"
    )


def test_a_training_that_recording_has_made_faster() -> None:
    """It says so, with what was added and what was saved."""
    assert slowdown({"overhead": 0.1, "seconds": 9.0, "saved": 1.9}) == pytest.approx(-1 / 10)
    assert cost_of({"overhead": 0.1, "seconds": 9.0, "once": 0.5, "saved": 1.9}).startswith(
        "By estimate, recording has not made training slower: of 9 s it added 0.9 s (0.5 s once, to start and to "
        "end, and 10 ms in each of 40 recorded steps), and saved about 1.9 s (the first step was traced once, not "
        "twice)."
    )
    assert cost_of({"overhead": 0.1, "seconds": 9.0, "saved": 0.899}).startswith(
        "By estimate, recording has not made training slower"
    )
    assert cost_of({"overhead": 0.0, "seconds": 9.0, "saved": 1.9}).startswith(
        "By estimate, recording has not made training slower: it saved about 1.9 s (the first step was traced once, "
        "not twice)."
    )


def test_a_run_of_five_seconds_does_not_look_like_a_broken_promise() -> None:
    """It says what was added once, what a step costs, and which budget it keeps to in the end."""
    assert cost_of({"overhead": 0.3, "seconds": 5.0, "once": 1.1}) == (
        "Recording has made training 43 % slower: it added 1.5 s to 3.5 s (1.1 s once, to start and to end, and 10 ms "
        "in each of 40 recorded steps). The longer a training lasts, the nearer recording keeps to its budget: 2 % of "
        "the training time, 72 s per hour."
    )


def test_a_short_run_that_has_ended_says_what_a_longer_one_costs() -> None:
    """It says the same of a training that is over, to which a "first minute" would mean nothing."""
    text = cost_of({"overhead": 0.3, "seconds": 2.0, "once": 0.1}, ended=40)
    assert text.endswith(
        " The longer a training lasts, the nearer recording keeps to its budget: 2 % of the training time, 72 s per "
        "hour."
    )


def test_a_long_run_says_what_recording_costs_per_hour() -> None:
    """The rate is measured and leaves out what was added once."""
    assert cost_of({"overhead": 0.01, "seconds": 7200.0, "once": 2.0}) == (
        "Recording has made training 1 % slower: it added 72 s to 7,128 s (2 s once, to start and to end, and 1.8 s in "
        "each of 40 recorded steps). Without what it adds once, recording costs 35 s per hour."
    )


def test_without_a_limit_none_is_promised() -> None:
    """A run on a fixed schedule has no budget, and an odd one is none."""
    for budget in (None, "much", 7.0, True):
        assert "limited" not in cost_of({"overhead": 0.3, "seconds": 5.0, "once": 1.1}, budget=budget)


def test_the_parts_never_exceed_the_whole() -> None:
    """The cost of rows is a difference of durations; where noise makes it negative, the start alone is the cost."""
    assert cost_of({"overhead": 0.009, "seconds": 1.7, "once": 0.18}).startswith(
        "Recording has made training 12 % slower: it added 0.18 s to 1.5 s (0.18 s once, to start and to end, and no "
        "measurable time in a recorded step)."
    )


def test_what_cannot_be_seen_is_not_a_number_with_an_exponent() -> None:
    """Next to nothing is said in words."""
    assert cost_of({"overhead": 2e-5, "seconds": 100.0, "once": 0.0}).startswith(
        "Recording has made training less than 0.1 % slower: it added 2 ms to 100 s (0.05 ms in each of 40 recorded"
    )
    assert cost_of({"overhead": 0, "seconds": 100.0}).startswith("Recording has made training less than 0.1 % slower. ")


@pytest.mark.parametrize(
    ("ended", "reason"),
    [(0, "all steps were recorded (40)"), (40, "all steps were recorded (40)"), (42, "40 of 42 steps were recorded")],
)
def test_without_plain_steps_the_slowdown_is_not_known(ended: int, reason: str) -> None:
    """It says why, and what is known nevertheless."""
    text = f"How much slower recording has made training is not known: {reason}, too few others to compare them with."
    assert cost_of({"overhead": None, "seconds": 2.0, "once": 0.0}, ended=ended) == text
    assert cost_of({"overhead": None, "seconds": 2.0, "once": 0.3}, ended=ended) == (
        f"{text} 0.3 s of 2 s went once, to start and to end."
    )
    assert cost_of({"overhead": None, "seconds": 2.0, "saved": 0.7}, ended=ended) == (
        f"{text} Recording saved about 0.7 s (the first step was traced once, not twice)."
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"overhead": 0.013}, "Recording has made training 1.3 % slower."),
        ({"overhead": "much"}, ""),
        ({"overhead": 1.0}, ""),
        ({}, ""),
    ],
)
def test_what_was_not_measured_is_not_told(data: dict[str, Any], text: str) -> None:
    """A recording without the duration has only the share; data of another type are no cost."""
    assert cost_of(data) == text
