"""A run's numbers logged as TensorBoard scalars instead: bytes, writing, loading, and what is left; run by hand.

python -m tests.benchmarks.scalars [--variables 200] [--steps 10000] [--quantities 4]

All numbers of a run as scalars would be a gigabyte, so so many quantities of each variable are logged, and what is
printed is for one number. Scalars are written the cheapest way there is: all of a step in one event, no TensorFlow.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from tb_weightwatch import reader
from tb_weightwatch.history import History

from .panel import write


def scalar(tag: str, value: float) -> Any:
    """Returns a scalar as `tf.summary.scalar` writes it."""
    plugin = summary_pb2.SummaryMetadata.PluginData(plugin_name="scalars")
    metadata = summary_pb2.SummaryMetadata(plugin_data=plugin, data_class=summary_pb2.DATA_CLASS_SCALAR)
    shape = tensor_shape_pb2.TensorShapeProto()
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_shape=shape, float_val=[value])
    return summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)


def numbers(history: History) -> int:
    """Returns how many numbers were recorded."""
    return sum(int(c.known.sum()) for _, columns in history.rows(0, len(history)).axes() for c in columns.values())


def log(history: History, folder: Path, quantities: int) -> int:
    """Logs some quantities of all variables as scalars; how many numbers."""
    writer, names, count = EventFileWriter(str(folder)), [v.name for v in history.variables], 0
    columns = {q: c for q, c in history.rows(0, len(history)).variable.items() if c.known.all()}
    for i, step in enumerate(history.steps.tolist()):
        values = [
            scalar(f"{name}/{quantity}", float(columns[quantity].values[i, v]))
            for quantity in list(columns)[:quantities]
            for v, name in enumerate(names)
        ]
        count += len(values)
        event = event_pb2.Event(step=step, wall_time=float(i), summary=summary_pb2.Summary(value=values))
        writer.add_event(event)
    writer.close()
    return count


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*tfevents*"))


def main() -> None:
    """Writes both, loads both, prints JSON."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--variables", type=int, default=200)
    ask.add_argument("--steps", type=int, default=10_000)
    ask.add_argument("--quantities", type=int, default=4)
    given = ask.parse_args()
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Path(name) / "ours", Path(name) / "scalars"
        write(ours, given.variables, given.steps, 0)
        began = time.process_time()
        (launch,) = reader.launches(ours)
        read_s, recorded = time.process_time() - began, numbers(launch.history)
        began = time.process_time()
        logged = log(launch.history, theirs, given.quantities)
        log_s, began = time.process_time() - began, time.process_time()
        multiplexer = EventMultiplexer(size_guidance={"tensors": 1000}, tensor_size_guidance={"scalars": 1000})
        multiplexer.AddRunsFromDirectory(str(theirs))
        multiplexer.Reload()
        load_s = time.process_time() - began
        run = multiplexer.GetAccumulator(next(iter(multiplexer.Runs())))
        bytes_each = {"recorded": size(ours) / recorded, "as scalars": size(theirs) / logged}
        left = sum(len(run.Tensors(tag)) for tag in run.Tags()["tensors"])
    row = given.variables * len(launch.history)
    found = {
        "numbers": {"recorded": recorded, "as scalars": logged, "rows x variables": row},
        "bytes a number": bytes_each,
        "us to read one": {"recorded": 1e6 * read_s / recorded, "as scalars": 1e6 * load_s / logged},
        "us to log one as a scalar": 1e6 * log_s / logged,
        "share that TensorBoard keeps": {"recorded": 1.0, "as scalars": left / logged},
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
