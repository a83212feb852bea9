"""The only room that knows bytes: what is kept, how finely, and how it is written and read back."""

from .envelope import MAX_RAW, VERSION, DecodeError
from .map_blocks import Part, decode_maps, encode_maps, join_parts, map_as_stored
from .records import (
    LaunchStatus,
    decode_now,
    decode_records,
    encode_now,
    encode_records,
    record_as_stored,
    without_latest_row,
)
from .row_blocks import MAX_CELLS, MAX_ROWS, RowBlock, as_stored, cells, decode_chunk, decode_rows, encode_rows
from .tags import PLUGIN, Tag, from_event, parse_tag, to_summary

__all__ = [
    "MAX_CELLS",
    "MAX_RAW",
    "MAX_ROWS",
    "PLUGIN",
    "VERSION",
    "DecodeError",
    "LaunchStatus",
    "Part",
    "RowBlock",
    "Tag",
    "as_stored",
    "cells",
    "decode_chunk",
    "decode_maps",
    "decode_now",
    "decode_records",
    "decode_rows",
    "encode_maps",
    "encode_now",
    "encode_records",
    "encode_rows",
    "from_event",
    "join_parts",
    "map_as_stored",
    "parse_tag",
    "record_as_stored",
    "to_summary",
    "without_latest_row",
]
