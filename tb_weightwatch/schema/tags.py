"""Where data stand in an event file: tags, and the Summary that carries a datum."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError as _ProtobufError
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

from .envelope import DecodeError

PLUGIN = "weightwatch"
_PART = re.compile(r"weightwatch/([^/]{1,100})/(?:(header|rows|maps)/(\d{1,9})|(now))")


class Tag(NamedTuple):
    """A datum's place: launch, "header", "rows", "maps" or "now", and its number (0 for "now")."""

    launch: str
    kind: str
    number: int = 0

    def __str__(self) -> str:
        place = f"{PLUGIN}/{self.launch}/{self.kind}"
        return place if self.kind == "now" else f"{place}/{self.number:06d}"


@lru_cache(maxsize=1 << 15)
def parse_tag(tag: str) -> Tag | None:
    """Returns the parts of a tag, or None if it is none of ours."""
    found = _PART.fullmatch(tag)
    if not found:
        return None
    launch, kind, number, now = found.groups()
    return Tag(launch, now or kind, int(number or 0))


def to_summary(tag: Tag, data: bytes) -> Any:
    """Returns the Summary that carries a datum under its tag.

    Metadata are repeated in every event, so they hold no more than a version.
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
    """Returns the data of ours in a serialized event; b"" for what should be one and is none.

    Raises:
        DecodeError: it is no event.
    """
    try:
        event = event_pb2.Event.FromString(record)
    except _ProtobufError:
        raise DecodeError("damaged: not an event") from None
    found = [(parse_tag(value.tag), value.tensor.string_val) for value in event.summary.value]
    return [(tag, strings[0] if len(strings) == 1 else b"") for tag, strings in found if tag is not None]
