"""The only room that knows bytes: what is kept, how finely, and how it is written and read back."""

from ._envelope import MAX_RAW, VERSION, DecodeError
from ._maps import Part, decode_maps, encode_maps, joined, settle_map
from ._records import Now, decode_now, decode_records, encode_now, encode_records, settle_record, slim
from ._rows import MAX_CELLS, MAX_ROWS, Chunk, cells, decode_chunk, decode_rows, encode_rows, settle
from ._tags import PLUGIN, Tag, from_event, parse_tag, to_summary

__all__ = [
    "MAX_CELLS",
    "MAX_RAW",
    "MAX_ROWS",
    "PLUGIN",
    "VERSION",
    "Chunk",
    "DecodeError",
    "Now",
    "Part",
    "Tag",
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
    "joined",
    "parse_tag",
    "settle",
    "settle_map",
    "settle_record",
    "slim",
    "to_summary",
]
