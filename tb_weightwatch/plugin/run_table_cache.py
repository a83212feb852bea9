"""The rows of the table of all runs, each read and summarized once for each revision of its run.

A row needs the rows of its launch only while it is summarized. So the table of hundreds of runs stays small in memory,
and an unchanged run costs nothing at the next request.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import answers
from ..reader import CachedRun, Launch, ProviderReader
from .diagnosis_cache import MOST, DiagnosisCache, RunLocation, TimeBudget
from .run_entries import run_entry

SECONDS_PER_REQUEST = 0.7  # spent on reading runs; a long table is complete after several requests
RUNS_PER_CALL = 8  # read at once: the calls to a data server take longer than the decoding


class _Row(NamedTuple):
    """A row.

    Attributes:
        revision: that of the run when it was read.
        turn: grows with each row that is read; the row with the smallest one was read longest ago.
        summary: what the row says.
    """

    revision: str
    turn: int
    summary: answers.RunSummary


class RunTableCache:
    """Summaries of the newest launch of each run.

    Args:
        reader: reads the runs.
        diagnoses: the diagnoses of the run list, so that list and table agree.
        seconds_per_request: how long one request may read and diagnose; it reads at least one run.
    """

    def __init__(
        self, reader: ProviderReader, diagnoses: DiagnosisCache, *, seconds_per_request: float = SECONDS_PER_REQUEST
    ) -> None:
        self._reader = reader
        self._diagnoses = diagnoses
        self._seconds = seconds_per_request
        self._rows: OrderedDict[tuple[str, str, str], _Row] = OrderedDict()
        self._turns = itertools.count(1)
        self._lock = threading.Lock()

    def table(self, ctx: Any, experiment: str, runs: Mapping[str, CachedRun], now: float) -> dict[str, Any]:
        """Returns the table of all runs that have a launch (`answers.run_table`), as far as the time allows.

        Args:
            ctx: the context of the request.
            experiment: the experiment of the request.
            runs: all runs as the last poll left them.
            now: unix seconds.
        """
        newest = {run_name: run.launches[-1] for run_name, run in runs.items() if run.launches}
        located = {run_name: RunLocation(ctx, experiment, run_name) for run_name in newest}
        rows = {n: self._row(located[n], launch) for n, launch in newest.items()}
        outdated = [n for n, row in rows.items() if row is None or row.revision != runs[n].revision]
        # Runs that train are outdated at each request, so those that were never read come before them.
        outdated.sort(key=lambda n: row.turn if (row := rows[n]) else 0)
        budget = TimeBudget(self._seconds)  # for all: a run that is not read is not diagnosed either
        left = self._update(located, outdated, now, budget)
        return answers.run_table(
            [
                (n, self._entry(located[n], runs[n], x, now, budget), row and row.summary)
                for n, x in newest.items()
                for row in [self._row(located[n], x)]
            ],
            left,
        )

    def _update(self, located: Mapping[str, RunLocation], outdated: list[str], now: float, budget: TimeBudget) -> int:
        """Reads and summarizes outdated runs in this order, one at least; returns how many the budget left."""
        budget.allows_another()
        for start in range(0, len(outdated), RUNS_PER_CALL):
            batch = outdated[start : start + RUNS_PER_CALL]
            ctx, experiment, _ = located[batch[0]]
            for done, (run_name, run) in enumerate(self._reader.read_runs(ctx, experiment, batch), start + 1):
                self._summarize(located[run_name], run, now)
                if budget.is_spent():
                    return len(outdated) - done
        return 0

    def _entry(
        self, location: RunLocation, run: CachedRun, launch: Launch, now: float, budget: TimeBudget
    ) -> dict[str, Any]:
        return run_entry(run, launch, self._diagnoses.get(location, run, launch, now, budget), now).fields

    def _row(self, location: RunLocation, launch: Launch) -> _Row | None:
        with self._lock:
            return self._rows.get((location.experiment, location.run, launch.history.launch))

    def _summarize(self, location: RunLocation, run: CachedRun, now: float) -> None:
        with run.lock:
            if not run.launches:
                return
            launch = run.launches[-1]
            diagnosis = self._diagnoses.get(location, run, launch, now, TimeBudget(0.0))  # which allows one launch
            row = _Row(run.revision, next(self._turns), answers.summary_of(launch, diagnosis))
        with self._lock:
            key = location.experiment, location.run, launch.history.launch
            self._rows[key] = row
            self._rows.move_to_end(key)
            while len(self._rows) > MOST:
                self._rows.popitem(last=False)
