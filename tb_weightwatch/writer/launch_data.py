"""The data of a launch as Summaries under numbered tags, which can be written again where they were lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .. import schema
from ..history import History, Record, Rows
from ..maps import Map
from ..schema import LaunchStatus, Tag
from .sinks import Sink


class LaunchData:
    """Emits the data of one launch and counts them.

    Counts are increased after the sink took the data: data that an interrupt makes us write twice are read once.

    Args:
        sink: takes the Summary messages.
        launch: identifier of the launch.
        started: when the launch started, unix seconds.
        clock: returns unix seconds.
        step: attempted steps before this launch.

    Attributes:
        step: last attempted step.
        rows: how many rows blocks hold.
        numbers: kind -> how many data of it were emitted.
    """

    def __init__(self, sink: Sink, launch: str, started: float, clock: Callable[[], float], step: int) -> None:
        self._sink, self._launch, self._started, self._clock = sink, launch, started, clock
        self.step, self.rows = step, 0
        self.numbers = {"header": 0, "rows": 0, "maps": 0}
        self._header_ends = [0]  # how many records there were after each header
        self._blocks: list[tuple[int, int]] = []  # first row of each block, and the one after its last

    def put_records(self, records: Sequence[Record]) -> None:
        """Emits dated records."""
        self._put("header", schema.encode_records(records, started=self._started))
        self._header_ends.append(self._header_ends[-1] + len(records))

    def put_rows(self, rows: Rows, first: int) -> None:
        """Emits a block; `first` is the index of its first row among all rows of the launch."""
        self._put("rows", schema.encode_rows(rows, first, started=self._started))
        self._blocks.append((first, first + len(rows)))
        self.rows += len(rows)

    def put_maps(self, maps: Iterable[Map]) -> None:
        """Emits arrays of one step."""
        for data in schema.encode_maps(maps, started=self._started):
            self._put("maps", data)

    def put_status(self, status: LaunchStatus) -> int:
        """Emits the status of the launch; returns how many bytes it has."""
        data = schema.encode_now(status)
        self._emit(Tag(self._launch, "now"), data)
        return len(data)

    def put_again(self, history: History) -> None:
        """Emits all records, rows and kept arrays again, under the same tags; of the arrays in as many data as needed.

        Args:
            history: holds all records and rows that were emitted, in the same order.
        """
        self.numbers = dict.fromkeys(self.numbers, 0)
        for start, stop in zip(self._header_ends[:-1], self._header_ends[1:], strict=True):
            self._put("header", schema.encode_records(history.records[start:stop], started=self._started))
        for first, stop in self._blocks:
            self._put("rows", schema.encode_rows(history.rows(first, stop), first, started=self._started))
        maps = history.maps()
        for step in dict.fromkeys(array.step for array in maps):
            self.put_maps([array for array in maps if array.step == step])

    def _put(self, kind: str, data: bytes) -> None:
        self._emit(Tag(self._launch, kind, self.numbers[kind]), data)
        self.numbers[kind] += 1

    def _emit(self, tag: Tag, data: bytes) -> None:
        self._sink.emit(schema.to_summary(tag, data), self.step, self._clock())
