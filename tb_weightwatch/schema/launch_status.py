"""The status of a launch (tag "now") to bytes and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..history import Rows
from ..verdict import Diagnosis
from . import weightwatch_pb2 as pb
from .bounds import MAX_JSON_VALUES, MAX_STEP, MAX_TIME
from .decode_error import DecodeError
from .envelope import decode_envelope, encode_envelope
from .field_types import Invalid, Problems
from .finding_schema import checked_diagnosis
from .json_text import parse_object, to_json
from .row_blocks import from_block, to_block


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
        written: the order in which the statuses of a launch were written: the time, or later if the clock was set back;
            0: not known.
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
    written: float = 0.0


def encode_now(now: LaunchStatus) -> bytes:
    """Returns the bytes of a launch's status."""
    message = pb.Now(time=_in_bounds(now.time), due=now.due, step=now.step, rows=now.rows)
    message.blocks, message.headers = now.blocks, now.headers
    if now.latest is not None and len(now.latest):
        message.latest.CopyFrom(to_block(now.latest, now.rows))
    if now.diagnosis is not None:
        message.diagnosis = to_json(now.diagnosis.as_dict())
    return encode_envelope("NOW", message, now.started, written=_in_bounds(now.written) or message.time)


def decode_now(data: bytes, tag: str = "", problems: Problems | None = None, *, latest: bool = False) -> LaunchStatus:
    """Returns a launch's status.

    Args:
        data: the datum.
        tag: under which it was found; "": it is not checked.
        problems: gets what was left out, and why.
        latest: the latest row is decoded as well, which takes several times as long as all the rest.

    Raises:
        DecodeError: it cannot be read.
    """
    message, envelope = decode_envelope("NOW", data, pb.Now, tag)
    if max(message.step, message.rows) > MAX_STEP:
        raise DecodeError("out of bounds: number of steps or rows")
    latest_row = from_block(message.latest)[0] if latest and message.HasField("latest") else None
    return LaunchStatus(
        time=_in_bounds(message.time),
        due=max(0.0, _in_bounds(message.due)),
        step=max(0, message.step),
        rows=max(0, message.rows),
        blocks=message.blocks,
        headers=message.headers,
        latest=latest_row,
        diagnosis=_diagnosis(message.diagnosis, Problems() if problems is None else problems),
        started=_in_bounds(envelope.started),
        written=_in_bounds(envelope.written) if envelope.seal else 0.0,
    )


def _diagnosis(text: str, problems: Problems) -> Diagnosis | None:
    """Returns the trainer's diagnosis; None if there is none that can be read: then the rows are diagnosed anew."""
    if not text:
        return None
    try:
        fields = checked_diagnosis(parse_object(text, MAX_JSON_VALUES))
    except (DecodeError, Invalid) as error:
        problems[f"the diagnosis of the training: {error}"] += 1
        return None
    try:
        return Diagnosis.from_dict(fields)
    except (TypeError, KeyError):  # it has fields of another version
        return None


def _in_bounds(value: float) -> float:
    return value if math.isfinite(value) and abs(value) <= MAX_TIME else 0.0
