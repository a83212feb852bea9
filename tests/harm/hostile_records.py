"""Headers and statuses with anything in any field, beside good runs; bombs: run by hand, bounded in the suite.

python -m tests.harm.hostile_records [--bounded]
"""

from __future__ import annotations

import copy
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tb_weightwatch import answers, notebook, report, schema
from tb_weightwatch.cli import review_table, review_workers
from tb_weightwatch.cli.review_result import Job, JobResult
from tb_weightwatch.history import Record
from tb_weightwatch.reader import Launch, RunAssembler
from tb_weightwatch.schema import Tag

from ..support import synthetic_runs
from .counts import Counts
from .honest_records import DIAGNOSIS, RECORDS, SOURCE

HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 1e999, float("nan"), -1e999, 1 << 70, 10**300, "", "x", "1", "NaN", "x" * 100_000, [], {},
    [None], [[[]]], {"a": {"b": []}}, [{"name": 3}], {"name": "x"}, "\ud800\u202e<script>", [1e999], -(1 << 53) - 1,
)  # fmt: skip
GONE = object()  # in the place of a value: the field is missing
TWICE = object()  # the element of a list occurs twice
_Path = tuple[Any, ...]


def paths(value: Any, at: _Path = ()) -> Iterator[_Path]:
    """Yields the path of each value within a value."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*at, key))


def changed(value: Any, path: _Path, new: Any) -> Any:
    """Returns a copy of a value with another one at a path."""
    if not path:
        return {} if new in (GONE, TWICE) else new
    result = copy.deepcopy(value)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    if new is GONE:
        del inner[path[-1]]
    elif new is TWICE:
        inner[path[-1]] = [inner[path[-1]]] * 2
        if isinstance(inner, list):
            inner.extend(inner.pop(path[-1]))
    else:
        inner[path[-1]] = new
    return result


Header = dict[str, Any]  # kind -> content; "now" -> the diagnosis in the status


def systematic(number: int, rng: random.Random) -> Iterator[Header]:
    """Yields headers with one hostile value in one place: so many of all of them, chosen at random."""
    honest = {**RECORDS, "facts": {**RECORDS["facts"], "foreign": SOURCE}, "now": DIAGNOSIS.as_dict()}
    every = [(kind, path, new) for kind in honest for path in paths(honest[kind]) for new in (*HOSTILE, GONE, TWICE)]
    for kind, path, new in rng.sample(every, min(number, len(every))):
        yield {**RECORDS, kind: changed(honest[kind], path, new)}


def at_random(number: int, rng: random.Random) -> Iterator[Header]:
    """Yields so many headers with some hostile values in some records."""
    for _ in range(number):
        header: Header = {**RECORDS, "now": DIAGNOSIS.as_dict()}
        for _ in range(rng.randint(1, 6)):
            kind = rng.choice(list(header))
            try:
                places = list(paths(header[kind]))
                header[kind] = changed(header[kind], rng.choice(places), rng.choice((*HOSTILE, GONE, TWICE)))
            except (TypeError, KeyError, IndexError, AttributeError):  # an earlier change removed the place
                continue
        yield header


class HostileRun:
    """Makes runs with good rows and any header."""

    def __init__(self) -> None:
        rows = [synthetic_runs.rows(start, 8, nan_from=41) for start in (33, 41)]
        starts = [sum(map(len, rows[:i])) for i in range(len(rows))]
        self._rows = [schema.encode_rows(block, first) for block, first in zip(rows, starts, strict=True)]

    def launches(self, header: Header) -> list[Launch]:
        """Returns the launches as both loaders assemble them."""
        records = [
            Record(0 if kind != "end" else 60, kind, data, 1e9) for kind, data in header.items() if kind != "now"
        ]
        assembler = RunAssembler()
        data = [("header", schema.encode_records([record], started=1e9)) for record in records]
        counts = {"header": 0, "rows": 0}
        for kind, datum in [*data, *(("rows", block) for block in self._rows)]:
            assembler.put(Tag("a1", kind, counts[kind]), datum)
            counts[kind] += 1
        assembler.put(Tag("a1", "now"), self._status(header.get("now"), counts))
        return assembler.launches(settled=True)

    def _status(self, diagnosis: Any, counts: dict[str, int]) -> bytes:
        pb = schema.launch_status.pb
        text = "" if diagnosis is None else json.dumps(diagnosis)
        now = pb.Now(time=1e9, step=60, rows=16, blocks=counts["rows"], headers=counts["header"], diagnosis=text)
        return schema.envelope.encode_envelope("NOW", now, 1e9, written=1e9)


def consume(launches: list[Launch], good: Launch, folder: Path, *, with_report: bool) -> None:
    """Does with a run all that panel, command line, report and notebook do; raises what they would raise."""
    job, job_result = Job("logs", "run", "logs/run", 0), []
    for launch in launches:
        history, diagnosis = launch.history, answers.safe_diagnose(launch.history)
        logged = launch.now.diagnosis if launch.now else None
        for one in filter(None, (logged, diagnosis)):
            json.dumps(answers.launch_entry(launch, one, time.time()), allow_nan=False)
            json.dumps(one.as_dict(), allow_nan=False)
            assert str(one)
            assert repr(one)
        overview = answers.with_source(answers.overview("run", launch, diagnosis, time.time()), history)
        payloads = [overview, answers.compare(history, good.history, (diagnosis, diagnosis)),
                    answers.compare(good.history, history, (diagnosis, diagnosis))]  # fmt: skip
        payloads += [answers.heatmap(history, q["name"], 16, diagnosis=diagnosis) for q in overview["quantities"][:3]]
        payloads += [answers.curves(history, name, 16) for name in ("", *(v.name for v in history.variables[:1]))]
        payloads += [answers.summary_of(launch, diagnosis)._asdict()]
        json.dumps(payloads, allow_nan=False)
        assert repr(history)
        assert notebook.history_html(history)
        job_result.append(review_workers._launch_result(job, launch))
    JobResult.from_json(JobResult(job, job_result).to_json())
    review_table.show(job_result, details=True)
    if with_report:
        report.write(str(folder / "report.html"), {"good": [good], "hostile": launches})


def is_told(header: Header, launches: list[Launch]) -> tuple[bool, bool]:
    """Returns whether something of a header was left out, and whether that is told."""
    (launch,) = launches
    given = [(kind, data) for kind, data in header.items() if kind != "now"]
    read = [(r.kind, r.data) for r in launch.history.records]
    lost = repr(given) != repr(read) or (header.get("now") is not None and launch.now.diagnosis is None)
    return lost, bool(launch.skipped)


def headers(tried: int, seed: int, use: Callable[..., None] = consume) -> Counts:
    """Reads runs with hostile headers, and counts those that raise or lose something without a word.

    Args:
        tried: how many; half of them have one hostile value, evenly from all of those; the others several, at random.
        seed: of the random choices.
        use: what is done with them.
    """
    counts, run = Counts("hostile headers"), HostileRun()
    rng = random.Random(seed)
    chosen = [*systematic(tried // 2, rng), *at_random(tried - tried // 2, rng)]
    (good,) = run.launches(RECORDS)
    assert not good.skipped, good.skipped
    with tempfile.TemporaryDirectory() as folder:
        for number, header in enumerate(chosen):
            try:
                launches = run.launches(header)
                lost, told = is_told(header, launches)
                # A report takes a second, and reads what the overview, the heat maps and the curves read.
                use([replace(one, memo={}) for one in launches], good, Path(folder), with_report=number % 50 == 0)
            except Exception as error:
                place = error.__traceback__
                while place is not None and place.tb_next is not None:
                    place = place.tb_next
                where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
                counts = counts.plus(survived=False, note=f"{number}: {type(error).__name__}: {error} at {where}")
                continue
            silent = f"{number}: nothing is told" if lost and not told else ""
            counts = counts.plus(survived=True, lost=lost, told=told, note=silent)
    return counts


def run(*, tried: int = 5_000, seed: int = 0) -> list[Counts]:
    """Reads so many hostile headers and returns the counts."""
    return [headers(tried, seed)]


if __name__ == "__main__":
    for line in run(tried=100 if "--bounded" in sys.argv else 5_000):
        print(*line, sep="\t")
