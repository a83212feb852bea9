"""What all parts measure with: processor time, peak memory, the data of an event file."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tb_weightwatch import schema
from tests.support.event_files import framed_records

MB = 1e6


def worked(call: Callable[[], Any]) -> tuple[float, Any]:
    """Returns the milliseconds of processor time of a call in all threads of this process, and its result."""
    began = time.process_time()
    result = call()
    return 1e3 * (time.process_time() - began), result


def median_worked(call: Callable[[], Any], times: int) -> float:
    """Returns the median milliseconds of processor time of so many calls."""
    return median(worked(call)[0] for _ in range(times))


def written(logdir: Path) -> dict[str, tuple[int, int]]:
    """Returns kind -> (tags, bytes) of the data in all event files below a folder."""
    from tensorboard.compat.proto import event_pb2

    tags: dict[str, set[str]] = defaultdict(set)
    size: dict[str, int] = defaultdict(int)
    for path in logdir.rglob("*tfevents*"):
        for record in framed_records(path):
            for value in event_pb2.Event.FromString(record[12:-4]).summary.value:
                tag = schema.parse_tag(value.tag)
                if tag is not None:
                    tags[tag.kind].add(value.tag)
                    size[tag.kind] += len(record)
    return {kind: (len(names), size[kind]) for kind, names in tags.items()}
