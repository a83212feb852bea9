"""Dated records to bytes and back."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..history import RECORD_KINDS, Record
from . import weightwatch_pb2 as pb
from .bounds import MAX_ALL_VALUES, MAX_JSON_VALUES, MAX_RUN_VALUES, MAX_STEP, MAX_TIME, MAX_WIDTH, RECORD_VALUES
from .decode_error import DecodeError
from .envelope import decode_envelope, encode_envelope
from .field_types import Problems
from .json_text import parse_object, to_json, value_count
from .record_schema import checked

_LONGEST_KIND = 100  # characters
_KINDS_OF_NAMES = frozenset(RECORD_KINDS.values())
# Runs of one script describe the same variables and layers, so that many records have the same text.
_TEXTS_KEPT, _LONGEST_TEXT_KEPT = 64, 1 << 15  # characters
_sharing = threading.Lock()  # runs are read by several threads


@dataclass
class ValueBudget:
    """How many JSON values the dated records of a run may still hold.

    Args:
        left: how many.
        shared: what the runs of a server may hold together; None: there is no such limit.
        guaranteed: what this run may hold even if the others have used up what is shared.

    Attributes:
        taken: how many it holds.
        taken_shared: how many of them count against what is shared.
    """

    left: int = MAX_RUN_VALUES
    shared: ValueBudget | None = None
    guaranteed: int = 0
    taken: int = 0
    taken_shared: int = 0

    def take(self, count: int) -> None:
        """Takes so many values.

        Raises:
            DecodeError: there are not so many left.
        """
        if count > self.left:
            raise DecodeError(f"out of bounds: the records of a run hold more than {MAX_RUN_VALUES:,} values")
        if self.shared is not None:
            of_shared = min(count, max(0, self.taken + count - self.guaranteed))
            with _sharing:
                if of_shared > self.shared.left:
                    raise DecodeError(
                        f"out of bounds: the records of all runs hold more than {MAX_ALL_VALUES:,} values"
                    )
                self.shared.left -= of_shared
            self.taken_shared += of_shared
        self.left -= count
        self.taken += count

    def give_back(self) -> None:
        """Gives back what was taken of what is shared, when the run is dropped."""
        if self.shared is not None:
            with _sharing:
                self.shared.left += self.taken_shared
            self.taken_shared = 0


@dataclass
class RecordReader:
    """Reads the dated records of a launch.

    Attributes:
        budget: how many values they may hold.
        problems: what was left out: reason -> how often.
        lost: kinds of records ("variables", "layers") of which one is lost. They name what the columns hold, in the
            order of the columns, so that names which were not known before have no known place any more.
    """

    budget: ValueBudget = field(default_factory=ValueBudget)
    problems: Problems = field(default_factory=Problems)
    lost: set[str] = field(default_factory=set)
    _names: dict[str, set[str]] = field(default_factory=dict)

    def read(self, data: bytes, tag: str = "") -> list[Record]:
        """Returns the dated records of a datum without those that do not fit their kind.

        Raises:
            DecodeError: they cannot be read.
        """
        message, _ = decode_envelope("RECORDS", data, pb.Records, tag)
        count = sum(RECORD_VALUES + value_count(item.json) for item in message.records)
        if count > MAX_JSON_VALUES:
            raise DecodeError(f"out of bounds: records hold more than {MAX_JSON_VALUES:,} values")
        self.budget.take(count)
        records = [self._record(item) for item in message.records]
        return [record for record in records if record is not None]

    def _record(self, item: pb.Dated) -> Record | None:
        """Returns a record; None if it cannot be used."""
        data = None
        if abs(item.step) > MAX_STEP or not abs(item.time) <= MAX_TIME or len(item.kind) > _LONGEST_KIND:
            self.problems["a record: its step, time or kind is out of bounds"] += 1
        else:
            try:
                content = _content if len(item.json) > _LONGEST_TEXT_KEPT else _kept_content
                kept, problems = content(item.kind, item.json)
                data = None if kept is None else dict(kept)
                if problems:
                    self.problems.update(problems)
            except DecodeError as error:
                self.problems[str(error)] += 1
        if data is None:
            if item.kind in _KINDS_OF_NAMES:
                self.lost.add(item.kind)
            return None
        if item.kind in _KINDS_OF_NAMES:
            data = {"items": self._placed(item.kind, data["items"])}
        return Record(max(0, item.step), item.kind, data, item.time)

    def _placed(self, kind: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Returns those variables or layers whose place among the columns is known."""
        names = self._names.setdefault(kind, set())
        new = {item["name"] for item in items} - names
        reason = f"{kind}: an earlier record is missing, so they cannot be named" if kind in self.lost else ""
        if len(names) + len(new) > MAX_WIDTH:
            reason = f"{kind}: more than {MAX_WIDTH:,}"
        if not reason or not new:
            names |= new
            return items
        self.problems[reason] += len(new)
        return [item for item in items if item["name"] not in new]


def _content(kind: str, text: str) -> tuple[dict[str, Any] | None, Problems]:
    """Returns the content of a record, None if nothing of it can be used, and what was left out."""
    problems = Problems()
    return checked(kind, parse_object(text, MAX_JSON_VALUES), problems), problems


_kept_content = lru_cache(_TEXTS_KEPT)(_content)


def encode_records(records: Iterable[Record], *, started: float = 0.0) -> bytes:
    """Returns the bytes of dated records.

    Raises:
        ValueError: a record cannot be converted to JSON (it contains itself), or is larger than any reader accepts.
    """
    message = pb.Records()
    for record in records:
        time = record.time if math.isfinite(record.time) else 0.0
        message.records.add(step=record.step, time=time, kind=record.kind, json=to_json(record.data))
    return encode_envelope("RECORDS", message, started)


def decode_records(data: bytes) -> list[Record]:
    """Returns the dated records of a datum without those that do not fit their kind (see `RecordReader`).

    Raises:
        DecodeError: they cannot be read.
    """
    return RecordReader().read(data)


def record_as_stored(record: Record) -> Record:
    """Returns the record as a reader will get it; an empty one if a reader will skip it.

    Raises:
        ValueError: it does not fit its kind, and the environment variable TB_WEIGHTWATCH_STRICT is 1, as in the tests.
    """
    reader = RecordReader()
    stored = reader.read(encode_records([record]))
    if reader.problems and os.environ.get("TB_WEIGHTWATCH_STRICT") == "1":
        raise ValueError(f"a record must fit the table of schema/record_schema.py: {'; '.join(reader.problems)}")
    return stored[0] if stored else Record(max(0, record.step), record.kind, {}, record.time)
