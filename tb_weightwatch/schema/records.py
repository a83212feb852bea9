"""Dated records and the status of a launch (tag "now") to bytes and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..history import Record, Rows
from ..verdict import Diagnosis
from . import weightwatch_pb2 as pb
from .envelope import DecodeError, decode_envelope, encode_envelope
from .row_blocks import from_block, to_block

MAX_ITEMS = 1 << 17  # variables or layers in one record
_ITEMS: dict[str, dict[str, Any]] = {
    "variables": {"name": str, "shape": list, "dtype": str, "layer": str, "trainable": bool, "optimized": bool},
    "layers": {"name": str, "kind": str, "activation": str},
}


@dataclass(frozen=True)
class LaunchStatus:
    """How far a launch has come.

    Attributes:
        time: when this status was written, unix seconds.
        due: seconds after which the next one should have been written.
        step: last attempted step.
        rows: rows written in blocks so far.
        blocks: blocks written so far.
        headers: headers written so far.
        latest: the latest row, which may not be in a block yet; None if it is not included, or was not decoded.
        diagnosis: the trainer's last one; None if there is none.
        started: when the launch started, unix seconds.
    """

    time: float
    due: float = 0.0
    step: int = 0
    rows: int = 0
    blocks: int = 0
    headers: int = 0
    latest: Rows | None = None
    diagnosis: Diagnosis | None = None
    started: float = 0.0


def encode_records(records: Iterable[Record], *, started: float = 0.0) -> bytes:
    """Returns the bytes of dated records.

    Raises:
        ValueError: a record cannot be converted to JSON (it contains itself), or is larger than any reader accepts.
    """
    message = pb.Records()
    for record in records:
        message.records.add(
            step=record.step, time=_finite_or_zero(record.time), kind=record.kind, json=_to_json(record.data)
        )
    return encode_envelope("RECORDS", message, started)


def decode_records(data: bytes) -> list[Record]:
    """Returns the dated records of a datum.

    Raises:
        DecodeError: they cannot be read.
    """
    message, _ = decode_envelope("RECORDS", data, pb.Records)
    return [
        Record(max(0, item.step), item.kind, _known_items(item.kind, _from_json(item.json)), _finite_or_zero(item.time))
        for item in message.records
    ]


def record_as_stored(record: Record) -> Record:
    """Returns the record as a reader will get it."""
    return decode_records(encode_records([record]))[0]


def encode_now(now: LaunchStatus) -> bytes:
    """Returns the bytes of a launch's status."""
    message = pb.Now(time=_finite_or_zero(now.time), due=now.due, step=now.step, rows=now.rows)
    message.blocks, message.headers = now.blocks, now.headers
    if now.latest is not None and len(now.latest):
        message.latest.CopyFrom(to_block(now.latest, now.rows))
    if now.diagnosis is not None:
        message.diagnosis = _to_json(now.diagnosis.as_dict())
    return encode_envelope("NOW", message, now.started)


def decode_now(data: bytes, *, latest: bool = False) -> LaunchStatus:
    """Returns a launch's status.

    Args:
        data: the datum.
        latest: the latest row is decoded as well, which takes several times as long as all the rest.

    Raises:
        DecodeError: it cannot be read.
    """
    message, started = decode_envelope("NOW", data, pb.Now)
    latest_row = from_block(message.latest)[0] if latest and message.HasField("latest") else None
    try:
        diagnosis = Diagnosis.from_dict(_from_json(message.diagnosis)) if message.diagnosis else None
    except (
        TypeError,
        KeyError,
        ValueError,
        AttributeError,
    ):  # of another version: it is diagnosed anew
        diagnosis = None
    return LaunchStatus(
        time=_finite_or_zero(message.time),
        due=max(0.0, _finite_or_zero(message.due)),
        step=max(0, message.step),
        rows=max(0, message.rows),
        blocks=message.blocks,
        headers=message.headers,
        latest=latest_row,
        diagnosis=diagnosis,
        started=_finite_or_zero(started),
    )


def _to_json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, default=_jsonable, separators=(",", ":"))


def _jsonable(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return str(value)


def _from_json(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise DecodeError("damaged: a record is not JSON") from None
    if not isinstance(data, dict):
        raise DecodeError("damaged: a record must be a JSON object")
    return data


def _known_items(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Removes fields that this version does not know, or that have another type, from the items of a History's axes."""
    fields = _ITEMS.get(kind)
    if fields is None:
        return data
    items = data.get("items")
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        raise DecodeError(f"out of bounds: number or type of the items of {kind!r}")
    if not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        raise DecodeError(f"damaged: an item of {kind!r} has no name")
    return {**data, "items": [_known_fields(item, fields) for item in items]}


def _known_fields(item: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    known = {
        key: value
        for key, value in item.items()
        if key in fields and (isinstance(value, fields[key]) or (key == "optimized" and value is None))
    }
    shape: Any = known.get("shape", ())
    if not all(isinstance(n, int) and 0 <= n < 1 << 48 for n in shape):
        del known["shape"]
    return known


def _finite_or_zero(value: float) -> float:
    return value if math.isfinite(value) else 0.0
