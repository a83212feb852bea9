"""The values of Summaries that TensorBoard's own tabs show: scalars, histograms and hyperparameters."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import schema

BUCKETS = 30  # as Keras' TensorBoard callback writes
Setting = bool | int | float | str


def tag_of(name: str) -> str:
    """Returns the tag of a quantity, such as "weightwatch/loss"; never one under which a launch is recorded."""
    tag = f"{schema.PLUGIN}/{name}".encode(errors="replace").decode()
    return tag if schema.parse_tag(tag) is None else f"{tag}_"  # a variable may be named "now"


def scalars_summary(numbers: Mapping[str, float]) -> Any:
    """Returns one Summary with all of these numbers, for the Scalars tab."""
    from tensorboard.compat.proto import summary_pb2, tensor_pb2, types_pb2

    metadata, summary = _scalar_metadata(), summary_pb2.Summary()
    for name, number in numbers.items():
        # The message that `scalar_pb` of TensorBoard makes, which takes several times as long.
        tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[number])
        tensor.tensor_shape.SetInParent()
        summary.value.add(tag=tag_of(name), metadata=metadata, tensor=tensor)
    return summary


def histograms_summary(tables: Mapping[str, NDArray[np.float64]]) -> Any:
    """Returns one Summary with all of these tables of `buckets`, for the Histograms and Distributions tabs."""
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.histogram import metadata as histogram_metadata
    from tensorboard.util import tensor_util

    metadata = histogram_metadata.create_summary_metadata(display_name=None, description=None)
    summary = summary_pb2.Summary()
    for name, table in tables.items():
        tensor = tensor_util.make_tensor_proto(table, dtype=np.float64)
        summary.value.add(tag=tag_of(name), metadata=metadata, tensor=tensor)
    return summary


def hyperparameters_summary(settings: Mapping[str, Setting], session: str, started: float, *, failed: bool) -> Any:
    """Returns one Summary with the begin and the end of a session, for the HParams tab.

    Args:
        settings: name -> value.
        session: name of the session; sessions of one name are shown as one.
        started: unix seconds.
        failed: whether it ended with a failure.
    """
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    begin = plugin_data_pb2.SessionStartInfo(group_name=session, start_time_secs=started)
    for name, value in settings.items():
        kind = "bool_value" if isinstance(value, bool) else "string_value" if isinstance(value, str) else "number_value"
        setattr(begin.hparams[name], kind, value)
    status = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    summary = summary_pb2.Summary()
    for tag, data in (
        (metadata.SESSION_START_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_start_info=begin)),
        (metadata.SESSION_END_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=end)),
    ):
        summary.value.add(tag=tag, metadata=metadata.create_summary_metadata(data), tensor=metadata.NULL_TENSOR)
    return summary


def buckets(values: NDArray[Any], most: int) -> NDArray[np.float64] | None:
    """Returns the histogram of the finite values, `[BUCKETS, 3]`: left edge, right edge, count.

    Args:
        values: array of any shape.
        most: of more values than this, only every n-th is counted.

    Returns:
        None if no value is finite, or if they lie too far apart.
    """
    flat = np.asarray(values).reshape(-1)
    flat = flat[:: -(-flat.size // most) or 1].astype(np.float64)
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return None
    low, high = float(flat.min()), float(flat.max())
    with np.errstate(over="ignore"):
        width = (high - low) / BUCKETS
    if not np.isfinite(width):
        return None
    # As TensorBoard does: values that are all the same are counted in the last of 30 buckets without a width.
    indices = np.minimum((flat - low) / width, BUCKETS - 1).astype(np.int64) if width else np.array([BUCKETS - 1])
    weights = None if width else np.array([float(flat.size)])
    counts = np.bincount(indices, weights, BUCKETS)
    edges = np.linspace(low, high, BUCKETS + 1)
    return np.stack([edges[:-1], edges[1:], counts], axis=1)


@cache
def _scalar_metadata() -> Any:
    from tensorboard.plugins.scalar import metadata

    return metadata.create_summary_metadata(display_name=None, description=None)
