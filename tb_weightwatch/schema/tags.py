"""The tags under which data stand in an event file, and the Summary that carries a datum."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError as _ProtobufError
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

from .envelope import DecodeError

PLUGIN = "weightwatch"
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


@lru_cache(maxsize=1 << 15)
def parse_tag(tag: str) -> Tag | None:
    """Returns the parts of a tag, or None if tb_weightwatch does not write such tags."""
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
                    string_val=[data],
                ),
            )
        ]
    )


def from_event(record: bytes) -> list[tuple[Tag, bytes]]:
    """Returns the data with tags of tb_weightwatch in a serialized event; b"" for a value that is no single string.

    Raises:
        DecodeError: the record is not an event.
    """
    try:
        event = event_pb2.Event.FromString(record)
    except _ProtobufError:
        raise DecodeError("damaged: not an event") from None
    values = [(parse_tag(value.tag), value.tensor.string_val) for value in event.summary.value]
    return [(tag, strings[0] if len(strings) == 1 else b"") for tag, strings in values if tag is not None]
