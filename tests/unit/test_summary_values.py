"""The values that TensorBoard's own tabs show, as its own functions make them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.histogram import summary_v2 as histogram_summary
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams import summary_v2 as hparams_summary
from tensorboard.plugins.scalar import summary_v2 as scalar_summary
from tensorboard.util import tensor_util

from tb_weightwatch import schema
from tb_weightwatch.writer import summary_values


@pytest.mark.parametrize("number", [0.25, 0.0, np.nan, np.inf])
def test_a_scalar_is_what_tensorboard_writes(number: float) -> None:
    """The message that is faster to make means the same as the one of TensorBoard's function."""
    ours, theirs = (
        one.value[0]
        for one in (
            summary_values.scalars_summary({"loss": number}),
            scalar_summary.scalar_pb("weightwatch/loss", number),
        )
    )
    assert (ours.tag, ours.metadata) == (theirs.tag, theirs.metadata)
    arrays = [tensor_util.make_ndarray(one.tensor) for one in (ours, theirs)]
    np.testing.assert_array_equal(*arrays)
    assert arrays[0].shape == () and arrays[0].dtype == np.float32


def test_numbers_of_a_step_are_one_summary() -> None:
    """So that a step is one event."""
    summary = summary_values.scalars_summary({"loss": 1.0, "learning_rate": 2.0})
    assert [value.tag for value in summary.value] == ["weightwatch/loss", "weightwatch/learning_rate"]


@pytest.mark.parametrize(
    "values",
    [np.linspace(-3, 5, 1000) ** 3, np.float32([[1, 2], [4, 4]]), np.full(7, 0.5), np.zeros(3), np.float64([1e300])],
)
def test_buckets_are_those_of_tensorboard(values: Any) -> None:
    """Edges and counts; values that are all the same are in the last bucket."""
    summary = histogram_summary.histogram_pb("a", values, buckets=summary_values.BUCKETS)
    expected = tensor_util.make_ndarray(summary.value[0].tensor)
    table = summary_values.buckets(values, 10_000)
    assert table is not None
    np.testing.assert_allclose(table, expected, rtol=1e-12)
    (value,) = summary_values.histograms_summary({"weight/w": table}).value
    assert (value.tag, value.metadata) == ("weightwatch/weight/w", summary.value[0].metadata)
    np.testing.assert_array_equal(tensor_util.make_ndarray(value.tensor), table)


def test_buckets_of_unusual_values() -> None:
    """Values that are not finite are left out; there is no histogram where none is, or where they span too much."""
    table = summary_values.buckets(np.array([np.nan, 1.0, np.inf, 2.0]), 10)
    assert table is not None and table[:, 2].sum() == 2
    tiny = summary_values.buckets(np.array([0.0, 5e-324]), 10)
    assert tiny is not None and tiny[:, 2].sum() == 2
    for values in ([], [np.nan], [-1.7e308, 1.7e308]):
        assert summary_values.buckets(np.array(values), 10) is None


def test_of_many_values_a_part_is_counted() -> None:
    """Every n-th, so that one histogram takes no longer than allowed."""
    table = summary_values.buckets(np.arange(1001.0), 100)
    assert table is not None
    assert table[:, 2].sum() == 91  # every 11th
    assert (table[0, 0], table[-1, 1]) == (0, 990)


@pytest.mark.parametrize("name", ["update_ratio/now", "weight/rows/000000"])
def test_no_tag_is_one_of_a_launch(name: str) -> None:
    """A variable may be named as what is recorded of a launch."""
    assert schema.parse_tag(f"weightwatch/{name}") is not None
    assert schema.parse_tag(summary_values.tag_of(name)) is None
    assert schema.parse_tag(summary_values.tag_of("loss")) is None


def test_any_name_can_be_written() -> None:
    """Also one that UTF-8 cannot hold."""
    summary = summary_values.scalars_summary({"a\ud800": 1.0})
    assert summary_pb2.Summary.FromString(summary.SerializeToString()).value[0].tag == "weightwatch/a?"


def test_hyperparameters_are_what_tensorboard_writes() -> None:
    """Settings of each type, and begin and end of the session in one Summary."""
    settings: dict[str, Any] = {"optimizer": "SGD", "learning_rate": 0.5, "weights": 3, "own": True}
    summary = summary_values.hyperparameters_summary(settings, "a", 5.0, failed=True)
    begin, end = summary.value
    (theirs,) = hparams_summary.hparams_pb(settings, trial_id="a", start_time_secs=5.0).value
    assert begin.tag == theirs.tag
    contents = [one.metadata.plugin_data.content for one in (begin, theirs)]
    assert len({str(metadata.parse_session_start_info_plugin_data(content)) for content in contents}) == 1
    ended = metadata.parse_session_end_info_plugin_data(end.metadata.plugin_data.content)
    assert (end.tag, ended.status) == (metadata.SESSION_END_INFO_TAG, 2)  # STATUS_FAILURE
