"""What is stored, how precisely, and how it is written to bytes and read back. No other room knows the format."""

from .bounds import (
    ARRAY_BYTES,
    ARRAY_BYTES_PER_BYTE,
    FREE_ARRAY_BYTES,
    GUARANTEED_VALUES,
    MAX_ALL_VALUES,
    MAX_CELLS,
    MAX_DATA,
    MAX_LAUNCH_CELLS,
    MAX_LAUNCHES,
    MAX_REASONS,
    MAX_RECORD,
    MAX_ROWS,
    MAX_RUN_CELLS,
    MAX_RUN_VALUES,
    MAX_WAITING,
)
from .decode_error import DecodeError
from .envelope import VERSION, status_time
from .field_types import Problems
from .json_text import parse_object
from .launch_status import LaunchStatus, decode_now, encode_now
from .map_blocks import MapPart, decode_maps, encode_maps, join_parts, map_as_stored
from .record_schema import checked
from .records import RecordReader, ValueBudget, decode_records, encode_records, record_as_stored
from .row_blocks import (
    CodedBlock,
    RowBlock,
    as_stored,
    cell_count,
    coded_block,
    decode_row_block,
    decode_row_blocks,
    encode_rows,
)
from .tags import PLUGIN, EventData, Tag, from_event, parse_tag, to_summary

__all__ = [
    "ARRAY_BYTES",
    "ARRAY_BYTES_PER_BYTE",
    "FREE_ARRAY_BYTES",
    "GUARANTEED_VALUES",
    "MAX_ALL_VALUES",
    "MAX_CELLS",
    "MAX_DATA",
    "MAX_LAUNCHES",
    "MAX_LAUNCH_CELLS",
    "MAX_REASONS",
    "MAX_RECORD",
    "MAX_ROWS",
    "MAX_RUN_CELLS",
    "MAX_RUN_VALUES",
    "MAX_WAITING",
    "PLUGIN",
    "VERSION",
    "CodedBlock",
    "DecodeError",
    "EventData",
    "LaunchStatus",
    "MapPart",
    "Problems",
    "RecordReader",
    "RowBlock",
    "Tag",
    "ValueBudget",
    "as_stored",
    "cell_count",
    "checked",
    "coded_block",
    "decode_maps",
    "decode_now",
    "decode_records",
    "decode_row_block",
    "decode_row_blocks",
    "encode_maps",
    "encode_now",
    "encode_records",
    "encode_rows",
    "from_event",
    "join_parts",
    "map_as_stored",
    "parse_object",
    "parse_tag",
    "record_as_stored",
    "status_time",
    "to_summary",
]
