"""The tags under which data stand in an event file, and the Summary that carries a datum."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError as _ProtobufError
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

from .bounds import MAX_TAG
from .decode_error import DecodeError
from .envelope import sealed

PLUGIN = "weightwatch"
_PREFIX = f"{PLUGIN}/"
_PATTERN = re.compile(r"weightwatch/([^/]{1,100})/(?:(header|rows|maps)/(\d{1,9})|(now))")


class Tag(NamedTuple):
    """The tag of a datum.

    Attributes:
        launch: identifier of the launch.
        kind: "header", "rows", "maps" or "now".
        number: counts the data of that kind, from 0; 0 for "now".
    """

    launch: str
    kind: str
    number: int = 0

    def __str__(self) -> str:
        prefix = f"{PLUGIN}/{self.launch}/{self.kind}"
        return prefix if self.kind == "now" else f"{prefix}/{self.number:06d}"


def parse_tag(tag: str) -> Tag | None:
    """Returns the parts of a tag, or None if tb_weightwatch does not write such tags."""
    return _parsed(tag) if len(tag) <= MAX_TAG and tag.startswith(_PREFIX) else None


@lru_cache(maxsize=1 << 15)
def _parsed(tag: str) -> Tag | None:
    match = _PATTERN.fullmatch(tag)
    if not match:
        return None
    launch, kind, number, now = match.groups()
    return Tag(launch, now or kind, int(number or 0))


def to_summary(tag: Tag, data: bytes) -> Any:
    """Returns the Summary that carries a datum under its tag.

    Its metadata are repeated in every event, so they hold no more than a version.
    """
    return summary_pb2.Summary(
        value=[
            summary_pb2.Summary.Value(
                tag=str(tag),
                metadata=summary_pb2.SummaryMetadata(
                    plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=PLUGIN, content=b"1"),
                    data_class=summary_pb2.DATA_CLASS_TENSOR,
                ),
                tensor=tensor_pb2.TensorProto(
                    dtype=types_pb2.DT_STRING,
                    tensor_shape=tensor_shape_pb2.TensorShapeProto(),
                    string_val=[sealed(data, str(tag))],
                ),
            )
        ]
    )


class EventData(NamedTuple):
    """What an event holds of tb_weightwatch.

    Attributes:
        data: each datum with its tag; b"" for a value that is no single string.
        damaged: how many values of the plugin have a tag that it does not write.
    """

    data: list[tuple[Tag, bytes]]
    damaged: int


def from_event(record: bytes) -> EventData:
    """Returns the data of tb_weightwatch in a serialized event.

    Raises:
        DecodeError: the record is not an event.
    """
    try:
        event = event_pb2.Event.FromString(record)
    except _ProtobufError:
        raise DecodeError("damaged: not an event") from None
    data, damaged = [], 0
    for value in event.summary.value:
        tag = parse_tag(value.tag)
        if tag is not None:
            strings = value.tensor.string_val
            data.append((tag, strings[0] if len(strings) == 1 else b""))
        elif value.metadata.plugin_data.plugin_name == PLUGIN:
            damaged += 1
    return EventData(data, damaged)
