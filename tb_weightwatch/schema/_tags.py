"""Where data stand in an event file: tags, and the Summary that carries a datum."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tensorboard.compat.proto import summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

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
