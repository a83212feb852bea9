"""Event files of synthetic runs: taken apart and damaged, and read through a data provider that counts its calls."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.compat.proto import event_pb2
from tensorboard.context import RequestContext
from tensorboard.summary.writer.record_writer import RecordWriter

from tb_weightwatch import reader, schema
from tb_weightwatch.reader import ProviderReader
from tb_weightwatch.schema import Tag

CTX = RequestContext()


class CountingProvider:
    """TensorBoard's data provider of a log directory, which counts calls.

    Attributes:
        requested: for each call that read data, the number of tags.
        complete_lists: for each list of tags, whether it was requested as a whole.
    """

    def __init__(self, logdir: Path) -> None:
        self.logdir = str(logdir)
        self.requested: list[int] = []
        self.complete_lists: list[bool] = []
        self.restart()

    def restart(self) -> None:
        """Reads the log directory from the beginning, as a new TensorBoard would."""
        self.multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"weightwatch": 10})
        self.reload()

    def reload(self) -> None:
        """Reads what is new in the log directory."""
        self.multiplexer.AddRunsFromDirectory(self.logdir)
        self.multiplexer.Reload()
        self.provider = data_provider.MultiplexerDataProvider(self.multiplexer, self.logdir)

    def list_tensors(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs["plugin_name"] == schema.PLUGIN:
            self.complete_lists.append(kwargs["run_tag_filter"].tags is None)
        return self.provider.list_tensors(*args, **kwargs)

    def read_tensors(self, *args: Any, **kwargs: Any) -> Any:
        self.requested.append(len(kwargs["run_tag_filter"].tags))
        return self.provider.read_tensors(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.provider, name)


def read_by_provider(logdir: Path, run: str = "weightwatch") -> list[reader.Launch]:
    """Returns the launches of a run, read through a data provider."""
    with ProviderReader(CountingProvider(logdir)).locked_run(CTX, "", run) as cached:
        return cached.launches


def event_file(logdir: Path) -> Path:
    """Returns the only event file of tb_weightwatch in a log directory."""
    (path,) = (logdir / "weightwatch").iterdir()
    return path


def framed_records(path: Path) -> list[bytes]:
    """Returns the records of an event file, each with its length and checksums."""
    data, records = path.read_bytes(), []
    while data:
        size = struct.unpack("<Q", data[:8])[0] + 16
        records.append(data[:size])
        data = data[size:]
    return records


def _events(path: Path) -> list[Any]:
    return [event_pb2.Event.FromString(record[12:-4]) for record in framed_records(path)]


def tags(path: Path) -> list[Tag]:
    """Returns the tags of an event file, in the order of its events."""
    parsed = [schema.parse_tag(value.tag) for event in _events(path) for value in event.summary.value]
    assert None not in parsed
    return [tag for tag in parsed if tag is not None]


def edit(path: Path, change: Callable[[Tag, bytes], bytes]) -> None:
    """Replaces each datum by `change(tag, datum)`, with new checksums, so that TensorBoard notices nothing."""
    events = _events(path)
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for event in events:
            for value in event.summary.value:
                value.tensor.string_val[0] = change(schema.parse_tag(value.tag), value.tensor.string_val[0])
            writer.write(event.SerializeToString())


def with_flipped_bit(data: bytes, position: int | None = None) -> bytes:
    """Returns the data with one bit changed: at `position`, or in the middle."""
    position = len(data) // 2 if position is None else position
    return data[:position] + bytes([data[position] ^ 16]) + data[position + 1 :]


def go_on(sink: Any, step: int, launch: str = "a1", started: float = 1_790_000_000.0) -> None:
    """Writes the status of a launch that has come to a step."""
    now = schema.LaunchStatus(started + step, 2.0, step, step)
    sink.emit(schema.to_summary(schema.Tag(launch, "now", 0), schema.encode_now(now)), step, started + step)
    sink.flush()
