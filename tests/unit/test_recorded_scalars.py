"""The scalars of a row: which, how many, and what is left out."""

from __future__ import annotations

import numpy as np

from tb_weightwatch.history import Column, History, Record, Rows
from tb_weightwatch.writer.recorded_scalars import MOST_KERNELS, ScalarSelection, chosen


def selection(*shapes: tuple[int, ...]) -> ScalarSelection:
    history = History()
    items = [{"name": f"v{i}", "shape": list(shape), "trainable": True} for i, shape in enumerate(shapes)]
    history.add(Record(0, "variables", {"items": items}, 0.0))
    return ScalarSelection(history)


def row(run: dict[str, float], **variable: list[float | None]) -> Rows:
    """Returns one row; None was not recorded."""
    columns = {}
    for name, values in variable.items():
        known = np.array([[value is not None for value in values]])
        columns[name] = Column(np.array([[value or 0.0 for value in values]], np.float32), known)
    of_run = {name: Column(np.array([value]), np.array([True])) for name, value in run.items()}
    return Rows(np.array([1]), np.array([0.0]), columns, {}, of_run)


def test_numbers_of_a_row() -> None:
    """Loss and learning rate, the norm of all gradients, and update ratios of variables with two axes or more."""
    one = row(
        {"loss": 0.5, "learning_rate": 0.1, "input_mean": 3.0},
        gradient_norm=[3.0, 4.0, None],
        update_norm=[1.0, 7.0, 3.0],
        weight_norm=[2.0, 8.0, 4.0],
    )
    assert selection((2, 2), (2,), (2, 2)).numbers(one, 0) == {
        "loss": 0.5,
        "learning_rate": 0.1,
        "gradient_norm": 5.0,
        "update_ratio/median": 0.625,
        "update_ratio/v0": 0.5,
        "update_ratio/v2": 0.75,
    }


def test_what_was_not_recorded_is_left_out_and_nan_is_not() -> None:
    """A loss that is NaN is a fact; one that was not recorded is none."""
    assert selection((2, 2)).numbers(row({}), 0) == {}
    numbers = selection((2, 2), (2, 2)).numbers(
        row({"loss": np.nan}, gradient_norm=[np.inf, 1.0], update_norm=[None, np.nan], weight_norm=[1.0, 1.0]), 0
    )
    assert list(numbers) == ["loss", "gradient_norm", "update_ratio/v1"]
    assert np.isnan(numbers["loss"]) and np.isinf(numbers["gradient_norm"])


def test_a_model_without_kernels_shows_its_vectors() -> None:
    """And a variable of zeros that does not move has a ratio of 0."""
    numbers = selection((3,), (3,)).numbers(row({}, update_norm=[0.0, 1.0], weight_norm=[0.0, 4.0]), 0)
    assert numbers == {"update_ratio/median": 0.125, "update_ratio/v0": 0.0, "update_ratio/v1": 0.25}


def test_of_many_kernels_a_few_are_shown() -> None:
    """At most a dozen scalars, of kernels from the first to the last."""
    many = [float(i + 1) for i in range(100)]
    numbers = selection(*[(2, 2)] * 100).numbers(
        row({"loss": 1.0, "learning_rate": 1.0}, gradient_norm=many, update_norm=many, weight_norm=many), 0
    )
    assert len(numbers) == 12
    assert {"update_ratio/v0", "update_ratio/v99"} <= set(numbers)
    assert chosen([]) == [] and chosen([4]) == [4]
    assert len(chosen(range(1000))) == MOST_KERNELS
