"""The parts of the measurement: what is measured at which sizes, and what the table says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .drawing import drawing
from .load import load
from .parameters import parameters
from .recording import fit, loop, summary
from .runs import runs
from .steps import steps


class Row(NamedTuple):
    """A row of the table.

    Attributes:
        key: of the number.
        text: what it is.
        form: how it is written.
        grows: whether its exponent is shown.
    """

    key: str
    text: str
    form: str = "{:,.0f}"
    grows: bool = True


class Part(NamedTuple):
    """One measurement at several sizes, each in a process of its own.

    Attributes:
        title: above its table.
        size: what the sizes count.
        sizes: increasing.
        measure: returns the numbers at a size.
        rows: of the table.
        beyond: a further size to which the costs are extrapolated; 0: none.
        trains: whether it needs TensorFlow.
    """

    title: str
    size: str
    sizes: tuple[int, ...]
    measure: Callable[[int], dict[str, float]]
    rows: tuple[Row, ...]
    beyond: int = 0
    trains: bool = False


VARIABLES = (10, 100, 1000, 10_000)
MS, MS1, SECONDS = "{:,.0f} ms", "{:,.1f} ms", "{:,.2f} s"
PARTS: dict[str, Part] = {
    "loop": Part(
        "Recording an eager loop", "variables", VARIABLES, loop,
        (
            Row("row_ms", "a recorded row, processor time", MS1),
            Row("row_bytes", "bytes of a row on disk"),
            Row("row_memory_bytes", "bytes of a row in the recorder's memory"),
            Row("recorder_mb", "peak memory beyond that of the training, 16 rows", "{:,.0f} MB"),
            Row("first_diagnosis_ms", "first diagnosis of 16 rows", MS),
        ),
        trains=True,
    ),
    "summary": Part("Recording with `ww.summary`", "variables", VARIABLES, summary,
                    (Row("row_ms", "a recorded row, processor time", MS1),)),
    "fit": Part(
        "Recording `model.fit`", "variables", VARIABLES[:-1], fit,
        (
            Row("row_ms", "a recorded row, processor time", MS1),
            Row("start_up_ms", "start-up: the step is traced once more", MS),
        ),
        trains=True,
    ),
    "drawing": Part(
        "Opening a run of 64 rows", "variables", VARIABLES, drawing,
        (
            Row("disk_bytes", "bytes on disk"),
            Row("decode_ms", "decoding", MS1),
            Row("diagnose_ms", "diagnosis", MS),
            Row("overview_ms", "the answer \"overview\"", MS1),
            Row("overview_bytes", "... bytes of JSON"),
            Row("heatmap_ms", "the answer \"heatmap\"", MS1),
            Row("heatmap_bytes", "... bytes of JSON"),
            Row("cold_map_s", "Chromium: heat map, first request of a new TensorBoard", SECONDS),
            Row("first_paint_s", "... first paint, later requests", SECONDS),
            Row("map_s", "... heat map, later requests", SECONDS),
            Row("elements", "... elements of the page (DOM)"),
            Row("script_mb", "... memory of the page's script", "{:,.0f} MB"),
            Row("frame_ms", "... script of a frame while panning", MS1),
            Row("tensorboard_mb", "memory of TensorBoard and its data server", "{:,.0f} MB"),
        ),
    ),
    "parameters": Part(
        "Recording large variables (four of them, eager loop)", "parameters",
        (10**5, 10**6, 10**7, 10**8), parameters,
        (
            Row("row_ms", "a recorded row, processor time", MS1),
            Row("extra_mb", "peak memory beyond that of the training", "{:,.0f} MB"),
            Row("weights_mb", "the weights themselves", "{:,.1f} MB"),
        ),
        beyond=10**9,
        trains=True,
    ),
    "steps": Part(
        "Recording for long (six variables, 50 ms a step)", "steps",
        (10**3, 10**4, 10**5, 10**6, 10**7), steps,
        (
            Row("rows", "recorded steps"),
            Row("tags", "tags"),
            Row("disk_bytes", "bytes on disk"),
            Row("status_bytes", "... of them statuses"),
            Row("decode_ms", "opening: decoding", MS),
            Row("diagnose_ms", "... diagnosis", MS),
            Row("overview_ms", "... the answer", MS),
        ),
    ),
    "runs": Part(
        "Listing many runs (fast loader)", "runs", (10, 100, 1000), runs,
        (
            Row("first_cpu_s", "start of TensorBoard and our first list of all, processor time", SECONDS),
            Row("scalars_cpu_s", "start of TensorBoard and its first list of scalars", SECONDS),
            Row("list_s", "Chromium: the list is on the page", SECONDS),
            Row("first_paint_s", "... first paint", SECONDS),
            Row("elements", "... elements of the page (DOM)"),
            Row("script_mb", "... memory of the page's script", "{:,.0f} MB"),
            Row("tensorboard_mb", "memory of TensorBoard and its data server, without us", "{:,.0f} MB"),
            Row("ours_mb", "... more with our list", "{:,.0f} MB"),
            Row("poll_first_bytes", "our list, bytes that are sent"),
            Row("poll_bytes", "a poll that finds nothing new, bytes"),
            Row("poll_ms", "... time", MS1),
            Row("poll_cpu_ms", "... processor time", MS1),
            Row("scalars_poll_bytes", "the same poll of TensorBoard's scalars, bytes"),
            Row("scalars_poll_ms", "... time", MS1),
        ),
    ),
    "load": Part(
        "Clients that ask for the list of 1,000 runs without a pause", "clients", (1, 50), load,
        (
            Row("load_average", "load of the machine before", "{:.1f}", grows=False),
            Row("ours_p50_ms", "our list, median", MS1, grows=False),
            Row("ours_p99_ms", "... 99 % within", MS1, grows=False),
            Row("ours_rate", "... requests a second", grows=False),
            Row("whole_p99_ms", "our list, sent as a whole each time, 99 % within", MS1, grows=False),
            Row("runs_p50_ms", "TensorBoard's list of runs, median", MS1, grows=False),
            Row("runs_p99_ms", "... 99 % within", MS1, grows=False),
            Row("scalars_p50_ms", "TensorBoard's list of scalars, median", MS1, grows=False),
            Row("scalars_p99_ms", "... 99 % within", MS1, grows=False),
        ),
    ),
}  # fmt: skip
