"""What is stored, how precisely, and how it is written to bytes and read back. No other room knows the format."""

from .envelope import MAX_RAW, VERSION, DecodeError
from .map_blocks import MapPart, decode_maps, encode_maps, join_parts, map_as_stored
from .records import LaunchStatus, decode_now, decode_records, encode_now, encode_records, record_as_stored
from .row_blocks import MAX_CELLS, MAX_ROWS, RowBlock, as_stored, cell_count, decode_row_block, encode_rows
from .tags import PLUGIN, Tag, from_event, parse_tag, to_summary

__all__ = [
    "MAX_CELLS",
    "MAX_RAW",
    "MAX_ROWS",
    "PLUGIN",
    "VERSION",
    "DecodeError",
    "LaunchStatus",
    "MapPart",
    "RowBlock",
    "Tag",
    "as_stored",
    "cell_count",
    "decode_maps",
    "decode_now",
    "decode_records",
    "decode_row_block",
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
]
