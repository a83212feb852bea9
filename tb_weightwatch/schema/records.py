"""Dated records and the state of a launch ("now") to bytes and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError as _ProtobufError

from ..history import Record, Rows
from ..verdict import Diagnosis
from . import weightwatch_pb2 as pb
from .envelope import DecodeError, seal, unseal
from .row_blocks import from_block, to_block

MAX_ITEMS = 1 << 17  # variables or layers in one record
_ITEMS: dict[str, dict[str, Any]] = {
    "variables": {"name": str, "shape": list, "dtype": str, "layer": str, "trainable": bool, "optimized": bool},
    "layers": {"name": str, "kind": str, "activation": str},
}


@dataclass(frozen=True)
class LaunchStatus:
    """Where a launch stands.

    Attributes:
        time: last sign of life, unix seconds.
        due: seconds within which the next one was to come.
        step: last attempted step.
        rows: rows written in blocks so far.
        blocks: blocks written so far.
        headers: headers written so far.
        latest: the latest row, which may stand in no block yet; None if there is none.
        diagnosis: as the trainer last judged.
        started: of the launch, unix seconds.
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
        ValueError: a record holds what JSON can not (a cycle), or is larger than any reader accepts.
    """
    message = pb.Records()
    for record in records:
        message.records.add(step=record.step, time=_finite(record.time), kind=record.kind, json=_text(record.data))
    return seal("RECORDS", message, started)


def decode_records(data: bytes) -> list[Record]:
    """Returns the dated records of a datum.

    Raises:
        DecodeError: they can not be read.
    """
    body, _ = unseal("RECORDS", data)
    try:
        message = pb.Records.FromString(body)
    except _ProtobufError:
        raise DecodeError("damaged: not dated records") from None
    return [
        Record(max(0, item.step), item.kind, _checked(item.kind, _parsed(item.json)), _finite(item.time))
        for item in message.records
    ]


def record_as_stored(record: Record) -> Record:
    """Returns the record as a reader will get it."""
    return decode_records(encode_records([record]))[0]


def encode_now(now: LaunchStatus) -> bytes:
    """Returns the bytes of a launch's state."""
    message = pb.Now(time=_finite(now.time), due=now.due, step=now.step, rows=now.rows)
    message.blocks, message.headers = now.blocks, now.headers
    if now.latest is not None and len(now.latest):
        message.latest.CopyFrom(to_block(now.latest, now.rows))
    if now.diagnosis is not None:
        message.diagnosis = _text(now.diagnosis.as_dict())
    return seal("NOW", message, now.started)


def decode_now(data: bytes) -> LaunchStatus:
    """Returns a launch's state.

    Raises:
        DecodeError: it can not be read.
    """
    body, started = unseal("NOW", data)
    try:
        message = pb.Now.FromString(body)
    except _ProtobufError:
        raise DecodeError("damaged: not a state") from None
    latest = from_block(message.latest)[0] if message.HasField("latest") else None
    try:
        diagnosis = Diagnosis.from_dict(_parsed(message.diagnosis)) if message.diagnosis else None
    except (TypeError, KeyError, ValueError, AttributeError):  # of another version: only what the rows say counts
        diagnosis = None
    return LaunchStatus(
        time=_finite(message.time),
        due=max(0.0, _finite(message.due)),
        step=max(0, message.step),
        rows=max(0, message.rows),
        blocks=message.blocks,
        headers=message.headers,
        latest=latest,
        diagnosis=diagnosis,
        started=_finite(started),
    )


def without_latest_row(now: LaunchStatus) -> LaunchStatus:
    """Returns the state without the latest row, for when its bytes add up."""
    return replace(now, latest=None)


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, default=_plain, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return str(value)


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise DecodeError("damaged: a record is not JSON") from None
    if not isinstance(data, dict):
        raise DecodeError("damaged: a record must be a JSON object")
    return data


def _checked(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Keeps, of the items that become a History's axes, what this version knows and what has the right type."""
    fields = _ITEMS.get(kind)
    if fields is None:
        return data
    items = data.get("items")
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        raise DecodeError(f"out of bounds: items of {kind!r}")
    if not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        raise DecodeError(f"damaged: an item of {kind!r} has no name")
    return {**data, "items": [_item(item, fields) for item in items]}


def _item(item: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    kept = {
        key: value
        for key, value in item.items()
        if key in fields and (isinstance(value, fields[key]) or (key == "optimized" and value is None))
    }
    shape: Any = kept.get("shape", ())
    if not all(isinstance(n, int) and 0 <= n < 1 << 48 for n in shape):
        del kept["shape"]
    return kept


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
