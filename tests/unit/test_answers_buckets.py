"""Buckets of steps in heat map and curves: which steps they cover, and how many of those were recorded."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_weightwatch import answers
from tb_weightwatch.history import Column, History, Record, Rows

BURSTS = [*range(1, 65), *(step for start in range(81, 400, 32) for step in range(start, start + 8))]


def recorded_at(steps: list[int]) -> History:
    """Returns a History of one variable with a norm at these steps, each the number of its step."""
    history = History("x")
    history.add(Record(0, "variables", {"items": [{"name": "v0"}]}))
    values = Column(np.array(steps, np.float64)[:, None], np.ones((len(steps), 1), bool))
    history.append(Rows(np.array(steps, np.int64), np.zeros(len(steps)), {"gradient_norm": values}))
    return history


def heatmap(steps: list[int], columns: int, part: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    return answers.heatmap(recorded_at(steps), "gradient_norm", columns, steps=answers.StepRange(*part))


def test_every_recorded_step_is_a_bucket_where_there_is_room() -> None:
    """A bucket of one step covers that step only, so that steps which were not recorded lie between buckets."""
    answer = heatmap(BURSTS, 300)
    assert answer["first"] == answer["last"] == BURSTS
    assert set(answer["recorded"]) == {1}
    assert answer["covered"] == [1, BURSTS[-1]]


def test_a_bucket_says_how_many_of_its_steps_were_recorded() -> None:
    """Buckets are equally wide, and one of 16 steps with a burst of 8 has 8 recorded ones; others are left out."""
    steps = [*range(1, 17), *range(33, 41), *range(241, 257)]
    answer = heatmap(steps, 16)
    assert list(zip(answer["first"], answer["last"], answer["recorded"], strict=True)) == [
        (1, 16, 16),
        (33, 48, 8),
        (241, 256, 16),
    ]
    assert answers.curves(recorded_at(steps), "v0", 16)["steps"] == [16, 40, 256]


@settings(deadline=None, max_examples=100)
@given(st.sets(st.integers(1, 5000), min_size=1, max_size=200).map(sorted), st.integers(16, 60))
def test_buckets_count_each_recorded_step_once(steps: list[int], columns: int) -> None:
    """Buckets are in order and disjoint; each counts the recorded steps between its ends, and together all of them."""
    answer = heatmap(steps, columns)
    curves = answers.curves(recorded_at(steps), "v0", columns)
    buckets = list(zip(answer["first"], answer["last"], answer["recorded"], strict=True))
    assert [count for _, _, count in buckets] == [sum(a <= step <= b for step in steps) for a, b, _ in buckets]
    assert sum(answer["recorded"]) == len(steps)
    assert all(before[1] < after[0] for before, after in pairwise(buckets))
    assert (answer["first"][0], answer["last"][-1]) == (steps[0], steps[-1])
    for key in ("first", "last", "recorded", "covered"):
        assert curves[key] == answer[key]
    assert set(curves["steps"]) <= set(steps)
    assert len(buckets) <= columns


@pytest.mark.parametrize(
    ("part", "covered", "first"),
    [
        ((65, 80), [65, 80], []),
        ((70, 75), [65, 80], []),
        ((60, 90), [60, 112], [*range(60, 65), *range(81, 89)]),
        ((62, 84), [62, 84], [*range(62, 65), *range(81, 85)]),
        ((1, 100_000), [1, BURSTS[-1]], BURSTS),
        ((100_000, 100_010), [], []),
    ],
)
def test_a_range_says_which_steps_it_covers(part: tuple[int, int], covered: list[int], first: list[int]) -> None:
    """A gap is covered as a whole wherever the range ends in it; of steps outside the launch nothing is said."""
    answer = heatmap(BURSTS, 300, part)
    assert (answer["covered"], answer["first"]) == (covered, first)


def test_a_launch_without_rows_covers_nothing() -> None:
    """Curves of a launch that recorded no step have no buckets."""
    answer = answers.curves(History("x"), "", 300)
    assert (answer["covered"], answer["first"], answer["recorded"], answer["steps"]) == ([], [], [], [])
